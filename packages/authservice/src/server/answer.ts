/** Owns the values that the AuthService answers with. Headers are flat name, value lists, repeats allowed. */
import type { ServedRequest } from '@kfctl/http';

export interface Answer {
  readonly status: number;
  readonly headers: readonly string[];
  readonly body?: string;
  /** The same headers as they are written, where they are known already. */
  readonly fields?: string;
}

/** What endpoints look at of a request: one that came by HTTP, or one that a gateway describes. */
export type AskedRequest = Pick<ServedRequest, 'method' | 'url' | 'headers' | 'body'>;

export type Endpoint = (request: AskedRequest) => Answer | Promise<Answer>;

const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** RFC 9112 §5; throws for a value that would end its line. Names are ours. */
export function renderFields(headers: readonly string[]): string {
  let text = '';
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const value = headers[index + 1] ?? '';
    if (!FIELD_VALUE.test(value)) throw new TypeError(`the value of ${headers[index]} does not fit in a header`);
    text += `${headers[index]}: ${value}\r\n`;
  }
  return text;
}

const NO_STORE = ['cache-control', 'no-store'] as const;

/** A redirect that nothing may cache and whose target learns nothing from the Referer. */
export function redirect(status: 302 | 303, location: string, setCookies: readonly string[] = []): Answer {
  const cookies = setCookies.flatMap((cookie) => ['set-cookie', cookie]);
  return { status, headers: ['location', location, ...NO_STORE, 'referrer-policy', 'no-referrer', ...cookies] };
}

export function jsonAnswer(status: number, value: unknown, headers: readonly string[] = []): Answer {
  return {
    status,
    headers: ['content-type', 'application/json', ...NO_STORE, ...headers],
    body: `${JSON.stringify(value)}\n`,
  };
}

export function textAnswer(status: number, text: string, headers: readonly string[] = []): Answer {
  return {
    status,
    headers: [
      'content-type',
      'text/plain; charset=utf-8',
      'x-content-type-options',
      'nosniff',
      ...NO_STORE,
      ...headers,
    ],
    body: `${text}\n`,
  };
}

export function methodNotAllowed(allow: string): Answer {
  return textAnswer(405, 'Method not allowed.', ['allow', allow]);
}

/** The query parameters of a request target. */
export function queryOf(request: Pick<AskedRequest, 'url'>): URLSearchParams {
  const target = request.url;
  const mark = target.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1));
}

/** The value of a parameter that is given exactly once (RFC 6749 §3.1), otherwise ''. */
export function singleParameter(query: URLSearchParams, name: string): string {
  const values = query.getAll(name);
  return values.length === 1 ? (values[0] ?? '') : '';
}
