/** Owns HTTP to upstreams: bounded in time and size, never following a redirect, saying nothing of what was sent or answered. */
import type { IncomingMessage, RequestOptions } from 'node:http';
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';

export interface UpstreamRequest {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  /** The parsed JSON; undefined when it is none. */
  readonly body: unknown;
}

export interface UpstreamHttp {
  /** Resolves with any status but a redirect; throws AppError when there is no whole answer in time. */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>;
  close(): void;
}

export interface UpstreamTls {
  /** PEM texts of the authorities to trust instead of the system's; empty means the system's. */
  readonly authorities?: readonly string[];
  readonly insecureSkipVerify?: boolean;
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 1_048_576;
const MAX_CONNECTIONS = 32;

export function createUpstreamHttp({
  authorities = [],
  insecureSkipVerify = false,
  timeoutMs,
}: UpstreamTls = {}): UpstreamHttp {
  const http = process.getBuiltinModule('node:http');
  const https = process.getBuiltinModule('node:https');
  const kept = { keepAlive: true, maxSockets: MAX_CONNECTIONS, timeout: 30_000 };
  const plain = new http.Agent(kept);
  const secure = new https.Agent({
    ...kept,
    rejectUnauthorized: !insecureSkipVerify,
    ...(authorities.length > 0 ? { ca: [...authorities] } : {}),
  });
  return {
    send: (request) => {
      const url = new URL(request.url);
      const { headers, body } = encode(request);
      const signal = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
      const options: RequestOptions = { method: request.method ?? 'GET', headers, signal };
      const call =
        url.protocol === 'https:'
          ? https.request(url, { ...options, agent: secure })
          : http.request(url, { ...options, agent: plain });
      return new Promise((resolve, reject) => {
        const fail = (cause: Error): void => reject(upstreamFailed(url, cause.message));
        call.on('error', fail);
        call.on('response', (incoming) => {
          collect(incoming, url).then(resolve, fail);
        });
        call.end(body);
      });
    },
    close: () => {
      plain.destroy();
      secure.destroy();
    },
  };
}

function encode({ headers = {}, form, json }: UpstreamRequest): {
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
} {
  const common = { accept: 'application/json', 'user-agent': 'kfctl-identity', ...headers };
  const [type, body] =
    form !== undefined
      ? ['application/x-www-form-urlencoded', new URLSearchParams(form).toString()]
      : ['application/json', json === undefined ? undefined : JSON.stringify(json)];
  if (body === undefined) return { headers: common, body };
  return { headers: { ...common, 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }, body };
}

async function collect(incoming: IncomingMessage, url: URL): Promise<UpstreamAnswer> {
  const status = incoming.statusCode ?? 502;
  // What we send carries secrets; they go where the configuration says and nowhere else.
  if (status >= 300 && status < 400) {
    incoming.destroy();
    throw new Error(`answered with a redirect (${status})`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) {
      incoming.destroy();
      throw new Error(`answered with more than ${MAX_ANSWER_BYTES} bytes to ${url.pathname}`);
    }
    chunks.push(chunk);
  }
  return { status, headers: incoming.headers, body: parse(Buffer.concat(chunks).toString('utf8')) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Names host and path, never the query: it may hold what must not be logged. */
export function upstreamFailed(url: URL | string, reason: string): AppError {
  const { origin, pathname } = new URL(url);
  return new AppError(IDENTITY_ERRORS.connectorFailed, `${origin}${pathname}: ${reason.slice(0, 200)}`);
}
