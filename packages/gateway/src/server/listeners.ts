/** Owns which ports are open: one listener for each port that a Gateway object names and the process may bind. */
import type { Logger } from '@kfctl/core';
import { describeError } from '@kfctl/core';
import type { SecureContext } from 'node:tls';
import type { DownstreamHandler } from '@kfctl/http';
import type { ListenerTable, RouteTable, ServerTable } from '../routes/route-table.ts';
import type { Credential, Credentials } from '../tls/credentials.ts';
import { createListener } from './listener.ts';
import type { Listener } from './listener.ts';

export interface ListenersOptions {
  readonly listenPorts: ReadonlyMap<number, number>;
  readonly host: string;
  readonly maxConnections: number;
  readonly headTimeoutMs: number;
  readonly credentials: Credentials;
  readonly handler: DownstreamHandler;
  readonly log: Logger;
}

export interface Listeners {
  /** Opens, closes and re-equips listeners so that they fit the table. */
  update(table: RouteTable): void;
  /** Every port that the table names is open, and every TLS port has a certificate. */
  readonly areReady: boolean;
  /** The bound port of a Gateway port; for tests and messages. */
  boundPort(port: number): number | undefined;
  readonly connections: number;
  drain(timeoutMs: number): Promise<void>;
}

interface Entry {
  readonly listener: Listener;
  boundPort: number | undefined;
  table: ListenerTable;
  default: Credential | undefined;
}

const RETRY_MS = 1_000;

export function createListeners(options: ListenersOptions): Listeners {
  const entries = new Map<number, Entry>();
  const ended = new AbortController();

  const open = (table: ListenerTable): Entry => {
    const listener = createListener({
      port: table.port,
      isTls: table.isTls,
      handler: options.handler,
      maxConnections: options.maxConnections,
      headTimeoutMs: options.headTimeoutMs,
      secureContext: (name) => contextFor(entry.table, name, options.credentials),
    });
    const entry: Entry = { listener, boundPort: undefined, table, default: undefined };
    void bind(entry, { ...options, signal: ended.signal, isCurrent: () => entries.get(table.port) === entry });
    return entry;
  };

  const retire = (port: number, entry: Entry): void => {
    entries.delete(port);
    options.log.info('listener closed', { port });
    void entry.listener.drain();
  };

  return {
    update(table) {
      for (const [port, entry] of entries) {
        if (table.listeners.get(port)?.isTls !== entry.listener.isTls) retire(port, entry);
      }
      for (const [port, wanted] of table.listeners) {
        if (!options.listenPorts.has(port)) continue;
        const entry = entries.get(port) ?? open(wanted);
        entries.set(port, entry);
        entry.table = wanted;
        equip(entry, options.credentials);
      }
    },
    get areReady() {
      return [...entries.values()].every(isReady);
    },
    boundPort: (port) => entries.get(port)?.boundPort,
    get connections() {
      return countConnections(entries.values());
    },
    drain(timeoutMs) {
      ended.abort();
      return drainAll([...entries.values()], timeoutMs);
    },
  };
}

function isReady({ boundPort, listener, default: credential }: Entry): boolean {
  return boundPort !== undefined && (!listener.isTls || credential !== undefined);
}

function countConnections(entries: Iterable<Entry>): number {
  return [...entries].reduce((sum, { listener }) => sum + listener.connections, 0);
}

async function drainAll(entries: readonly Entry[], timeoutMs: number): Promise<void> {
  const cut = (): void => entries.forEach(({ listener }) => listener.destroy());
  const timer = setTimeout(cut, timeoutMs);
  await Promise.all(entries.filter(({ boundPort }) => boundPort !== undefined).map(({ listener }) => listener.drain()));
  clearTimeout(timer);
  cut();
}

interface Binding extends ListenersOptions {
  readonly signal: AbortSignal;
  readonly isCurrent: () => boolean;
}

/** Binds the port, again and again while it is taken: an old process of ours may still be draining. */
async function bind(entry: Entry, binding: Binding): Promise<void> {
  const { port } = entry.listener;
  const listenPort = binding.listenPorts.get(port) ?? port;
  try {
    entry.boundPort = await entry.listener.listen(listenPort, binding.host);
    binding.log.info('listening', { port, listenPort: entry.boundPort, tls: entry.listener.isTls });
  } catch (error) {
    binding.log.error('cannot listen', { port, listenPort, error: describeError(error) });
    const timer = setTimeout(() => {
      if (!binding.signal.aborted && binding.isCurrent()) void bind(entry, binding);
    }, RETRY_MS);
    timer.unref();
  }
}

/** Gives the certificate that clients without server name get: that of the server for `*`, otherwise of the first one. */
function equip(entry: Entry, credentials: Credentials): void {
  if (!entry.listener.isTls) return;
  const credential = credentialOf(entry.table.servers.find('') ?? entry.table.servers.values()[0], credentials);
  if (credential === undefined || credential === entry.default) return;
  entry.default = credential;
  entry.listener.useDefault(credential.pem);
}

function contextFor(table: ListenerTable, name: string, credentials: Credentials): SecureContext | undefined {
  return credentialOf(table.servers.find(name), credentials)?.context;
}

function credentialOf(server: ServerTable | undefined, credentials: Credentials): Credential | undefined {
  return server?.tls === undefined ? undefined : credentials.find(server.tls);
}
