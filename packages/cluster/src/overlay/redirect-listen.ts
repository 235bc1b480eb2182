/** Owns servers on carried addresses: net, tls, http, https and http2 servers all start in `Server.listen`. */
import { lstatSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Server, Socket } from 'node:net';
import { carries, portFile } from './overlay.ts';
import type { Overlay, Port } from './overlay.ts';
import { addressName, CALLER } from './socket-names.ts';
import type { SocketNames } from './socket-names.ts';

export interface RedirectListenOptions {
  readonly overlay: Overlay;
  /** The address that the wildcard means, where it does not mean the machine's own. */
  readonly wildcard: string | undefined;
  nameSocket(socket: Socket, names: SocketNames): void;
}

interface ListenCall {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly done: (() => void) | undefined;
}

type Listen = (this: Server, ...args: unknown[]) => Server;

const WILDCARDS: readonly unknown[] = [undefined, null, '', '0.0.0.0', '::'];

export function redirectServers(options: RedirectListenOptions): void {
  const bound = new WeakMap<Server, Port>();
  const prototype = net.Server.prototype as unknown as { listen: Listen; address: (this: Server) => unknown };
  const { listen, address } = prototype;
  prototype.listen = function (this: Server, ...args) {
    const call = readCall(args);
    const asked = call === undefined ? undefined : addressOf(options, call);
    if (call === undefined || asked === undefined) return listen.apply(this, args);
    const own = asked.port === 0 ? { ...asked, port: freePort(options.overlay, asked.host) } : asked;
    if (!bound.has(this)) nameCallers(this, () => bound.get(this), options);
    bound.set(this, own);
    const { port: _port, host: _host, ...settings } = call.settings;
    const path = portFile(options.overlay, own);
    clearPath(path, () => listen.call(this, { ...settings, path }, call.done));
    return this;
  };
  prototype.address = function (this: Server): unknown {
    const own = bound.get(this);
    return own !== undefined && this.listening ? addressName(own) : address.call(this);
  };
}

/** `([port][, host][, backlog][, done])` or `(options[, done])`; undefined for a path, a handle or a descriptor. */
function readCall(args: readonly unknown[]): ListenCall | undefined {
  const [first, second] = args;
  const last = args.at(-1);
  const done = typeof last === 'function' ? (last as () => void) : undefined;
  if (typeof first === 'object' && first !== null) {
    const settings = first as Readonly<Record<string, unknown>>;
    return 'port' in settings && !settings['path'] ? { settings, done } : undefined;
  }
  const isPort = ['undefined', 'function', 'number'].includes(typeof first) || first === null;
  if (!isPort && !/^\d+$/.test(String(first))) return undefined;
  const host = typeof second === 'string' ? { host: second } : {};
  const backlog = args.slice(1, 3).find((argument) => typeof argument === 'number');
  const settings = { port: typeof first === 'function' ? 0 : first, ...host, ...(backlog ? { backlog } : {}) };
  return { settings, done };
}

function addressOf({ overlay, wildcard }: RedirectListenOptions, { settings }: ListenCall): Port | undefined {
  const asked = settings['host'];
  const host = WILDCARDS.includes(asked) ? wildcard : asked;
  const port = Number(settings['port'] ?? 0);
  const isPort = Number.isInteger(port) && port >= 0 && port < 65_536;
  return typeof host === 'string' && carries(overlay, host) && isPort ? { host, port } : undefined;
}

function nameCallers(server: Server, own: () => Port | undefined, { nameSocket }: RedirectListenOptions): void {
  server.prependListener('connection', (socket: Socket) => {
    const local = own();
    if (local !== undefined) nameSocket(socket, { local, remote: CALLER });
  });
}

const FIRST_FREE = 32_768;
const FREE_PORTS = 28_000;

function freePort(overlay: Overlay, host: string): number {
  for (;;) {
    const port = FIRST_FREE + Math.floor(Math.random() * FREE_PORTS);
    if (lstatSync(portFile(overlay, { host, port }), { throwIfNoEntry: false }) === undefined) return port;
  }
}

/** A process that was killed leaves its socket behind, and the node's link gives way to the program itself. */
function clearPath(path: string, start: () => void): void {
  const present = lstatSync(path, { throwIfNoEntry: false });
  if (present?.isSymbolicLink() === true) rmSync(path, { force: true });
  if (present?.isSocket() !== true) return start();
  const trial = net.connect({ path });
  trial.once('connect', () => {
    trial.destroy();
    start();
  });
  trial.once('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNREFUSED') rmSync(path, { force: true });
    start();
  });
}
