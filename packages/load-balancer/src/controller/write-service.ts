/** Owns what a decision about a service does to the cluster: its status, its events, our log. */
import type { Logger } from '@kfctl/core';
import { isKubeError, recordEvent, resources } from '@kfctl/kube';
import type { KubeClient, LoadBalancerIngress, Service } from '@kfctl/kube';
import type { Address } from '../address/address.ts';
import type { Decision } from './converge-service.ts';
import { serviceKey } from './service-wish.ts';

export interface WriteServiceDeps {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch'>;
  readonly log: Logger;
  /** Writes of statuses are counted here. */
  readonly writes: WriteCounts;
}

export interface WriteCounts {
  done: number;
  failed: number;
}

export interface Verdict {
  readonly decision: Decision;
  /** A failure was not told before. */
  readonly isNews: boolean;
}

/** Carries the decision out. */
export async function writeService(
  deps: WriteServiceDeps,
  service: Service,
  { decision, isNews }: Verdict,
): Promise<void> {
  const key = serviceKey(service);
  const log = deps.log.child({ service: key });
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): Promise<void> =>
    recordEvent({ client: deps.client, log, component: 'metallb-controller', object: service, type, reason, message });
  if ('lost' in decision && decision.lost !== undefined) {
    log.info('current IP not allowed by config, clearing', { event: 'clearAssignment', reason: decision.lost });
    await tell(
      'Normal',
      'ClearAssignment',
      `current IP for "${key}" not allowed by config, will attempt for new IP assignment: ${decision.lost}`,
    );
  }
  switch (decision.kind) {
    case 'leave':
      return;
    case 'clear':
      if (await writeStatus(deps, service, []))
        log.info('clearing assignment', { event: 'clearAssignment', reason: 'notLoadBalancer' });
      return;
    case 'assigned': {
      const ips = decision.addresses.map(({ text }) => text);
      if (!(await writeStatus(deps, service, decision.addresses))) return;
      log.info('IP address assigned by controller', { event: 'ipAllocated', ip: ips.length === 1 ? ips[0] : ips });
      await tell(
        'Normal',
        'IPAllocated',
        `Assigned IP ${ips.length === 1 ? JSON.stringify(ips[0]) : `[${ips.map((ip) => JSON.stringify(ip)).join(' ')}]`}`,
      );
      return;
    }
    case 'waiting':
      await writeStatus(deps, service, []);
      if (!isNews) return;
      log.warn('IP allocation failed', { op: 'allocateIP', error: decision.reason });
      await tell('Warning', 'AllocationFailed', `Failed to allocate IP for "${key}": ${decision.reason}`);
      return;
    case 'invalid':
      if (!decision.keeps) await writeStatus(deps, service, []);
      if (!isNews) return;
      log.warn('IP allocation failed', { op: 'allocateIP', error: decision.reason });
      await tell('Warning', 'LoadBalancerFailed', `invalid requested loadbalancer IPs: ${decision.reason}`);
  }
}

/** True when the status had to change. Only `status.loadBalancer.ingress` is ours. */
async function writeStatus(
  { client, writes }: WriteServiceDeps,
  service: Service,
  addresses: readonly Address[],
): Promise<boolean> {
  const present = service.status?.loadBalancer?.ingress ?? [];
  if (isSame(present, addresses)) return false;
  const { name = '', namespace = '', uid } = service.metadata;
  const ingress = addresses.length === 0 ? null : addresses.map(({ text }) => ({ ip: text }));
  // The uid refuses the write when the service was made anew in between.
  const body = { metadata: { uid }, status: { loadBalancer: { ingress } } };
  try {
    await client.patch(resources.services, name, { namespace, subresource: 'status', patch: { kind: 'merge', body } });
    writes.done += 1;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return true;
    writes.failed += 1;
    throw error;
  }
  return true;
}

function isSame(present: readonly LoadBalancerIngress[], addresses: readonly Address[]): boolean {
  return (
    present.length === addresses.length &&
    present.every(({ ip, hostname }, index) => ip === addresses[index]?.text && !hostname)
  );
}
