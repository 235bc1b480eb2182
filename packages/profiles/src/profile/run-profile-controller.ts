/** Owns the wiring of the profile controller: what it watches and which profile a change concerns. */
import { createInformer, resources, runReconciler } from '@kfctl/kube';
import type { Informer, KubeObject, ObjectKey, ResourceType } from '@kfctl/kube';
import { authorizationPolicies } from '../istio/authorization-policy.ts';
import { PART_OF, PROFILE_PART } from './desired-objects.ts';
import type { Profile } from './profile.ts';
import { createProfileReconciler } from './reconcile-profile.ts';
import type { ReconcileProfileDeps } from './reconcile-profile.ts';

export interface ProfileControllerOptions extends ReconcileProfileDeps {
  /** Started by the caller. */
  readonly profiles: Informer<Profile>;
  readonly signal: AbortSignal;
}

const CHILDREN: readonly ResourceType<KubeObject>[] = [
  resources.namespaces,
  resources.serviceAccounts,
  resources.roleBindings,
  resources.resourceQuotas,
  authorizationPolicies,
];

/** Reconciles until the signal aborts. Only what we labelled is watched, so memory follows the workspaces and not the cluster. */
export async function runProfileController(options: ProfileControllerOptions): Promise<void> {
  const { client, log, signal } = options;
  const children = CHILDREN.map((type) =>
    createInformer({ client, type, labelSelector: `${PART_OF}=${PROFILE_PART}`, log }),
  );
  for (const informer of children) informer.start(signal);
  await runReconciler({
    name: 'profiles',
    reconcile: createProfileReconciler(options),
    sources: [{ informer: options.profiles }, ...children.map((informer) => ({ informer, keys: profileOf }))],
    concurrency: 4,
    log,
    signal,
  });
}

function profileOf(child: KubeObject): readonly ObjectKey[] {
  const name = child.metadata.ownerReferences?.find(
    (owner) => owner.kind === 'Profile' && owner.controller === true,
  )?.name;
  return name === undefined ? [] : [{ name, namespace: '' }];
}
