/** Owns connections to carried addresses: everything in Node that connects ends in `Socket.connect`, or in `tls.connect` before it. */
import net from 'node:net';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import tls from 'node:tls';
import { carries, placeOf } from './overlay.ts';
import type { Overlay, Place, Port } from './overlay.ts';
import { CALLER } from './socket-names.ts';
import type { SocketNames } from './socket-names.ts';

export interface RedirectConnectOptions {
  readonly overlay: Overlay;
  /** The address of a name of the cluster; undefined for names that are none of its business. */
  resolve(name: string): string | undefined;
  nameSocket(socket: Socket, names: SocketNames): void;
}

/** What both functions take, of which this reads a part. */
interface Dial {
  readonly host?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
  readonly socket?: unknown;
  readonly servername?: unknown;
}

interface Call {
  readonly dial: Dial;
  readonly done: (() => void) | undefined;
}

type Connect<This = void> = (this: This, ...args: unknown[]) => Socket;

export function redirectConnections(options: RedirectConnectOptions): void {
  redirectSockets(options);
  redirectTls(options);
}

function redirectSockets(options: RedirectConnectOptions): void {
  const prototype = net.Socket.prototype as unknown as { connect: Connect<Socket> };
  const { connect } = prototype;
  prototype.connect = function (this: Socket, ...args) {
    const { dial, done } = readCall(args);
    const target = targetOf(options, dial);
    if (target === undefined) return connect.apply(this, args);
    const place = placeOf(options.overlay, target);
    if (dial.path && !(place.kind === 'socket' && dial.path === place.path)) return connect.apply(this, args);
    options.nameSocket(this, { local: CALLER, remote: target });
    nameFailures(this, target);
    return connect.call(this, redirected(dial, place), done);
  };
}

/** A TLS socket decides for TCP or a Unix-domain socket when it is made, which is before it connects. */
function redirectTls(options: RedirectConnectOptions): void {
  const { connect } = tls as unknown as { connect: Connect };
  const redirect: Connect = (...args) => {
    const { dial, done } = readCall(args);
    const target = dial.socket || dial.path ? undefined : targetOf(options, dial);
    if (target === undefined) return connect(...args);
    return connect(redirected(dial, placeOf(options.overlay, target)), done);
  };
  (tls as { connect: unknown }).connect = redirect;
}

/** The carried address and port that a call asks for; undefined where it asks for something else. */
function targetOf({ overlay, resolve }: RedirectConnectOptions, { host, port }: Dial): Port | undefined {
  const number = Number(port);
  if (typeof host !== 'string' || !(number > 0 && number < 65_536)) return undefined;
  const address = net.isIP(host) === 0 ? resolve(host) : host;
  return address !== undefined && carries(overlay, address) ? { host: address, port: number } : undefined;
}

/** The host stays beside the path of a socket: TLS reads there whose certificate it expects. */
function redirected(dial: Dial, place: Place): Dial {
  if (place.kind === 'socket') return { ...dial, path: place.path };
  const { host } = dial;
  const name = typeof host === 'string' && net.isIP(host) === 0 ? { servername: host } : {};
  return { ...name, ...dial, host: CALLER.host, port: place.port };
}

/** `(options, done)`, `(port[, host][, options][, done])`, or the pair that `net.connect` makes of these. */
function readCall(args: readonly unknown[]): Call {
  const [first] = args;
  if (Array.isArray(first)) return { dial: asDial(first[0]), done: asFunction(first[1]) };
  const done = asFunction(args.at(-1));
  if (typeof first === 'object') return { dial: asDial(first), done };
  const more = args.slice(1).find((argument) => typeof argument === 'object');
  const host = typeof args[1] === 'string' ? { host: args[1] } : {};
  return { dial: { port: first, ...host, ...asDial(more) }, done };
}

function asDial(value: unknown): Dial {
  return typeof value === 'object' && value !== null ? value : {};
}

function asFunction(value: unknown): (() => void) | undefined {
  return typeof value === 'function' ? (value as () => void) : undefined;
}

/** Where nobody listens there is no socket, and a full one says "again": TCP calls both a refused connection. */
const REFUSED = new Set(['ENOENT', 'ECONNREFUSED', 'EAGAIN']);

/** A failed attempt names the address that was asked for, until the connection stands. */
function nameFailures(socket: Socket, target: Port): void {
  const destroy = socket.destroy.bind(socket);
  const holder = socket as { destroy?: Socket['destroy'] };
  holder.destroy = (error) => destroy(error === undefined ? error : asTcpError(error, target));
  socket.prependOnceListener('connect', () => delete holder.destroy);
}

function asTcpError(error: NodeJS.ErrnoException, { host, port }: Port): Error {
  if (error.syscall !== 'connect' || error.code === undefined) return error;
  const code = REFUSED.has(error.code) ? 'ECONNREFUSED' : error.code;
  const errno = code === 'ECONNREFUSED' ? -constants.errno.ECONNREFUSED : error.errno;
  return Object.assign(error, { code, errno, address: host, port, message: `connect ${code} ${host}:${port}` });
}
