/** Owns the pools of HTTP/1.1 connections, one per endpoint address. */
import { createFieldNames } from '@kfctl/http';
import { ConnectionBudget } from './cluster/connection-budget.ts';
import { ConnectionPool } from './connection-pool.ts';
import type { UpstreamTls } from './tls/upstream-tls.ts';
import type { Upstream, UpstreamAddress } from './upstream.ts';

export interface Http1UpstreamOptions {
  readonly connectTimeoutMs?: number | undefined;
  /** Open connections per endpoint; beyond it requests fail with `overflow`. */
  readonly maxConnections?: number;
  readonly maxIdle?: number;
  /** Shared by all endpoints; each has one of its own without it. */
  readonly budget?: ConnectionBudget | undefined;
  readonly tls?: UpstreamTls | undefined;
  readonly idleMs?: number | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly maxRequestsPerConnection?: number | undefined;
}

const READ_BYTES = 65_536;
const SWEEP_MS = 5_000;
const IDLE_MS = 60_000;

/** An upstream that speaks HTTP/1.1 over keep-alive connections. */
export function createHttp1Upstream(options: Http1UpstreamOptions = {}): Upstream {
  const { connectTimeoutMs = 10_000, maxConnections = 2048, maxIdle = 128 } = options;
  const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const { tls, idleMs = IDLE_MS, keepAliveMs, maxRequestsPerConnection = Infinity } = options;
  const shared = { tls, idleMs, keepAliveMs, maxRequestsPerConnection, names: createFieldNames(), readBuffer };
  const ownBudget = (): ConnectionBudget => new ConnectionBudget({ maxConnections, maxWaiting: 0 });
  const open = (address: UpstreamAddress): ConnectionPool =>
    new ConnectionPool(address, { ...shared, connectTimeoutMs, maxIdle, budget: options.budget ?? ownBudget() });
  const pools = new Map<string, ConnectionPool>();
  /** The same by address object, which lives as long as nothing about the endpoints changes. */
  const byAddress = new WeakMap<UpstreamAddress, ConnectionPool>();
  const sweeper = setInterval(() => sweep(pools), SWEEP_MS);
  sweeper.unref();
  const poolOf = (address: UpstreamAddress): ConnectionPool => {
    const known = byAddress.get(address);
    // An empty one may have been swept, and another one have taken its place.
    if (known !== undefined && known.size > 0) return known;
    const key = `${address.host}|${address.port}`;
    const pool = pools.get(key) ?? open(address);
    pools.set(key, pool);
    byAddress.set(address, pool);
    return pool;
  };
  return {
    send: (address, request, handler) => poolOf(address).send(request, handler),
    close() {
      clearInterval(sweeper);
      for (const pool of pools.values()) pool.close();
    },
  };
}

function sweep(pools: Map<string, ConnectionPool>): void {
  const now = performance.now();
  for (const [key, pool] of pools) {
    pool.sweep(now);
    if (pool.size === 0) pools.delete(key);
  }
}
