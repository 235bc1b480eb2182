/** Owns the resources of the named built-in groups, with the fields that the platform reads. */
import type { KubeObject, ResourceType, UnknownObject } from '../client/object.ts';
import type { Condition } from '../conditions/conditions.ts';
import type { ObjectReference } from './core.ts';
import { defineResource } from './define-resource.ts';

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface WorkloadStatus {
  observedGeneration?: number;
  replicas?: number;
  readyReplicas?: number;
  updatedReplicas?: number;
  availableReplicas?: number;
  conditions?: Condition[];
}

export interface PodTemplate {
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: Record<string, unknown>;
}

export interface Workload extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector; template?: PodTemplate; [field: string]: unknown };
  status?: WorkloadStatus & Record<string, unknown>;
}

export interface Lease extends KubeObject {
  spec?: {
    holderIdentity?: string;
    leaseDurationSeconds?: number;
    acquireTime?: string;
    renewTime?: string;
    leaseTransitions?: number;
  };
}

export interface Subject {
  kind: 'User' | 'Group' | 'ServiceAccount';
  name: string;
  namespace?: string;
  apiGroup?: string;
}

export interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

export interface Role extends KubeObject {
  rules?: PolicyRule[];
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}

export interface RoleBinding extends KubeObject {
  subjects?: Subject[];
  roleRef: { apiGroup: string; kind: 'Role' | 'ClusterRole'; name: string };
}

export interface SubjectAccessReview extends KubeObject {
  spec: {
    user?: string;
    groups?: string[];
    uid?: string;
    resourceAttributes?: {
      namespace?: string;
      verb: string;
      group?: string;
      version?: string;
      resource: string;
      subresource?: string;
      name?: string;
    };
    nonResourceAttributes?: { path: string; verb: string };
  };
  status?: { allowed?: boolean; denied?: boolean; reason?: string };
}

export interface TokenReview extends KubeObject {
  spec: { token: string; audiences?: string[] };
  status?: {
    authenticated?: boolean;
    user?: { username?: string; groups?: string[]; uid?: string };
    audiences?: string[];
    error?: string;
  };
}

export interface EndpointSlice extends KubeObject {
  addressType?: string;
  endpoints?: {
    addresses: string[];
    conditions?: { ready?: boolean; serving?: boolean; terminating?: boolean };
    hostname?: string;
    nodeName?: string;
    targetRef?: ObjectReference;
  }[];
  ports?: { name?: string; port?: number; protocol?: string; appProtocol?: string }[];
}

const rbac = 'rbac.authorization.k8s.io/v1';
const cluster = { namespaced: false } as const;

export const deployments: ResourceType<Workload> = defineResource('apps/v1', 'Deployment', { plural: 'deployments' });
export const replicaSets: ResourceType<Workload> = defineResource('apps/v1', 'ReplicaSet', { plural: 'replicasets' });
export const statefulSets: ResourceType<Workload> = defineResource('apps/v1', 'StatefulSet', {
  plural: 'statefulsets',
});
export const daemonSets: ResourceType<Workload> = defineResource('apps/v1', 'DaemonSet', { plural: 'daemonsets' });
export const jobs: ResourceType<UnknownObject> = defineResource('batch/v1', 'Job', { plural: 'jobs' });
export const leases: ResourceType<Lease> = defineResource('coordination.k8s.io/v1', 'Lease', { plural: 'leases' });
export const endpointSlices: ResourceType<EndpointSlice> = defineResource('discovery.k8s.io/v1', 'EndpointSlice', {
  plural: 'endpointslices',
});
export const roles: ResourceType<Role> = defineResource(rbac, 'Role', { plural: 'roles' });
export const roleBindings: ResourceType<RoleBinding> = defineResource(rbac, 'RoleBinding', { plural: 'rolebindings' });
export const clusterRoles: ResourceType<Role> = defineResource(rbac, 'ClusterRole', {
  plural: 'clusterroles',
  ...cluster,
});
export const clusterRoleBindings: ResourceType<RoleBinding> = defineResource(rbac, 'ClusterRoleBinding', {
  plural: 'clusterrolebindings',
  ...cluster,
});
export const subjectAccessReviews: ResourceType<SubjectAccessReview> = defineResource(
  'authorization.k8s.io/v1',
  'SubjectAccessReview',
  {
    plural: 'subjectaccessreviews',
    ...cluster,
  },
);
export const tokenReviews: ResourceType<TokenReview> = defineResource('authentication.k8s.io/v1', 'TokenReview', {
  plural: 'tokenreviews',
  ...cluster,
});
export const customResourceDefinitions: ResourceType<UnknownObject> = defineResource(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  { plural: 'customresourcedefinitions', ...cluster },
);
export const networkPolicies: ResourceType<UnknownObject> = defineResource('networking.k8s.io/v1', 'NetworkPolicy', {
  plural: 'networkpolicies',
});
export const storageClasses: ResourceType<UnknownObject> = defineResource('storage.k8s.io/v1', 'StorageClass', {
  plural: 'storageclasses',
  ...cluster,
});
