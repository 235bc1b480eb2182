/** Owns opening the connections of a cluster as its policy wants them: protocol, TLS, limits. */
import type { SecretObject } from '@kfctl/kube';
import type { Source } from '../../istio/sources.ts';
import { createHttp1Upstream } from '../http1-upstream.ts';
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
    return createHttp1Upstream({
      tls,
      budget: limits?.maxConnections === undefined ? undefined : budget,
      connectTimeoutMs: limits?.connectTimeoutMs,
      idleMs: limits?.idleTimeoutMs,
      keepAliveMs: limits?.keepAliveMs,
      maxRequestsPerConnection: limits?.maxRequestsPerConnection,
    });
  };
}

function openTls({ policy, endpoints }: UpstreamKind, options: UpstreamOpenerOptions): UpstreamTls | undefined {
  const { tls } = policy;
  if (tls === undefined || tls.kind === 'plain') return undefined;
  return createUpstreamTls({ ...options, tls, host: serviceHost(endpoints.service) });
}
