/** Owns the request and answer values of the API, whatever door they came through. */
import type { UserInfo } from '../registry/request-context.ts';

export interface ApiRequest {
  readonly method: string;
  /** Decoded path segments are taken from here; no query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly user: UserInfo;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** The parsed body; undefined when there is none. Throws 400, 413 or 415. */
  body(): Promise<unknown>;
}

/** Where a streamed answer goes. */
export interface AnswerSink {
  /** False when the reader is too slow and the stream must end. */
  write(chunk: string | Uint8Array): boolean;
  end(): void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly warnings?: readonly string[];
  /** A value is sent as JSON (or YAML), a string as it is. */
  readonly body?: unknown;
  readonly text?: string;
  /** Called once with the sink; ends itself when `signal` of the request aborts. */
  readonly stream?: (sink: AnswerSink) => void;
}

export type ApiHandler = (request: ApiRequest) => Promise<ApiAnswer> | ApiAnswer;

export function headerOf(request: Pick<ApiRequest, 'headers'>, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value?.[0] ?? '');
}
