/** Owns what a profile means in objects; pure. The names are what clients and scripts of Kubeflow rely on. */
import { resources } from '@kfctl/kube';
import type {
  KubeObject,
  Namespace,
  ObjectMeta,
  OwnerReference,
  ResourceQuota,
  ResourceType,
  RoleBinding,
  ServiceAccount,
} from '@kfctl/kube';
import { authorizationPolicies, ownerPolicy } from '../istio/authorization-policy.ts';
import type { IstioNames } from '../istio/authorization-policy.ts';
import type { Profile } from './profile.ts';

export const PART_OF = 'app.kubernetes.io/part-of';
export const PROFILE_PART = 'kubeflow-profile';
export const OWNER_POLICY = 'ns-owner-access-istio';
export const OWNER_BINDING = 'namespaceAdmin';
export const QUOTA = 'kf-resource-quota';

/** Labels that the namespace gets where it does not have them; a value set by hand stays. */
const NAMESPACE_LABELS: Readonly<Record<string, string>> = {
  'istio-injection': 'enabled',
  'katib.kubeflow.org/metrics-collector-injection': 'enabled',
  'pipelines.kubeflow.org/enabled': 'true',
  'serving.kubeflow.org/inferenceservice': 'enabled',
};

/** One object and how to write it. */
export interface Desired<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  readonly object: T;
}

export interface DesiredInput {
  readonly profile: Profile;
  readonly owner: string;
  readonly istio: IstioNames;
}

export function desiredNamespace({ profile, owner }: DesiredInput, present: Namespace | undefined): Namespace {
  const labels = present?.metadata.labels ?? {};
  const missing = Object.entries(NAMESPACE_LABELS).filter(([label]) => labels[label] === undefined);
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: nameOf(profile),
      annotations: { owner },
      // The label that policies and webhooks of the platform select by is not the user's to change.
      labels: { ...Object.fromEntries(missing), [PART_OF]: PROFILE_PART },
      ownerReferences: [ownerReference(profile)],
    },
  };
}

/** Everything inside the namespace, in the order in which it is made: who may come in before what may run. */
export function desiredChildren(input: DesiredInput): readonly Desired[] {
  const { profile, owner, istio } = input;
  const metadata = (name: string, annotations?: Record<string, string>): ObjectMeta => ({
    name,
    namespace: nameOf(profile),
    labels: { [PART_OF]: PROFILE_PART },
    ownerReferences: [ownerReference(profile)],
    ...(annotations === undefined ? {} : { annotations }),
  });
  const account = (name: string): Desired<ServiceAccount> => ({
    type: resources.serviceAccounts,
    object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata(name) },
  });
  const binding = (
    name: string,
    role: string,
    subject: NonNullable<RoleBinding['subjects']>[number],
  ): Desired<RoleBinding> => ({
    type: resources.roleBindings,
    object: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(name, subject.kind === 'User' ? { user: owner, role: 'admin' } : undefined),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
      subjects: [subject],
    },
  });
  const accountSubject = (name: string) => ({ kind: 'ServiceAccount', name, namespace: nameOf(profile) }) as const;
  return [
    {
      type: authorizationPolicies,
      object: ownerPolicy(istio, metadata(OWNER_POLICY, { user: owner, role: 'admin' }), owner),
    },
    account('default-editor'),
    account('default-viewer'),
    binding('default-editor', 'kubeflow-edit', accountSubject('default-editor')),
    binding('default-viewer', 'kubeflow-view', accountSubject('default-viewer')),
    binding(OWNER_BINDING, 'kubeflow-admin', { kind: 'User', name: owner, apiGroup: 'rbac.authorization.k8s.io' }),
    ...desiredQuota(profile, metadata(QUOTA)),
  ];
}

function desiredQuota(profile: Profile, metadata: ObjectMeta): Desired<ResourceQuota>[] {
  const spec = profile.spec?.resourceQuotaSpec;
  if (spec?.hard === undefined || Object.keys(spec.hard).length === 0) return [];
  return [{ type: resources.resourceQuotas, object: { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec } }];
}

function ownerReference(profile: Profile): OwnerReference {
  return {
    apiVersion: profile.apiVersion,
    kind: 'Profile',
    name: nameOf(profile),
    uid: profile.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

function nameOf(profile: Profile): string {
  return profile.metadata.name ?? '';
}
