/**
 * Owns the way from a Profile to its workspace. Steps, each of which may end the round:
 *
 *   objections (name, owner) -> namespace (made, or ours already; anybody else's is refused) -> children -> status
 *
 * Deleting a Profile needs nothing from us: the namespace carries an owner reference, and the garbage collector does the rest.
 */
import { isKubeError, resources, withCondition } from '@kfctl/kube';
import type { Condition, KubeClient, Reconcile, ReconcileResult } from '@kfctl/kube';
import type { Logger } from '@kfctl/core';
import { isUserName } from '../access/user-name.ts';
import type { IstioNames } from '../istio/authorization-policy.ts';
import { desiredChildren, desiredNamespace, QUOTA } from './desired-objects.ts';
import type { DesiredInput } from './desired-objects.ts';
import { differs } from './differs.ts';
import { belongsTo, nameObjection, ownerOf, profiles } from './profile.ts';
import type { Profile } from './profile.ts';
import { writeIfDifferent } from './write-child.ts';

export interface ReconcileProfileDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly istio: IstioNames;
  readonly reservedNamespaces: readonly string[];
  readonly now: () => Date;
}

const FIELD_MANAGER = 'profile-controller';
const FINALIZER = 'profile-finalizer';
const NAMESPACE_ENDING_MS = 2_000;

type Outcome =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly reason: string; readonly message: string; readonly retryMs: number }
  | { readonly kind: 'failed'; readonly reason: string; readonly message: string };

export function createProfileReconciler(deps: ReconcileProfileDeps): Reconcile {
  return async ({ name }) => {
    const profile = await deps.client.get(profiles, name);
    if (profile === undefined) return undefined;
    if (profile.metadata.deletionTimestamp !== undefined) return finish(profile, deps);
    const outcome = await bringAbout(profile, deps);
    await writeStatus(profile, outcome, deps);
    return outcome.kind === 'waiting' ? { requeueAfterMs: outcome.retryMs } : undefined;
  };
}

async function bringAbout(profile: Profile, deps: ReconcileProfileDeps): Promise<Outcome> {
  const name = profile.metadata.name ?? '';
  const objection = nameObjection(name, deps.reservedNamespaces);
  if (objection !== undefined) return failed('NameRefused', `the name "${name}" ${objection}`);
  const owner = ownerOf(profile);
  if (owner === undefined || !isUserName(owner))
    return failed('OwnerRefused', 'spec.owner must be a User with the name of one person');
  const input: DesiredInput = { profile, owner, istio: deps.istio };
  const refused = await bringNamespace(input, deps);
  if (refused !== undefined) return refused;
  for (const desired of desiredChildren(input)) await writeIfDifferent(deps.client, desired);
  if (profile.spec?.resourceQuotaSpec?.hard === undefined) await removeQuota(profile, deps);
  return { kind: 'ready' };
}

/** Makes the namespace, or brings ours up to date; the outcome that ends the round when it is not ours. */
async function bringNamespace(input: DesiredInput, deps: ReconcileProfileDeps): Promise<Outcome | undefined> {
  const { profile } = input;
  const name = profile.metadata.name ?? '';
  const present = await deps.client.get(resources.namespaces, name);
  const desired = desiredNamespace(input, present);
  if (present === undefined) {
    // create, not apply: a namespace that somebody makes at this moment must not become ours.
    await deps.client.create(resources.namespaces, desired, { fieldManager: FIELD_MANAGER });
    deps.log.info('workspace created', { profile: name, owner: input.owner });
    return undefined;
  }
  if (present.metadata.deletionTimestamp !== undefined) {
    const message = `the namespace "${name}" is still being deleted`;
    return { kind: 'waiting', reason: 'NamespaceTerminating', message, retryMs: NAMESPACE_ENDING_MS };
  }
  if (!belongsTo(present, profile)) {
    return failed('NamespaceNotOwned', `namespace already exist, but not owned by profile creator ${input.owner}`);
  }
  if (!differs(present, desired)) return undefined;
  const { labels, annotations } = desired.metadata;
  await deps.client.patch(resources.namespaces, name, {
    fieldManager: FIELD_MANAGER,
    patch: { kind: 'merge', body: { metadata: { labels, annotations, uid: present.metadata.uid } } },
  });
  return undefined;
}

async function removeQuota(profile: Profile, { client }: ReconcileProfileDeps): Promise<void> {
  const namespace = profile.metadata.name ?? '';
  const present = await client.get(resources.resourceQuotas, QUOTA, { namespace });
  const { uid } = present?.metadata ?? {};
  if (present === undefined || uid === undefined || !belongsTo(present, profile)) return;
  await client.delete(resources.resourceQuotas, QUOTA, { namespace, preconditions: { uid } });
}

/** Kubeflow's own controller leaves a finalizer for its cloud plugins; a profile taken over from it must not hang on that. */
async function finish(profile: Profile, { client }: ReconcileProfileDeps): Promise<ReconcileResult | undefined> {
  const { finalizers = [], name = '', resourceVersion } = profile.metadata;
  if (!finalizers.includes(FINALIZER)) return undefined;
  const left = finalizers.filter((finalizer) => finalizer !== FINALIZER);
  await client.patch(profiles, name, {
    patch: { kind: 'merge', body: { metadata: { finalizers: left, resourceVersion } } },
  });
  return undefined;
}

function failed(reason: string, message: string): Outcome {
  return { kind: 'failed', reason, message };
}

/** One condition, the present truth: `Successful`, `Failed` or `Unknown`, as clients of Kubeflow read the last one. */
async function writeStatus(profile: Profile, outcome: Outcome, deps: ReconcileProfileDeps): Promise<void> {
  const condition = conditionOf(outcome);
  const present = profile.status?.conditions ?? [];
  const kept = present.filter(({ type }) => type === condition.type);
  const conditions = withCondition(kept, condition, deps.now());
  if (JSON.stringify(conditions) === JSON.stringify(present)) return;
  if (outcome.kind === 'failed')
    deps.log.warn('profile refused', { profile: profile.metadata.name, reason: outcome.reason });
  try {
    await deps.client.patch(profiles, profile.metadata.name ?? '', {
      subresource: 'status',
      patch: { kind: 'merge', body: { status: { conditions } } },
    });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

function conditionOf(outcome: Outcome): Condition {
  switch (outcome.kind) {
    case 'ready':
      return { type: 'Successful', status: 'True', reason: 'Ready', message: '' };
    case 'waiting':
      return { type: 'Unknown', status: 'True', reason: outcome.reason, message: outcome.message };
    case 'failed':
      return { type: 'Failed', status: 'True', reason: outcome.reason, message: outcome.message };
  }
}
