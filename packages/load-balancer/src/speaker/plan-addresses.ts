/** Owns what should be announced from where, as far as the cluster's objects say: pure, and the same on every node. */
import { compareText } from '@kfctl/core';
import { isConditionTrue } from '@kfctl/kube';
import type { EndpointSlice, NodeObject, Service } from '@kfctl/kube';
import { parseAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { isOurs, serviceKey, sharingKeyOf } from '../controller/service-wish.ts';
import { rankNodes } from '../ownership/election.ts';
import type { Scores } from '../ownership/election.ts';
import type { Advertisement, Configuration } from '../pools/configuration.ts';
import { matchesAny, matchesSelector } from '../pools/label-selector.ts';
import { poolOf } from '../pools/pool.ts';

export interface World {
  readonly configuration: Configuration;
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly nodes: readonly NodeObject[];
  readonly loadBalancerClass: string;
  /** Nodes labelled as excluded from load balancers announce all the same. */
  readonly ignoreExcludeLabel: boolean;
}

export interface PlannedService {
  readonly service: Service;
  readonly key: string;
  /** The nodes that may announce it. */
  readonly nodes: ReadonlySet<string>;
}

export interface PlannedAddress {
  readonly address: Address;
  readonly pool: string;
  readonly services: readonly PlannedService[];
  /** Every node that may announce it, the preferred one first. */
  readonly order: readonly string[];
  /** How much the advertisements prefer a node. */
  readonly scores: Scores;
  /** By node; undefined: all interfaces. */
  readonly interfaces: ReadonlyMap<string, readonly string[] | undefined>;
}

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

export function planAddresses(world: World): ReadonlyMap<string, PlannedAddress> {
  const endpointNodes = readEndpoints(world.slices);
  const candidates = world.nodes.filter((node) => isCandidate(node, world.ignoreExcludeLabel));
  const plan = new Map<string, PlannedAddress>();
  for (const service of world.services.toSorted((left, right) => compareText(serviceKey(left), serviceKey(right)))) {
    if (!isOurs(service, world.loadBalancerClass)) continue;
    for (const { ip = '' } of service.status?.loadBalancer?.ingress ?? []) {
      const planned = planOne({ service, ip, endpointNodes, candidates, configuration: world.configuration });
      if (planned !== undefined) plan.set(planned.address.text, merge(plan.get(planned.address.text), planned));
    }
  }
  return plan;
}

interface Input {
  readonly service: Service;
  readonly ip: string;
  readonly endpointNodes: ReadonlyMap<string, readonly (string | undefined)[]>;
  readonly candidates: readonly NodeObject[];
  readonly configuration: Configuration;
}

function planOne({ service, ip, endpointNodes, candidates, configuration }: Input): PlannedAddress | undefined {
  const address = parseAddress(ip);
  const pool = address === undefined ? undefined : poolOf(configuration.pools, address);
  if (address === undefined || pool === undefined) return undefined;
  const key = serviceKey(service);
  const endpoints = endpointNodes.get(key) ?? [];
  // Without an endpoint anywhere the address would attract traffic that nobody serves.
  const serving =
    endpoints.length === 0
      ? []
      : service.spec?.externalTrafficPolicy === 'Local'
        ? candidates.filter((node) => endpoints.includes(node.metadata.name))
        : candidates;
  const adverts = configuration.advertisements.filter(({ pools, serviceSelectors }) => {
    return pools.has(pool.name) && isForService(serviceSelectors, service);
  });
  const interfaces = new Map<string, readonly string[] | undefined>();
  const scores = new Map<string, number>();
  for (const node of serving) {
    const mine = adverts.filter(({ nodeSelectors }) => isForNode(nodeSelectors, node));
    const name = node.metadata.name ?? '';
    if (mine.length > 0) interfaces.set(name, unionOf(mine));
    scores.set(name, scoreOf(mine, node));
  }
  const nodes = new Set(interfaces.keys());
  const order = rankNodes(nodes, address.text, scores);
  return { address, pool: pool.name, services: [{ service, key, nodes }], order, scores, interfaces };
}

/** An address that several services share cannot be announced for some of them: then a selection of services names none of them. */
function isForService(selectors: Advertisement['serviceSelectors'], service: Service): boolean {
  if (selectors.length === 0) return true;
  return sharingKeyOf(service) === '' && matchesAny(selectors, service.metadata.labels ?? {});
}

function scoreOf(adverts: readonly Advertisement[], { metadata }: NodeObject): number {
  return adverts
    .flatMap(({ preferences }) => preferences)
    .filter(({ selector }) => matchesSelector(selector, metadata.labels ?? {}))
    .reduce((sum, { weight }) => sum + weight, 0);
}

/** Services that share an address are announced from one node. */
function merge(present: PlannedAddress | undefined, more: PlannedAddress): PlannedAddress {
  if (present === undefined) return more;
  const interfaces = new Map(present.interfaces);
  for (const [node, names] of more.interfaces) {
    const before = interfaces.get(node);
    const either = before === undefined || names === undefined ? undefined : [...new Set([...before, ...names])];
    interfaces.set(node, interfaces.has(node) ? either : names);
  }
  const scores = new Map(present.scores);
  for (const [node, score] of more.scores) scores.set(node, Math.max(score, scores.get(node) ?? 0));
  return {
    ...present,
    services: [...present.services, ...more.services],
    order: rankNodes(interfaces.keys(), present.address.text, scores),
    scores,
    interfaces,
  };
}

function isCandidate({ metadata, status }: NodeObject, ignoreExcludeLabel: boolean): boolean {
  const excluded = !ignoreExcludeLabel && metadata.labels?.[EXCLUDED] !== undefined;
  return !excluded && !isConditionTrue(status?.conditions, 'NetworkUnavailable');
}

function isForNode(selectors: Advertisement['nodeSelectors'], { metadata }: NodeObject): boolean {
  return selectors.length === 0 || matchesAny(selectors, metadata.labels ?? {});
}

function unionOf(adverts: readonly Advertisement[]): readonly string[] | undefined {
  if (adverts.some(({ interfaces }) => interfaces === undefined)) return undefined;
  return [...new Set(adverts.flatMap(({ interfaces = [] }) => interfaces))];
}

/** The nodes of the endpoints that can serve, by service: ready, or on their way out but still serving. */
function readEndpoints(slices: readonly EndpointSlice[]): ReadonlyMap<string, readonly (string | undefined)[]> {
  const byService = new Map<string, (string | undefined)[]>();
  for (const { metadata, endpoints } of slices) {
    const name = metadata.labels?.['kubernetes.io/service-name'];
    if (name === undefined) continue;
    const key = `${metadata.namespace ?? ''}/${name}`;
    const nodes = (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false || conditions.serving === true)
      .map(({ nodeName }) => nodeName);
    byService.set(key, [...(byService.get(key) ?? []), ...nodes]);
  }
  return byService;
}

/** Loopback addresses never leave the machine: on a laptop's cluster the node itself serves them. */
export function isOnWire({ address }: Pick<PlannedAddress, 'address'>): boolean {
  return address.family === 'IPv4' ? address.value >> 24n !== 127n : address.value !== 1n;
}
