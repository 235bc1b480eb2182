/** Owns the one table of behaviour by kind. */
import { createCrdStrategy } from '../custom/crd-strategy.ts';
import type { Strategy } from './definition.ts';
import type { ServiceAllocator } from './service-allocator.ts';
import { createServiceStrategy } from './service-strategy.ts';
import {
  bindingStrategy, claimStrategy, configMapStrategy, endpointSliceStrategy, endpointsStrategy, eventStrategy, generationStrategy,
  namespaceStrategy, networkPolicyStrategy, roleStrategy, secretStrategy, storageClassStrategy, upsertStrategy, volumeStrategy,
} from './simple-strategies.ts'; // oxfmt-ignore
import {
  cronJobStrategy, daemonSetStrategy, deploymentStrategy, jobStrategy, podStrategy, replicaSetStrategy, statefulSetStrategy,
} from './workload-strategies.ts'; // oxfmt-ignore

export interface StrategyDeps {
  readonly allocator: ServiceAllocator;
  readonly now: () => Date;
}

/** Behaviour by `group/plural`; a kind without an entry has none of its own. */
export function createStrategies({ allocator, now }: StrategyDeps): Readonly<Record<string, Strategy>> {
  return {
    '/configmaps': configMapStrategy,
    '/endpoints': endpointsStrategy,
    '/events': eventStrategy,
    'events.k8s.io/events': eventStrategy,
    '/namespaces': namespaceStrategy,
    '/persistentvolumeclaims': claimStrategy,
    '/persistentvolumes': volumeStrategy,
    '/pods': podStrategy,
    '/secrets': secretStrategy,
    '/services': createServiceStrategy(allocator),
    '/limitranges': upsertStrategy,
    '/replicationcontrollers': generationStrategy,
    'apps/daemonsets': daemonSetStrategy,
    'apps/deployments': deploymentStrategy,
    'apps/replicasets': replicaSetStrategy,
    'apps/statefulsets': statefulSetStrategy,
    'batch/cronjobs': cronJobStrategy,
    'batch/jobs': jobStrategy,
    'coordination.k8s.io/leases': upsertStrategy,
    'discovery.k8s.io/endpointslices': endpointSliceStrategy,
    'networking.k8s.io/ingresses': generationStrategy,
    'networking.k8s.io/ingressclasses': generationStrategy,
    'networking.k8s.io/networkpolicies': networkPolicyStrategy,
    'policy/poddisruptionbudgets': generationStrategy,
    'rbac.authorization.k8s.io/clusterrolebindings': bindingStrategy,
    'rbac.authorization.k8s.io/clusterroles': roleStrategy,
    'rbac.authorization.k8s.io/rolebindings': bindingStrategy,
    'rbac.authorization.k8s.io/roles': roleStrategy,
    'storage.k8s.io/storageclasses': storageClassStrategy,
    'admissionregistration.k8s.io/mutatingwebhookconfigurations': generationStrategy,
    'admissionregistration.k8s.io/validatingwebhookconfigurations': generationStrategy,
    'apiextensions.k8s.io/customresourcedefinitions': createCrdStrategy(now),
  };
}
