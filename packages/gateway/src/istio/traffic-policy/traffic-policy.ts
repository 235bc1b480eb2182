/** Owns reading of a traffic policy and which of several applies: Istio's rules of inheritance. */
import type { Fields } from '../fields.ts';
import { parseClientTls } from './client-tls.ts';
import type { ClientTls } from './client-tls.ts';
import { parseConnectionLimits } from './connection-limits.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { parseLoadBalancer } from './load-balancer.ts';
import type { LoadBalancer } from './load-balancer.ts';
import { parseOutlierDetection } from './outlier-detection.ts';
import type { OutlierDetection } from './outlier-detection.ts';

/** What a policy says; undefined where it says nothing. */
export interface PortPolicy {
  readonly loadBalancer: LoadBalancer | undefined;
  readonly limits: ConnectionLimits | undefined;
  readonly outliers: OutlierDetection | undefined;
  readonly tls: ClientTls | undefined;
}

export interface TrafficPolicy extends PortPolicy {
  readonly ports: ReadonlyMap<number, PortPolicy>;
}

export const NO_POLICY: PortPolicy = {
  loadBalancer: undefined,
  limits: undefined,
  outliers: undefined,
  tls: undefined,
};

const PORT = { min: 1, max: 65_535 };

export function parseTrafficPolicy(fields: Fields | undefined): TrafficPolicy | undefined {
  if (fields === undefined) return undefined;
  const ports = new Map<number, PortPolicy>();
  for (const item of fields.children('portLevelSettings') ?? []) {
    const port = item.child('port');
    const number = port?.integer('number', PORT);
    port?.done();
    if (number === undefined) item.problem('port.number', 'is required');
    ports.set(number ?? 0, parsePortPolicy(item));
    item.done();
  }
  const policy = { ...parsePortPolicy(fields), ports };
  for (const name of ['tunnel', 'proxyProtocol', 'retryBudget']) {
    if (fields.has(name)) fields.problem(name, 'is not supported');
    fields.ignore(name);
  }
  fields.done();
  return policy;
}

function parsePortPolicy(fields: Fields): PortPolicy {
  return {
    loadBalancer: parseLoadBalancer(fields.child('loadBalancer')),
    limits: parseConnectionLimits(fields.child('connectionPool')),
    outliers: parseOutlierDetection(fields.child('outlierDetection')),
    tls: parseClientTls(fields.child('tls')),
  };
}

/**
 * What applies to one port of a destination or of its subset. Settings of a port replace the whole policy they stand in (Istio: what they
 * omit has its default, and is not inherited); a subset's settings replace the destination's one by one.
 */
export function effectivePolicy(
  whole: TrafficPolicy | undefined,
  subset: TrafficPolicy | undefined,
  port: number,
): PortPolicy {
  const base = atPort(whole, port);
  const own = atPort(subset, port);
  return {
    loadBalancer: own.loadBalancer ?? base.loadBalancer,
    limits: own.limits ?? base.limits,
    outliers: own.outliers ?? base.outliers,
    tls: own.tls ?? base.tls,
  };
}

function atPort(policy: TrafficPolicy | undefined, port: number): PortPolicy {
  return policy?.ports.get(port) ?? policy ?? NO_POLICY;
}
