/** Owns the explanation why no node may announce an address: endpoints, traffic policy, advertisements, nodes. */
import { isConditionTrue } from '@kfctl/kube';
import type { EndpointSlice, NodeObject, Service } from '@kfctl/kube';
import { serviceKey } from '../controller/service-wish.ts';
import { planAddresses } from '../speaker/plan-addresses.ts';
import type { Finding } from './finding.ts';
import type { ServiceContext } from './world.ts';

export function explainSilentPlan(service: Service, ip: string, context: ServiceContext): Finding {
  const subject = `Service ${serviceKey(service)}`;
  const { name = '', namespace = '' } = service.metadata;
  const endpoints = endpointsOf(service, context.world.slices);
  const ready = endpoints.filter(({ isReady }) => isReady);
  const selector = Object.entries(service.spec?.selector ?? {}).map(([label, value]) => `${label}=${value}`);
  const pods = `kubectl get pods -n ${namespace} ${selector.length === 0 ? '' : `-l ${selector.join(',')} `}-o wide`;
  if (ready.length === 0) {
    const evidence =
      endpoints.length === 0
        ? [selector.length === 0 ? 'the service selects no pods' : `no pod with ${selector.join(', ')}`]
        : endpoints.map(({ address, node }) => `endpoint ${address} on ${node}: not ready`);
    const finding = `has ${ip}, and nobody announces it: no endpoint is ready, nobody would serve`;
    return { level: 'problem', subject, finding, evidence, next: pods };
  }
  const evidence = ready.map(({ address, node }) => `endpoint ${address} on ${node}`);
  if (isHeldByPolicy(service, ip, context)) {
    const finding = `has ${ip}, and nobody announces it: externalTrafficPolicy is Local, and no node that may announce has one of its pods`;
    return {
      level: 'problem',
      subject,
      finding,
      evidence: [...evidence, ...nodeTexts(context.world.nodes)],
      next: pods,
    };
  }
  const nodes = nodeTexts(context.world.nodes);
  const candidates = context.world.nodes.filter(isAble);
  const finding =
    candidates.length === 0
      ? `has ${ip}, and nobody announces it: every node is excluded or without network`
      : `has ${ip}, and nobody announces it: no L2Advertisement takes in its pool, the service and a node`;
  const next =
    candidates.length === 0
      ? 'kubectl get nodes --show-labels'
      : `kubectl get l2advertisements -n ${context.world.namespace} -o yaml   # of ${name}'s pool`;
  return { level: 'problem', subject, finding, evidence: nodes, next };
}

/** True when some node would announce it if only the policy were Cluster. */
function isHeldByPolicy(service: Service, ip: string, { world, configuration }: ServiceContext): boolean {
  const changed: Service = { ...service, spec: { ...service.spec, externalTrafficPolicy: 'Cluster' } };
  const plan = planAddresses({ ...world, configuration, services: [changed], ignoreExcludeLabel: false });
  return (plan.get(ip)?.order.length ?? 0) > 0;
}

interface Endpoint {
  readonly address: string;
  readonly node: string;
  readonly isReady: boolean;
}

function endpointsOf(service: Service, slices: readonly EndpointSlice[]): readonly Endpoint[] {
  const { name, namespace } = service.metadata;
  return slices
    .filter(
      ({ metadata }) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name,
    )
    .flatMap(({ endpoints }) => endpoints ?? [])
    .map(({ addresses, nodeName, conditions }) => ({
      address: addresses[0] ?? '',
      node: nodeName ?? 'no node',
      isReady: conditions?.ready !== false || conditions.serving === true,
    }));
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

function isAble({ metadata, status }: NodeObject): boolean {
  return metadata.labels?.[EXCLUDED] === undefined && !isConditionTrue(status?.conditions, 'NetworkUnavailable');
}

function nodeTexts(nodes: readonly NodeObject[]): readonly string[] {
  return nodes.map((node) => {
    const { labels, name = '' } = node.metadata;
    if (labels?.[EXCLUDED] !== undefined) return `node ${name}: excluded by the label ${EXCLUDED}`;
    return `node ${name}: ${isAble(node) ? 'may announce' : 'its network is unavailable'}`;
  });
}
