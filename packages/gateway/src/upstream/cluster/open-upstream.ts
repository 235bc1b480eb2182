/** Owns opening the connections of a cluster as its policy wants them: protocol, TLS, limits. */
import type { SecretObject } from '@kfctl/kube';
import type { Source } from '../../istio/sources.ts';
import { chooseUpstream } from '../by-protocol.ts';
import { createHttp1Upstream } from '../http1-upstream.ts';
import { createHttp2Upstream } from '../http2/http2-upstream.ts';
import { serviceHost } from '../service-host.ts';
import { createUpstreamTls } from '../tls/upstream-tls.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type { Upstream } from '../upstream.ts';
import type { UpstreamKind } from './clusters.ts';
import { ConnectionBudget } from './connection-budget.ts';

export interface UpstreamOpenerOptions {
  readonly secrets: Pick<Source<SecretObject>, 'get'>;
  /** The gateway's own namespace. */
  readonly namespace: string;
  readonly now: () => number;
}

/** Where a policy bounds connections, so many requests may wait for one unless it says how many (Envoy's default). */
const MAX_WAITING = 1024;

export function createUpstreamOpener(options: UpstreamOpenerOptions): (kind: UpstreamKind) => Upstream {
  return (kind) => {
    const { limits } = kind.policy;
    const tls = openTls(kind, options);
    const budget = new ConnectionBudget({
      maxConnections: limits?.maxConnections ?? Infinity,
      maxWaiting: limits?.maxPendingRequests ?? MAX_WAITING,
    });
    const shared = {
      tls,
      connectTimeoutMs: limits?.connectTimeoutMs,
      idleMs: limits?.idleTimeoutMs,
      keepAliveMs: limits?.keepAliveMs,
      maxRequestsPerConnection: limits?.maxRequestsPerConnection,
    };
    const isBounded = limits?.maxConnections !== undefined;
    const http1 = createHttp1Upstream({ ...shared, budget: isBounded ? budget : undefined });
    if (kind.protocol === 'http1') return http1;
    const openBudget = (): ConnectionBudget => (isBounded ? budget : usualBudget());
    const http2 = createHttp2Upstream({ ...shared, maxStreams: limits?.maxConcurrentStreams, openBudget });
    return chooseUpstream(kind.protocol, { http1, http2 });
  };
}

/** Sessions of one endpoint that no policy bounds: enough for thousands of requests at a time. */
export function usualBudget(): ConnectionBudget {
  return new ConnectionBudget({ maxConnections: 64, maxWaiting: MAX_WAITING });
}

function openTls({ policy, endpoints }: UpstreamKind, options: UpstreamOpenerOptions): UpstreamTls | undefined {
  const { tls } = policy;
  if (tls === undefined || tls.kind === 'plain') return undefined;
  return createUpstreamTls({ ...options, tls, host: serviceHost(endpoints.service) });
}
