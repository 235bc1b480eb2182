/** Owns the Profile resource: its shape, its names, and which names nobody may take. */
import { defineResource } from '@kfctl/kube';
import type { Condition, KubeObject, ResourceQuota, ResourceType, Subject } from '@kfctl/kube';

export interface Profile extends KubeObject {
  spec?: {
    owner?: Subject;
    plugins?: unknown[];
    resourceQuotaSpec?: ResourceQuota['spec'];
  };
  status?: { conditions?: Condition[] };
}

export const profiles: ResourceType<Profile> = defineResource('kubeflow.org/v1', 'Profile', {
  plural: 'profiles',
  namespaced: false,
});

/** Names of the platform and of what commonly runs beside it: a workspace of that name would be mistaken for it. */
const RESERVED = new Set([
  'auth',
  'cert-manager',
  'default',
  'ingress-nginx',
  'kubeflow',
  'kubeflow-system',
  'kubernetes-dashboard',
  'local-path-storage',
  'metallb-system',
  'monitoring',
  'oauth2-proxy',
]);
const RESERVED_PREFIX = /^(?:kube|istio|knative|openshift|gatekeeper)-/;
const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

/** Why a profile may not have this name, or undefined when it may. */
export function nameObjection(name: string, alsoReserved: readonly string[]): string | undefined {
  if (!DNS_LABEL.test(name)) {
    return 'is not a namespace name: use at most 63 lower-case letters, digits and dashes, beginning and ending with a letter or digit';
  }
  const reserved = RESERVED.has(name) || RESERVED_PREFIX.test(name) || alsoReserved.includes(name);
  return reserved ? 'is reserved for the system' : undefined;
}

/** The owner's user name, or undefined when the profile has no owner that is a person. */
export function ownerOf(profile: Profile): string | undefined {
  const owner = profile.spec?.owner;
  return owner?.kind === 'User' && owner.name !== '' ? owner.name : undefined;
}

/** True when the object was made for this very profile, not for an earlier one of the same name. */
export function belongsTo(object: KubeObject, profile: Profile): boolean {
  const { uid } = profile.metadata;
  return (
    uid !== undefined &&
    object.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.controller === true) === true
  );
}
