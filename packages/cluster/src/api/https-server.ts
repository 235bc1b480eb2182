/** Owns the HTTPS door: TLS, authentication, bodies in, answers out. Hot path: raw node:https. */
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { KeyPair } from '../auth/certificates.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { StatusError } from '../registry/status-error.ts';
import type { AnswerSink, ApiAnswer, ApiHandler, ApiRequest } from './api-request.ts';
import { headerOf } from './api-request.ts';
import { negotiate } from './negotiate.ts';
import { readBody } from './read-body.ts';

export interface Authenticator {
  /** The user of a connection and its headers; throws 401 for credentials that are wrong. */
  authenticate(socket: TLSSocket, headers: ApiRequest['headers']): UserInfo;
}

export interface UpgradeHandler {
  upgrade(
    request: ApiRequest,
    raw: { readonly incoming: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
  ): Promise<void>;
}

export interface HttpsServerOptions {
  readonly handler: ApiHandler;
  readonly authenticator: Authenticator;
  readonly upgrades: UpgradeHandler;
  readonly server: KeyPair;
  readonly clientCa: string;
}

const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;

export function createApiHttpsServer(options: HttpsServerOptions): Server {
  const server = createServer({
    cert: options.server.certificate,
    key: options.server.key,
    ca: options.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    keepAliveTimeout: 120_000,
    headersTimeout: 20_000,
    requestTimeout: 60_000,
  });
  server.maxHeadersCount = 100;
  server.on('request', (incoming, outgoing) => void serve(options, incoming, outgoing));
  server.on('upgrade', (incoming, socket, head) => void upgrade(options, incoming, { socket, head }));
  server.on('tlsClientError', () => undefined);
  return server;
}

async function serve(options: HttpsServerOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const abort = new AbortController();
  outgoing.on('close', () => abort.abort());
  let answer: ApiAnswer;
  try {
    answer = await options.handler(toRequest(options, incoming, abort.signal));
  } catch (error) {
    answer = failure(error);
  }
  try {
    await send(answer, incoming, outgoing);
  } catch {
    outgoing.destroy();
  }
}

function failure(error: unknown): ApiAnswer {
  if (error instanceof StatusError) return { status: error.code, body: error.status };
  const { status } = new StatusError(500, 'InternalError', { message: 'Internal error occurred' });
  return { status: 500, body: status };
}

function toRequest(options: HttpsServerOptions, incoming: IncomingMessage, signal: AbortSignal): ApiRequest {
  const target = incoming.url ?? '/';
  const mark = target.indexOf('?');
  const { headers } = incoming;
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
    headers,
    user: options.authenticator.authenticate(incoming.socket as TLSSocket, headers),
    signal,
    body: () => readBody(incoming),
  };
}

async function send(answer: ApiAnswer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  outgoing.statusCode = answer.status;
  outgoing.setHeader('cache-control', 'no-cache, private');
  for (const [name, value] of Object.entries(answer.headers ?? {})) outgoing.setHeader(name, value);
  if (answer.warnings !== undefined && answer.warnings.length > 0)
    outgoing.setHeader('warning', renderWarnings(answer.warnings));
  // A body that nobody read must not be taken for the next request.
  if (!incoming.complete && incoming.readableEnded === false && hasBody(incoming))
    outgoing.setHeader('connection', 'close');
  if (answer.stream !== undefined) {
    outgoing.flushHeaders();
    answer.stream(sinkOf(outgoing));
    return;
  }
  const text = answer.text ?? (await renderBody(answer, incoming, outgoing));
  outgoing.setHeader('content-length', Buffer.byteLength(text));
  outgoing.end(incoming.method === 'HEAD' ? undefined : text);
}

function hasBody(incoming: IncomingMessage): boolean {
  return incoming.headers['transfer-encoding'] !== undefined || Number(incoming.headers['content-length'] ?? 0) > 0;
}

async function renderBody(answer: ApiAnswer, incoming: IncomingMessage, outgoing: ServerResponse): Promise<string> {
  if (answer.body === undefined) return '';
  if (wantsYaml(incoming)) {
    const { dump } = await import('js-yaml');
    outgoing.setHeader('content-type', 'application/yaml');
    return dump(answer.body, { noRefs: true });
  }
  if (!outgoing.hasHeader('content-type')) outgoing.setHeader('content-type', 'application/json');
  return JSON.stringify(answer.body);
}

function wantsYaml(incoming: IncomingMessage): boolean {
  try {
    return negotiate(headerOf({ headers: incoming.headers }, 'accept')).format === 'yaml';
  } catch {
    return false;
  }
}

/** RFC 9110 §5.5: `299 - "text"`; control characters would split the header. */
function renderWarnings(warnings: readonly string[]): string[] {
  return [...new Set(warnings)].slice(0, 32).map((text) => {
    const clean = text
      .replaceAll(/[^\t\u0020-\u007E]/g, '?')
      .replaceAll(/["\\]/g, '\\$&')
      .slice(0, 1024);
    return `299 - "${clean}"`;
  });
}

function sinkOf(outgoing: ServerResponse): AnswerSink {
  return {
    write(chunk) {
      if (outgoing.destroyed) return false;
      outgoing.write(chunk);
      return outgoing.writableLength < MAX_BUFFERED_BYTES;
    },
    end: () => void outgoing.end(),
  };
}

async function upgrade(
  options: HttpsServerOptions,
  incoming: IncomingMessage,
  raw: { readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const abort = new AbortController();
  raw.socket.on('close', () => abort.abort());
  raw.socket.on('error', () => abort.abort());
  try {
    await options.upgrades.upgrade(toRequest(options, incoming, abort.signal), { incoming, ...raw });
  } catch (error) {
    const answer = failure(error);
    const text = JSON.stringify(answer.body);
    const head = `HTTP/1.1 ${answer.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n`;
    raw.socket.end(head + text);
  }
}
