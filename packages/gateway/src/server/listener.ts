/** Owns one listening port: HTTP/2 and HTTP/1.1 behind TLS, or plain HTTP/1.1, with every limit that a stranger could strain. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { listen } from '@kfctl/core';
import { createCoarseClock, createCopyPool, HEAD_LIMITS, Http1Connection, shareReads } from '@kfctl/http';
import { HpackEncoder, Http2Connection } from '@kfctl/http/http2';
import type { CoarseClock, CopyPool, DownstreamHandler, ListenerPlace } from '@kfctl/http';

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

interface Open {
  readonly sockets: Set<Socket>;
  readonly connections: Set<Http1Connection>;
  readonly http2: Set<Http2Connection>;
  readonly clock: CoarseClock;
  readonly copies: CopyPool;
  readonly encoder: HpackEncoder;
}

/** Creates a listener; it does nothing until `listen`. */
export function createListener(options: ListenerOptions): Listener {
  const clock = createCoarseClock(Math.min(TICK_MS, options.headTimeoutMs / 4));
  const open: Open = {
    sockets: new Set(),
    connections: new Set(),
    http2: new Set(),
    clock,
    copies: createCopyPool(),
    encoder: new HpackEncoder(),
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

function serveHttp2(socket: TLSSocket, sni: string, { options, open }: Serving): void {
  const connection = new Http2Connection(socket, sni, {
    place: options,
    handler: options.handler,
    clock: open.clock,
    copies: open.copies,
    encoder: open.encoder,
    head: HEAD_LIMITS,
    headTimeoutMs: options.headTimeoutMs,
    idleMs: SESSION_IDLE_MS,
    onClose: () => open.http2.delete(connection),
  });
  open.http2.add(connection);
}

async function drain(server: Server, { connections, http2, clock }: Open): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of http2) connection.retire();
  for (const connection of connections) connection.retire();
  const lastCall = setTimeout(() => {
    for (const connection of connections) connection.closeIdle();
  }, LAST_CALL_MS);
  await closed;
  clearTimeout(lastCall);
  clock.stop();
}
