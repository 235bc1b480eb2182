/** Owns the pools of HTTP/1.1 connections, one per endpoint address. */
import { Http1Connection } from './http1-connection.ts';
import { isReplayable } from './upstream.ts';
import type { Upstream, UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from './upstream.ts';

export interface Http1UpstreamOptions {
  readonly connectTimeoutMs?: number;
  /** Open connections per endpoint; beyond it requests fail with `overflow`. */
  readonly maxConnections?: number;
  readonly maxIdle?: number;
}

interface Opening {
  readonly address: UpstreamAddress;
  readonly webSocket: boolean;
}

interface Pool {
  readonly idle: Http1Connection[];
  open: number;
}

const NEVER: UpstreamExchange = { resume: () => undefined, abort: () => undefined };
const READ_BYTES = 65_536;
const SWEEP_MS = 5_000;
const FRESH_MS = 1_500;

/** An upstream that speaks HTTP/1.1 over keep-alive connections, the most recently used first. */
export function createHttp1Upstream(options: Http1UpstreamOptions = {}): Upstream {
  const { connectTimeoutMs = 10_000, maxConnections = 2048, maxIdle = 128 } = options;
  const pools = new Map<string, Pool>();
  const all = new Set<Http1Connection>();
  const sweeper = setInterval(() => sweep(pools), SWEEP_MS);
  sweeper.unref();

  const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const open = (key: string, pool: Pool, { address, webSocket }: Opening): Http1Connection => {
    pool.open += 1;
    const connection = new Http1Connection({
      address,
      connectTimeoutMs,
      readBuffer: webSocket ? undefined : readBuffer,
      onIdle: (idle) => {
        if (pool.idle.length < maxIdle) pool.idle.push(idle);
        else idle.close();
      },
      onClose: (closed) => {
        all.delete(closed);
        pool.open -= 1;
        const index = pool.idle.indexOf(closed);
        if (index >= 0) pool.idle.splice(index, 1);
        if (pool.open === 0 && pools.get(key) === pool) pools.delete(key);
      },
    });
    all.add(connection);
    return connection;
  };

  return {
    send(address, request, handler) {
      const key = `${address.host}|${address.port}`;
      const pool = pools.get(key) ?? { idle: [], open: 0 };
      pools.set(key, pool);
      const connection =
        takeIdle(pool, request) ??
        (pool.open < maxConnections ? open(key, pool, { address, webSocket: request.webSocket }) : undefined);
      return connection === undefined ? overflow(handler) : connection.send(request, handler);
    },
    close() {
      clearInterval(sweeper);
      for (const connection of all) connection.close();
    },
  };
}

/** A request that cannot be sent twice gets a connection that served a moment ago, or a new one: a long idle one may be dead already. */
function takeIdle(pool: Pool, request: UpstreamRequest): Http1Connection | undefined {
  if (request.webSocket) return undefined;
  const now = performance.now();
  for (let connection = pool.idle.pop(); connection !== undefined; connection = pool.idle.pop()) {
    if (connection.isUsable(now, isReplayable(request) ? Infinity : FRESH_MS)) return connection;
    connection.close();
  }
  return undefined;
}

function sweep(pools: ReadonlyMap<string, Pool>): void {
  const now = performance.now();
  for (const pool of pools.values()) {
    for (const connection of pool.idle.filter((idle) => !idle.isUsable(now))) connection.close();
  }
}

function overflow(handler: UpstreamHandler): UpstreamExchange {
  queueMicrotask(() =>
    handler.onFailure({ kind: 'overflow', sent: false, reused: false, detail: 'too many connections' }),
  );
  return NEVER;
}
