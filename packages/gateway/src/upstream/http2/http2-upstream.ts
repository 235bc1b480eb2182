/** Owns the pools of HTTP/2 sessions, one per endpoint address. */
import type { ConnectionBudget } from '../cluster/connection-budget.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { Upstream, UpstreamAddress } from '../upstream.ts';
import { SessionPool } from './session-pool.ts';

export interface Http2UpstreamOptions {
  readonly tls?: UpstreamTls | undefined;
  /** One for each endpoint. */
  readonly openBudget: () => ConnectionBudget;
  readonly connectTimeoutMs?: number | undefined;
  readonly idleMs?: number | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly maxRequestsPerConnection?: number | undefined;
  /** Requests at a time on one session; the endpoint may allow fewer. */
  readonly maxStreams?: number | undefined;
}

const SWEEP_MS = 5_000;
/** What servers usually allow. */
const USUAL_STREAMS = 100;

/** An upstream that speaks HTTP/2: over plain TCP with prior knowledge (RFC 9113 section 3.3), over TLS by ALPN. */
export function createHttp2Upstream(options: Http2UpstreamOptions): Upstream {
  const { tls, connectTimeoutMs = 10_000, idleMs = 60_000, keepAliveMs } = options;
  const { maxRequestsPerConnection: maxRequests = Infinity, maxStreams = USUAL_STREAMS } = options;
  const pools = new Map<string, SessionPool>();
  const sweeper = setInterval(() => sweep(pools), SWEEP_MS);
  sweeper.unref();
  const open = (address: UpstreamAddress): SessionPool => {
    const shared = { tls, connectTimeoutMs, idleMs, keepAliveMs, maxRequests, maxStreams };
    return new SessionPool({ address, budget: options.openBudget(), ...shared });
  };
  return {
    send(address, request, handler) {
      const key = `${address.host}|${address.port}`;
      const pool = pools.get(key) ?? open(address);
      pools.set(key, pool);
      return pool.send(request, handler);
    },
    close() {
      clearInterval(sweeper);
      for (const pool of pools.values()) pool.close();
    },
  };
}

function sweep(pools: Map<string, SessionPool>): void {
  const now = performance.now();
  for (const [key, pool] of pools) {
    pool.sweep(now);
    if (pool.isEmpty) pools.delete(key);
  }
}
