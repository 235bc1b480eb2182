/** Owns a stub of an upstream that logs people in: real HTTP on loopback, an OAuth 2.0 token endpoint that checks what it is sent, answers that tests replace. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface StubRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
  readonly json: unknown;
}

export interface StubAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text as it is. */
  readonly body?: unknown;
}

export type StubRoute = StubAnswer | ((request: StubRequest) => StubAnswer);

export interface UpstreamServer {
  readonly origin: string;
  /** By path; tests may replace them. */
  readonly routes: Map<string, StubRoute>;
  readonly requests: StubRequest[];
  close(): Promise<void>;
}

export async function startUpstreamServer(routes: Readonly<Record<string, StubRoute>> = {}): Promise<UpstreamServer> {
  const known = new Map(Object.entries(routes));
  const requests: StubRequest[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const url = new URL(incoming.url ?? '/', 'http://stub');
      const text = Buffer.concat(chunks).toString('utf8');
      const isForm = incoming.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
      const request: StubRequest = {
        method: incoming.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        form: new URLSearchParams(isForm ? text : ''),
        json: isForm || text === '' ? undefined : (JSON.parse(text) as unknown),
      };
      requests.push(request);
      const route = known.get(url.pathname) ?? { status: 404, body: {} };
      reply(response, typeof route === 'function' ? route(request) : route);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    routes: known,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function reply(response: ServerResponse, { status = 200, headers = {}, body = {} }: StubAnswer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

export const STUB = {
  clientID: 'our-client',
  clientSecret: 'our-s3cret-&+',
  redirectURI: 'https://login.example.com/dex/callback',
  code: 'the-code',
  accessToken: 'upstream-access-token',
  refreshToken: 'upstream-refresh-token',
} as const;

/** A token endpoint (RFC 6749, RFC 7636): the right client, redirect URI and verifier, or no token. `extra` joins the answer. */
export function tokenEndpoint(expected: () => string | undefined, extra: () => object = () => ({})): StubRoute {
  return (request) => {
    if (!isOurClient(request)) return { status: 401, body: { error: 'invalid_client' } };
    const { form } = request;
    const good = { token_type: 'bearer', access_token: STUB.accessToken, refresh_token: STUB.refreshToken, ...extra() };
    if (form.get('grant_type') === 'refresh_token') {
      return form.get('refresh_token') === STUB.refreshToken
        ? { body: good }
        : { status: 400, body: { error: 'invalid_grant' } };
    }
    const challenge = expected();
    const verifier = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const right =
      form.get('code') === STUB.code &&
      form.get('redirect_uri') === STUB.redirectURI &&
      (challenge === undefined || challenge === verifier);
    return right ? { body: good } : { status: 400, body: { error: 'invalid_grant' } };
  };
}

function isOurClient({ headers, form }: StubRequest): boolean {
  const [scheme, value = ''] = (headers.authorization ?? '').split(' ');
  if (scheme !== 'Basic')
    return form.get('client_id') === STUB.clientID && form.get('client_secret') === STUB.clientSecret;
  const [id = '', secret = ''] = Buffer.from(value, 'base64').toString('utf8').split(':');
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  return decode(id) === STUB.clientID && decode(secret) === STUB.clientSecret;
}

/** An API answer for the holder of the access token only. */
export function forHolder(answer: StubAnswer | ((request: StubRequest) => StubAnswer)): StubRoute {
  return (request) => {
    if (request.headers.authorization !== `Bearer ${STUB.accessToken}`) return { status: 401, body: {} };
    return typeof answer === 'function' ? answer(request) : answer;
  };
}
