/** Owns a listening port whose connections speak HTTP/1.1, in the clear or behind TLS, with every limit that a stranger could strain. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { delay, listen } from '@kfctl/core';
import { createCoarseClock } from '../connection/coarse-clock.ts';
import type { CoarseClock } from '../connection/coarse-clock.ts';
import { createCopyPool } from '../connection/copy-pool.ts';
import { Http1Connection } from '../connection/http1-connection.ts';
import type { Http1ConnectionOptions, OnRefused } from '../connection/connection-options.ts';
import { shareReads } from '../connection/shared-read-socket.ts';

export type ConnectionLimits = Pick<
  Http1ConnectionOptions,
  'head' | 'headTimeoutMs' | 'keepAliveMs' | 'keepAliveFields' | 'exchangeTimeoutMs'
>;

export interface ConnectionServerOptions {
  readonly handler: Http1ConnectionOptions['handler'];
  readonly limits: ConnectionLimits;
  readonly tls?: ServerTls | undefined;
  readonly onRefused?: OnRefused | undefined;
}

/** A certificate chain and its key in PEM, and the TLS versions offered. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3';
}

export interface ConnectionServer {
  /** Starts listening; port 0 takes a free one. Resolves with the bound port. */
  listen(port: number, host?: string): Promise<number>;
  /** Uses a new certificate for connections from now on; only for servers that were created with one. */
  setCertificate(tls: ServerTls): void;
  /** Stops accepting, ends connections that carry no request, waits for the others, at most `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

const TICK_MS = 1_000;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 10_000;
const SOCKETS = { noDelay: true, allowHalfOpen: true } as const;

interface Open {
  readonly sockets: Set<Socket>;
  readonly connections: Set<Http1Connection>;
  readonly clock: CoarseClock;
  readonly isTls: boolean;
  isClosing: boolean;
}

/** Creates a server; it does nothing until `listen`. */
export function createConnectionServer(options: ConnectionServerOptions): ConnectionServer {
  const clock = createCoarseClock(Math.min(TICK_MS, options.limits.headTimeoutMs / 4));
  const isTls = options.tls !== undefined;
  const open: Open = { sockets: new Set(), connections: new Set(), clock, isTls, isClosing: false };
  const serve = createServe(options, open);
  const { server, setCertificate } = createListener(options.tls, serve);
  server.maxConnections = MAX_CONNECTIONS;
  server.on('connection', (socket: Socket) => {
    if (open.isClosing) return void socket.destroy();
    open.sockets.add(socket);
    socket.on('close', () => open.sockets.delete(socket));
  });
  return {
    listen: (port, host) => listen(server, port, host),
    setCertificate,
    close: (graceMs) => close(server, open, graceMs),
  };
}

function createServe(
  { handler, limits, tls, onRefused }: ConnectionServerOptions,
  open: Open,
): (socket: Socket) => void {
  const place = { port: 0, isTls: tls !== undefined };
  const fixed = { place, handler, onRefused, endsWithClient: true };
  const shared = { ...limits, ...fixed, clock: open.clock, copies: createCopyPool() };
  return (socket) => {
    const connection = new Http1Connection(socket, '', {
      ...shared,
      onClose: () => open.connections.delete(connection),
    });
    open.connections.add(connection);
    if (open.isClosing) connection.retire();
  };
}

interface Listener {
  readonly server: Server;
  setCertificate(tls: ServerTls): void;
}

function createListener(tls: ServerTls | undefined, serve: (socket: Socket) => void): Listener {
  if (tls === undefined)
    return {
      server: createServer({ ...SOCKETS, pauseOnConnect: true }, (socket) => serve(shareReads(socket))),
      setCertificate: () => undefined,
    };
  // Where nobody asks for TLS it is not loaded.
  const { createServer: createTlsServer } = process.getBuiltinModule('node:tls');
  const always = { ...SOCKETS, ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
  const server = createTlsServer({ minVersion: 'TLSv1.2', ...tls, ...always }, serve);
  // Trouble below HTTP, a handshake that fails or does not end: there is nobody to answer.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return { server, setCertificate: (next) => server.setSecureContext({ minVersion: 'TLSv1.2', ...next }) };
}

async function close(server: Server, open: Open, graceMs: number | undefined): Promise<void> {
  const { sockets, connections, clock } = open;
  open.isClosing = true;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const served = new Set<string>();
  for (const connection of connections) {
    served.add(nameOf(connection.socket));
    connection.retire();
    if (connection.isIdle) connection.socket.destroy();
  }
  // Below TLS there are sockets whose handshake is not done.
  if (open.isTls) for (const socket of sockets) if (!served.has(nameOf(socket))) socket.destroy();
  if (graceMs !== undefined) {
    const abort = new AbortController();
    await Promise.race([closed, delay(graceMs, abort.signal)]);
    abort.abort();
    for (const { socket } of connections) socket.destroy();
    for (const socket of sockets) socket.destroy();
  }
  await closed;
  clock.stop();
}

/** A TLS socket and the one below it have the same. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
