/** Owns the explanation of one service of type LoadBalancer: why it has no address, or why its address is silent. */
import { compareText } from '@kfctl/core';
import type { CoreEvent, Service } from '@kfctl/kube';
import { parseAddress } from '../address/address.ts';
import { convergeService } from '../controller/converge-service.ts';
import { isOurs, serviceKey } from '../controller/service-wish.ts';
import { addressLeaseName, holderOf } from '../ownership/speaker-lease.ts';
import { poolOf, poolSize } from '../pools/pool.ts';
import type { PlannedAddress } from '../speaker/plan-addresses.ts';
import { isOnWire } from '../speaker/plan-addresses.ts';
import { explainSilentPlan } from './explain-silent-plan.ts';
import { describePod, isReadyPod } from './finding.ts';
import type { Finding } from './finding.ts';
import { podsOf } from './world.ts';
import type { ServiceContext } from './world.ts';

export function explainService(service: Service, context: ServiceContext): readonly Finding[] {
  const subject = `Service ${serviceKey(service)}`;
  const { loadBalancerClass } = context.world;
  if (!isOurs(service, loadBalancerClass)) {
    const finding = `is of the class "${service.spec?.loadBalancerClass ?? ''}": another load balancer serves it`;
    return [{ level: 'ok', subject, finding, evidence: [] }];
  }
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  if (ingress.length === 0) return [explainPending(service, subject, context)];
  return ingress.map(({ ip = '', hostname = '' }) => explainAddress(service, ip || hostname, context));
}

function explainPending(service: Service, subject: string, context: ServiceContext): Finding {
  const decision = convergeService(service, context.allocator, context.surroundings);
  const describe = `kubectl describe service -n ${service.metadata.namespace ?? ''} ${service.metadata.name ?? ''}`;
  switch (decision.kind) {
    case 'waiting':
    case 'invalid':
      return {
        level: 'problem',
        subject,
        finding: `has no address: ${decision.reason}`,
        evidence: renderPools(context),
        next: decision.kind === 'invalid' ? describe : `kubectl edit configmap -n ${context.world.namespace} config`,
      };
    case 'leave':
      return { level: 'problem', subject, finding: 'has no cluster address yet', evidence: [], next: describe };
    default: {
      const { namespace } = context.world;
      return {
        level: 'problem',
        subject,
        finding: 'has no address, though there is one for it: the controller does not give it',
        evidence: [...renderPools(context), ...podsOf(context.world, 'controller').map(describePod)],
        next: `kubectl logs -n ${namespace} -l component=controller`,
      };
    }
  }
}

function renderPools({ configuration, allocator }: ServiceContext): readonly string[] {
  return configuration.pools.map((pool) => {
    const auto = pool.autoAssign ? '' : ', only on request';
    return `pool ${pool.name}: ${allocator.inUse(pool.name)} of ${poolSize(pool)} addresses in use${auto}`;
  });
}

function explainAddress(service: Service, text: string, context: ServiceContext): Finding {
  const subject = `Service ${serviceKey(service)}`;
  const address = parseAddress(text);
  if (address === undefined || poolOf(context.configuration.pools, address) === undefined) {
    const pools = context.configuration.pools.map(
      ({ name, blocks }) => `pool ${name}: ${blocks.map((b) => b.text).join(', ')}`,
    );
    const finding = `has ${text}, which is of no pool: another load balancer gave it, and both serve the same class`;
    const next = 'leave only one: the other, or the application metallb (or give it METALLB_LB_CLASS)';
    return { level: 'warning', subject, finding, evidence: pools, next };
  }
  const planned = context.plan.get(address.text);
  const serves = planned?.services.find(({ key }) => key === serviceKey(service))?.nodes.size ?? 0;
  if (planned === undefined || serves === 0) return explainSilentPlan(service, address.text, context);
  if (!isOnWire(planned)) {
    const finding = `has ${text}, a loopback address that this machine's own node serves`;
    return { level: 'ok', subject, finding, evidence: [] };
  }
  return explainAnnouncement(service, planned, context);
}

function explainAnnouncement(service: Service, planned: PlannedAddress, { world }: ServiceContext): Finding {
  const subject = `Service ${serviceKey(service)}`;
  const ip = planned.address.text;
  const speakers = podsOf(world, 'speaker');
  const ready = new Set(speakers.filter(isReadyPod).map(({ spec }) => spec?.nodeName ?? ''));
  if (!planned.order.some((node) => ready.has(node))) {
    return {
      level: 'problem',
      subject,
      finding: `has ${ip}, and nobody announces it: no speaker is ready on ${planned.order.join(', ')}`,
      evidence: speakers.length === 0 ? ['no pod component=speaker'] : speakers.map(describePod),
      next: `kubectl get pods -n ${world.namespace} -l component=speaker -o wide`,
    };
  }
  const trouble = lastEvent(world.events, service, ip);
  if (trouble !== undefined && trouble.reason !== 'nodeAssigned') {
    return {
      level: trouble.reason === 'AddressNotOnNetwork' ? 'warning' : 'problem',
      subject,
      finding: trouble.message ?? '',
      evidence: [`event ${trouble.reason ?? ''} of ${trouble.source?.host ?? 'a speaker'}, ${timeOf(trouble)}`],
      next: nextFor(trouble.reason ?? '', service, ip),
    };
  }
  const name = addressLeaseName(ip);
  const owner = holderOf(world.leases.find(({ metadata }) => metadata.name === name));
  if (owner !== '') return { level: 'ok', subject, finding: `has ${ip}, announced from node "${owner}"`, evidence: [] };
  return {
    level: 'problem',
    subject,
    finding: `has ${ip}, and no node has taken it: the interfaces of the speakers' nodes may be down`,
    evidence: [`Lease ${world.namespace}/${name} has no holder`, ...speakers.map(describePod)],
    next: `kubectl logs -n ${world.namespace} -l component=speaker`,
  };
}

const TOLD_BY_SPEAKERS = ['nodeAssigned', 'AddressInUse', 'announceFailed', 'AddressNotOnNetwork'];

/** What a speaker said last about the service's address. */
function lastEvent(events: readonly CoreEvent[], service: Service, ip: string): CoreEvent | undefined {
  const { name, namespace, uid } = service.metadata;
  const own = events.filter(({ involvedObject, reason = '', message = '' }) => {
    const isIts = involvedObject.name === name && involvedObject.namespace === namespace;
    const isAbout = reason === 'nodeAssigned' || message.includes(ip);
    return isIts && (involvedObject.uid ?? uid) === uid && TOLD_BY_SPEAKERS.includes(reason) && isAbout;
  });
  // Times have whole seconds: what is said about an announcement comes after it.
  const place = (one: CoreEvent): string => `${timeOf(one)} ${one.reason === 'nodeAssigned' ? 0 : 1}`;
  return own.toSorted((left, right) => compareText(place(left), place(right))).at(-1);
}

function timeOf({ lastTimestamp, firstTimestamp, metadata }: CoreEvent): string {
  return lastTimestamp ?? firstTimestamp ?? metadata.creationTimestamp ?? '';
}

function nextFor(reason: string, service: Service, ip: string): string {
  if (reason === 'AddressInUse') return `arping -D -I eth0 ${ip}   (from a host of that network: who answers has it)`;
  return `kubectl describe service -n ${service.metadata.namespace ?? ''} ${service.metadata.name ?? ''}`;
}
