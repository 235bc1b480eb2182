/** Owns the listener that gateways ask: raw node:http, because a check is made for every request to the platform. Knows no routes. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { delay, listen } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { answerError } from './answer-error.ts';
import type { Answer, Endpoint } from './answer.ts';

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici.
const { createServer } = process.getBuiltinModule('node:http');

export interface FrontServer {
  listen(port: number, host?: string): Promise<number>;
  /** Stops accepting, lets requests in flight finish within `graceMs`, then ends what is left. */
  close(graceMs?: number): Promise<void>;
}

export interface FrontServerOptions {
  readonly endpoint: Endpoint;
  readonly log: Logger;
}

/** Larger than any gateway's own limit: what the gateway took, the check must be able to judge. */
const MAX_HEADER_BYTES = 96 * 1024;
/** Gateways keep connections; ours must not be the side that closes first: nothing may come for 20 minutes. */
const IDLE_LOOKS = 20;
const IDLE_LOOK_MS = 60_000;
const DRAIN_POLL_MS = 20;

export function createFrontServer({ endpoint, log }: FrontServerOptions): FrontServer {
  let closing = false;
  const date = createDate();
  const server = createServer({
    // Two timers for each request; `endIdle` does the same with one look a minute.
    keepAliveTimeout: 0,
    headersTimeout: 20_000,
    requestTimeout: 30_000,
    maxHeaderSize: MAX_HEADER_BYTES,
    // What a request without a body would announce of it costs as much as a check.
    optimizeEmptyRequests: true,
  });
  const sockets = trackSockets(server);
  const idleLooks = endIdle(sockets);
  server.on('request', (request, response) => {
    if (closing) response.shouldKeepAlive = false;
    // Bodies of checks mean nothing; those that an endpoint reads it has begun to read before it answers.
    serve({ request, response, date, log }, endpoint);
  });
  return {
    listen: (port, host) => listen(server, port, host),
    close: async (graceMs = 5_000) => {
      closing = true;
      clearInterval(idleLooks);
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      const abort = new AbortController();
      void closeIdle(server, abort.signal);
      await Promise.race([closed, delay(graceMs, abort.signal)]);
      abort.abort();
      server.closeAllConnections();
      await closed;
    },
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  return sockets;
}

/** Ends connections on which nothing came for many looks. What is asked is answered long before that. */
function endIdle(sockets: ReadonlySet<Socket>): NodeJS.Timeout {
  const seen = new WeakMap<Socket, { bytes: number; looks: number }>();
  const look = (socket: Socket): void => {
    const { bytes, looks } = seen.get(socket) ?? { bytes: -1, looks: 0 };
    const idle = bytes === socket.bytesRead ? looks + 1 : 0;
    if (idle >= IDLE_LOOKS) socket.destroy();
    else seen.set(socket, { bytes: socket.bytesRead, looks: idle });
  };
  return setInterval(() => sockets.forEach(look), IDLE_LOOK_MS).unref();
}

async function closeIdle(server: Server, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    server.closeIdleConnections();
    await delay(DRAIN_POLL_MS, signal);
  }
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Now, as a Date header has it. */
  readonly date: () => string;
  readonly log: Logger;
}

type Sending = Omit<Exchange, 'log'>;

/** A check answers in the same turn of the event loop; only logins, logouts and look-ups wait. */
function serve(exchange: Exchange, endpoint: Endpoint): void {
  try {
    const answer = endpoint(exchange.request);
    if (answer instanceof Promise)
      answer.then((value) => send(exchange, value)).catch((error: unknown) => fail(exchange, error));
    else send(exchange, answer);
  } catch (error) {
    fail(exchange, error);
  }
}

function send({ request, response, date }: Sending, answer: Answer): void {
  // A body left unread would be parsed as the next request's start: end the connection after the answer instead.
  if (!request.complete && hasBody(request)) response.shouldKeepAlive = false;
  if (answer.fields !== undefined && sendRendered({ request, response, date }, answer.status, answer.fields)) return;
  const { status, headers, body } = answer;
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  response.writeHead(status, status === 204 ? [...headers] : [...headers, 'content-length', String(length)]);
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** As node:http keeps it: null until there is a head, then the whole of it. */
interface Head {
  _header?: string | null;
}

/**
 * Writes a head that is rendered already: rendering it anew, name by name, costs more than the check. A node:http that keeps its head
 * elsewhere, an older client and a connection that must end take the usual way.
 */
function sendRendered({ request, response, date }: Sending, status: number, fields: string): boolean {
  const head = response as Head;
  if (head._header !== null || !response.shouldKeepAlive || request.httpVersion !== '1.1') return false;
  head._header = `HTTP/1.1 ${status} OK\r\nDate: ${date()}\r\n${fields}\r\n`;
  response.end();
  return true;
}

const SECOND_MS = 1_000;

/** RFC 9110 §6.6.1; rendered once a second. */
function createDate(): () => string {
  let text = '';
  let rendered = 0;
  return () => {
    const second = Math.floor(Date.now() / SECOND_MS);
    if (second !== rendered) text = new Date(second * SECOND_MS).toUTCString();
    rendered = second;
    return text;
  };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function fail(exchange: Exchange, error: unknown): void {
  const answer = answerError(error, exchange.request, exchange.log);
  if (exchange.response.headersSent) exchange.response.destroy();
  else send(exchange, answer);
}
