/** Owns what an explanation is made from: the objects of a cluster, and what the load balancer makes of them. */
import type { ConfigMap, CoreEvent, EndpointSlice, KubeObject, Lease, NodeObject, Service } from '@kfctl/kube';
import type { Allocator } from '../allocate/allocator.ts';
import type { Surroundings } from '../controller/converge-service.ts';
import type { Configuration, PoolObject } from '../pools/configuration.ts';
import type { PlannedAddress } from '../speaker/plan-addresses.ts';
import type { ExplainedPod } from './finding.ts';

/** The objects of a cluster; everything is of all namespaces unless said otherwise. */
export interface BalancerWorld {
  /** Of the load balancer. */
  readonly namespace: string;
  readonly loadBalancerClass: string;
  readonly configMap?: ConfigMap;
  readonly pools: readonly PoolObject[];
  readonly advertisements: readonly PoolObject[];
  readonly services: readonly Service[];
  readonly slices: readonly EndpointSlice[];
  readonly nodes: readonly NodeObject[];
  readonly namespaces: readonly KubeObject[];
  /** Of the load balancer's namespace. */
  readonly pods: readonly ExplainedPod[];
  /** Of the load balancer's namespace. */
  readonly leases: readonly Lease[];
  readonly events: readonly CoreEvent[];
}

export interface ServiceContext {
  readonly world: BalancerWorld;
  readonly configuration: Configuration;
  /** With everything that the statuses say. */
  readonly allocator: Allocator;
  readonly plan: ReadonlyMap<string, PlannedAddress>;
  readonly surroundings: Surroundings;
}

export function podsOf({ pods }: BalancerWorld, component: string): readonly ExplainedPod[] {
  return pods.filter(({ metadata }) => {
    return metadata.labels?.['app'] === 'metallb' && metadata.labels['component'] === component;
  });
}
