/** Owns one listening port: HTTP/2 and HTTP/1.1 behind TLS, or plain HTTP/1.1, with every limit that a stranger could strain. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type {
  Http2SecureServer,
  IncomingHttpHeaders,
  SecureServerOptions,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { Duplex } from 'node:stream';
import { listen } from '@kfctl/core';
import type { DownstreamHandler } from './downstream.ts';
import { Http1Downstream, UpgradeDownstream } from './http1-downstream.ts';
import { Http2Downstream } from './http2-downstream.ts';

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici (16 MB instead of 3 MB).
const { createServer } = process.getBuiltinModule('node:http');

export interface ListenerOptions {
  /** The port that Gateway objects name. */
  readonly port: number;
  readonly isTls: boolean;
  readonly handler: DownstreamHandler;
  /** The certificate for the name that a client asked for. */
  readonly secureContext: (serverName: string) => SecureContext | undefined;
  readonly maxConnections: number;
}

/** What a request needs to know of the listener it came through. */
export interface ListenerPlace {
  readonly port: number;
  readonly isTls: boolean;
}

export interface Listener extends ListenerPlace {
  /** The certificate for clients that ask for no name (browsers on an address); replaces the one before. */
  useDefault(pem: PemCredential): void;
  /** Starts listening; resolves with the bound port. */
  listen(port: number, host: string): Promise<number>;
  /** Connections that are open now. */
  readonly connections: number;
  /** Stops accepting, ends idle connections, tells HTTP/2 clients to go, waits for requests in flight. */
  drain(): Promise<void>;
  /** Cuts what is left. */
  destroy(): void;
}

export interface PemCredential {
  readonly cert: string;
  readonly key: string;
}

const HEADERS_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const SESSION_IDLE_MS = 300_000;
/** Time for a refused client to read the refusal. */
const LINGER_MS = 1_000;
const MAX_HEADER_BYTES = 65_536;

const HTTP1_LIMITS = {
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  // A whole request may take long (uploads); its body is watched by the proxy.
  requestTimeout: 0,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  connectionsCheckingInterval: 5_000,
  insecureHTTPParser: false,
  requireHostHeader: true,
  joinDuplicateHeaders: false,
  noDelay: true,
} as const;

const HTTP2_LIMITS = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: MAX_HEADER_BYTES, enableConnectProtocol: true },
  maxSessionMemory: 16,
  maxHeaderListPairs: 128,
  maxOutstandingPings: 4,
  maxSettings: 16,
  maxSessionInvalidFrames: 64,
  maxSessionRejectedStreams: 64,
  streamResetBurst: 200,
  streamResetRate: 50,
  peerMaxConcurrentStreams: 0,
  unknownProtocolTimeout: 5_000,
  // Upstreams may repeat what should come once; the browser decides, as over HTTP/1.1.
  strictSingleValueFields: false,
} as const;

/** Creates a listener; it does nothing until `listen`. */
export function createListener(options: ListenerOptions): Listener {
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const server = options.isTls ? createTlsServer(options, sessions) : createPlainServer();
  const listener: Listener = {
    port: options.port,
    isTls: options.isTls,
    useDefault: ({ cert, key }) => {
      if ('setSecureContext' in server) server.setSecureContext({ cert, key, minVersion: 'TLSv1.2' });
    },
    listen: (port, host) => listen(server as unknown as Parameters<typeof listen>[0], port, host),
    get connections() {
      return sockets.size;
    },
    drain: () => drain(server, sessions),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
  server.maxConnections = options.maxConnections;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  attachHttp1(server, listener, options.handler);
  return listener;
}

type StreamEvent = [stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, rawHeaders: string[]];

/** RFC 9113 section 6.2: the flag of a HEADERS frame. */
const END_STREAM = 1;

function createPlainServer(): Server {
  return createServer({ ...HTTP1_LIMITS, shouldUpgradeCallback: isWebSocket });
}

function createTlsServer(options: ListenerOptions, sessions: Set<ServerHttp2Session>): Http2SecureServer {
  const server = createSecureServer({
    ...HTTP2_LIMITS,
    ...HTTP1_LIMITS,
    allowHTTP1: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    SNICallback: (name, done) => done(null, options.secureContext(name.toLowerCase())),
  } as SecureServerOptions);
  // Node gives this option to plain HTTP servers only, yet reads it from every server.
  Object.assign(server, { shouldUpgradeCallback: isWebSocket });
  server.on('session', (session) => {
    sessions.add(session);
    session.setTimeout(SESSION_IDLE_MS, () => session.close());
    session.on('error', () => session.destroy());
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (...[stream, headers, flags, rawHeaders]: StreamEvent) => {
    const ended = (flags & END_STREAM) !== 0;
    options.handler(new Http2Downstream({ stream, headers, rawHeaders, ended }, options));
  });
  return server;
}

function attachHttp1(server: Server | Http2SecureServer, listener: Listener, handler: DownstreamHandler): void {
  const emitter = server as Server;
  // A secure server would also emit `request` for HTTP/2, through the compatibility API, once someone listens for it.
  emitter.removeAllListeners('newListener');
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    handler(new Http1Downstream(request, response, listener));
  };
  emitter.on('request', serve);
  // The proxy says `100 Continue` itself, once the request may pass.
  emitter.on('checkContinue', serve);
  emitter.on('checkExpectation', serve);
  emitter.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    handler(new UpgradeDownstream({ request, socket, rest }, listener));
  });
  emitter.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => refuseUnparsable(error, socket));
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What cannot be parsed gets one plain answer, and the connection ends: nobody knows where the next request would start. */
function refuseUnparsable(error: NodeJS.ErrnoException, socket: Duplex): void {
  const code = error.code ?? '';
  const status = REFUSALS[code] ?? (code.startsWith('HPE_') ? '400 Bad Request' : undefined);
  // Anything else is trouble below HTTP, a handshake that fails or does not end: there is nobody to answer.
  if (status === undefined || !socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.method === 'GET' && request.headers.upgrade?.toLowerCase() === 'websocket';
}

async function drain(server: Server | Http2SecureServer, sessions: ReadonlySet<ServerHttp2Session>): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  (server as Server).closeIdleConnections();
  await closed;
}
