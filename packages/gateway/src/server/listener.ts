/** Owns one listening port: HTTP/2 and HTTP/1.1 behind TLS, or plain HTTP/1.1, with every limit that a stranger could strain. */
import { performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { listen } from '@kfctl/core';
import { createCoarseClock, createCopyPool, HEAD_LIMITS, Http1Connection, shareReads } from '@kfctl/http';
import type { CoarseClock, CopyPool, DownstreamHandler, ListenerPlace } from '@kfctl/http';
import { Http2Downstream } from './http2-downstream.ts';

export interface ListenerOptions {
  /** The port that Gateway objects name. */
  readonly port: number;
  readonly isTls: boolean;
  readonly handler: DownstreamHandler;
  /** The certificate for the name that a client asked for. */
  readonly secureContext: (serverName: string) => SecureContext | undefined;
  readonly maxConnections: number;
  /** How long the head of a request may take. */
  readonly headTimeoutMs: number;
}

export interface Listener extends ListenerPlace {
  /** The certificate for clients that ask for no name (browsers on an address); replaces the one before. */
  useDefault(pem: PemCredential): void;
  /** Starts listening; resolves with the bound port. */
  listen(port: number, host: string): Promise<number>;
  /** Connections that are open now. */
  readonly connections: number;
  /** Stops accepting, tells clients to go, waits for requests in flight. */
  drain(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface PemCredential {
  readonly cert: string;
  readonly key: string;
}

const KEEP_ALIVE_MS = 75_000;
const KEEP_ALIVE_FIELDS = 'connection: keep-alive\r\nkeep-alive: timeout=75\r\n';
const HANDSHAKE_TIMEOUT_MS = 10_000;
const SESSION_IDLE_MS = 300_000;
/** A request that was on its way when the drain began gets its answer. */
const LAST_CALL_MS = 100;
const TICK_MS = 1_000;
const SOCKETS = { noDelay: true, allowHalfOpen: true } as const;

const HTTP2_LIMITS = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: HEAD_LIMITS.maxBytes, enableConnectProtocol: true },
  maxSessionMemory: 16,
  maxHeaderListPairs: 128,
  maxOutstandingPings: 4,
  maxSettings: 16,
  maxSessionInvalidFrames: 64,
  maxSessionRejectedStreams: 64,
  streamResetBurst: 200,
  streamResetRate: 50,
  peerMaxConcurrentStreams: 0,
  // Upstreams may repeat what should come once; the browser decides, as over HTTP/1.1.
  strictSingleValueFields: false,
} as const;

interface Open {
  readonly sockets: Set<Socket>;
  readonly connections: Set<Http1Connection>;
  readonly sessions: Set<ServerHttp2Session>;
  readonly clock: CoarseClock;
  readonly copies: CopyPool;
}

/** Creates a listener; it does nothing until `listen`. */
export function createListener(options: ListenerOptions): Listener {
  const clock = createCoarseClock(Math.min(TICK_MS, options.headTimeoutMs / 4));
  const open: Open = {
    sockets: new Set(),
    connections: new Set(),
    sessions: new Set(),
    clock,
    copies: createCopyPool(),
  };
  const { server, useDefault } = options.isTls ? createSecure(options, open) : createPlain(options, open);
  server.maxConnections = options.maxConnections;
  server.on('connection', (socket: Socket) => {
    open.sockets.add(socket);
    socket.on('close', () => open.sockets.delete(socket));
  });
  return {
    port: options.port,
    isTls: options.isTls,
    useDefault,
    listen: (port, host) => listen(server as unknown as Parameters<typeof listen>[0], port, host),
    get connections() {
      return open.sockets.size;
    },
    drain: () => drain(server, open),
    destroy: () => {
      for (const socket of open.sockets) socket.destroy();
    },
  };
}

interface Created {
  readonly server: Server;
  readonly useDefault: (pem: PemCredential) => void;
}

function createPlain(options: ListenerOptions, open: Open): Created {
  const server = createServer({ ...SOCKETS, pauseOnConnect: true }, (socket) =>
    serveHttp1(shareReads(socket), '', { options, open }),
  );
  return { server, useDefault: () => undefined };
}

function createSecure(options: ListenerOptions, open: Open): Created {
  const server = createTlsServer({
    ...SOCKETS,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: ['h2', 'http/1.1'],
    SNICallback: (name, done) => done(null, options.secureContext(name.toLowerCase())),
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const sni = typeof socket.servername === 'string' ? socket.servername.toLowerCase() : '';
    if (socket.alpnProtocol === 'h2') serveHttp2(socket, sni, { options, open });
    else serveHttp1(socket, sni, { options, open });
  });
  // Trouble below HTTP, a handshake that fails or does not end: there is nobody to answer.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  const useDefault = ({ cert, key }: PemCredential): void =>
    server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
  return { server, useDefault };
}

interface Serving {
  readonly options: ListenerOptions;
  readonly open: Open;
}

function serveHttp1(socket: Socket, sni: string, { options, open }: Serving): void {
  const connection = new Http1Connection(socket, sni, {
    place: options,
    handler: options.handler,
    clock: open.clock,
    copies: open.copies,
    headTimeoutMs: options.headTimeoutMs,
    keepAliveMs: KEEP_ALIVE_MS,
    keepAliveFields: KEEP_ALIVE_FIELDS,
    head: HEAD_LIMITS,
    onClose: () => open.connections.delete(connection),
  });
  open.connections.add(connection);
}

type StreamEvent = [stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]];

/** RFC 9113 section 6.2: the flag of a HEADERS frame. */
const END_STREAM = 1;

function serveHttp2(socket: TLSSocket, sni: string, { options, open }: Serving): void {
  // A client that ends its side of a session has ended the session.
  socket.allowHalfOpen = false;
  socket.on('error', () => socket.destroy());
  const session = performServerHandshake(socket, HTTP2_LIMITS);
  const peer = { sni, remoteAddress: socket.remoteAddress ?? '', place: options, copies: open.copies };
  open.sessions.add(session);
  session.setTimeout(SESSION_IDLE_MS, () => session.close());
  session.on('error', () => session.destroy());
  session.on('close', () => open.sessions.delete(session));
  session.on('stream', (...[stream, headers, flags, rawHeaders]: StreamEvent) => {
    const ended = (flags & END_STREAM) !== 0;
    options.handler(new Http2Downstream({ stream, headers, rawHeaders, ended }, peer));
  });
}

async function drain(server: Server, { connections, sessions, clock }: Open): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  for (const connection of connections) connection.retire();
  const lastCall = setTimeout(() => {
    for (const connection of connections) connection.closeIdle();
  }, LAST_CALL_MS);
  await closed;
  clearTimeout(lastCall);
  clock.stop();
}
