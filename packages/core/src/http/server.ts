/** Owns the plumbing of ordinary HTTP servers: ids, limits, timeouts, error mapping, orderly close. Not for proxying. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { describeError, isAppError } from '../errors/app-error.ts';
import type { Logger } from '../log/logger.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts';
import { ServedRequest } from './served-request.ts';

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici (16 MB and 20 ms instead of 3 MB and 3 ms).
const { createServer } = process.getBuiltinModule('node:http');

export interface HttpServerOptions {
  readonly handler: HttpHandler;
  readonly log: Logger;
  /** Largest accepted request body in bytes; 1 MiB when absent. */
  readonly maxBodyBytes?: number;
  /** Turns an error into a response; the default answers the error's status with its public text only. */
  readonly renderError?: (error: unknown, request: HttpRequest) => HttpResponse;
  /** Serves HTTPS with this certificate; plain HTTP when absent. */
  readonly tls?: ServerTls;
}

/** A certificate chain and its key in PEM, and the TLS versions offered. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export interface HttpServer {
  /** Starts listening; port 0 takes a free one. Resolves with the bound port. */
  listen(port: number, host?: string): Promise<number>;
  /** Uses a new certificate for connections from now on; only for servers that were created with one. */
  setCertificate(tls: ServerTls): void;
  /** Stops accepting, ends idle connections, waits for requests in flight. */
  close(): Promise<void>;
}

/** Creates an HTTP/1.1 server around one handler. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { server, setCertificate } = createListener(options.tls);
  server.maxHeadersCount = 200;
  server.on('request', (incoming, outgoing) => void serve(options, incoming, outgoing));
  return { listen: (port, host) => listen(server, port, host), setCertificate, close: createDrain(server) };
}

interface Listener {
  readonly server: Server;
  setCertificate(tls: ServerTls): void;
}

function createListener(tls: ServerTls | undefined): Listener {
  const limits = { keepAliveTimeout: 65_000, headersTimeout: 20_000, requestTimeout: 60_000 };
  if (tls === undefined) return { server: createServer(limits), setCertificate: () => undefined };
  const server = process.getBuiltinModule('node:https').createServer({ minVersion: 'TLSv1.2', ...tls, ...limits });
  return { server, setCertificate: (next) => server.setSecureContext({ minVersion: 'TLSv1.2', ...next }) };
}

/**
 * Starts a net, http or https server and resolves with its port; rejects when the address is taken or forbidden.
 * The wildcard host means "every address of this host". Where pods share one network namespace, the node names the address
 * that is the pod's own in KFCTL_WILDCARD_ADDRESS, and the wildcard means that one.
 */
export function listen(server: Listenable, port: number, host = '0.0.0.0'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ownAddress(host), () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

type Listenable = Pick<Server, 'listen' | 'once' | 'off' | 'address'>;

function ownAddress(host: string): string {
  const wildcard = host === '0.0.0.0' || host === '::' || host === '';
  return wildcard ? (process.env['KFCTL_WILDCARD_ADDRESS'] ?? '0.0.0.0') : host;
}

/**
 * Ends every connection that carries no request; those that do end after their answer. `closeIdleConnections` alone would leave
 * connections that a browser opened ahead and never used.
 */
function createDrain(server: Server): () => Promise<void> {
  const requests = new Map<Socket, number>();
  let closing = false;
  server.on('connection', (socket) => {
    if (closing) socket.destroy();
    requests.set(socket, 0);
    socket.on('close', () => requests.delete(socket));
  });
  server.on('request', (incoming, outgoing) => {
    const { socket } = incoming;
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    outgoing.on('close', () => {
      const left = (requests.get(socket) ?? 1) - 1;
      if (requests.has(socket)) requests.set(socket, left);
      if (closing && left === 0) socket.destroySoon();
    });
  });
  return () =>
    new Promise((resolve) => {
      closing = true;
      server.close(() => resolve());
      for (const [socket, count] of requests) if (count === 0) socket.destroy();
    });
}

async function serve(options: HttpServerOptions, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const request = new ServedRequest(incoming, outgoing, options.maxBodyBytes ?? 1_048_576);
  let response: HttpResponse;
  try {
    response = await options.handler(request);
  } catch (error) {
    response = (options.renderError ?? renderError)(error, request);
    if (response.status >= 500) {
      options.log.warn('request failed', {
        id: request.id,
        method: request.method,
        path: request.path,
        error: describeError(error),
      });
    }
  }
  send(response, incoming, outgoing);
}

function renderError(error: unknown): HttpResponse {
  const status = isAppError(error) ? error.status : 500;
  const text = (isAppError(error) ? error.public : undefined) ?? (status >= 500 ? 'internal error' : 'bad request');
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: `${text}\n` };
}

function send(response: HttpResponse, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { status, headers = {}, body = '' } = response;
  // A body left unread would be parsed as the next request's start: end the connection after the answer instead.
  if (!incoming.complete) outgoing.setHeader('connection', 'close');
  if (body instanceof Readable) {
    outgoing.writeHead(status, headers);
    body.on('error', () => outgoing.destroy());
    outgoing.on('close', () => body.destroy());
    body.pipe(outgoing);
    return;
  }
  // A string leaves in one write together with the head; ASCII, whose bytes are its characters, without being encoded.
  const length = typeof body === 'string' ? Buffer.byteLength(body, 'utf8') : body.length;
  const noBody = status === 204 || status === 304;
  outgoing.writeHead(status, noBody ? headers : { 'content-length': length, ...headers });
  if (noBody || incoming.method === 'HEAD') outgoing.end();
  else if (length === body.length) outgoing.end(body, 'latin1');
  else outgoing.end(body);
}
