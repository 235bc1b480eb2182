/** Owns one step of a delete: its objects, all objects of its kinds and what belongs to them go, and are awaited. */
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, OwnerReference, ResourceType, UnknownObject } from '@kfctl/kube';
import { PARALLEL } from '../apply/apply-waves.ts';
import { runBounded } from '../apply/run-bounded.ts';
import { throwIfInterrupted } from '../apply/time-limit.ts';
import { waitFor } from '../apply/wait-for.ts';
import type { Waiting } from '../apply/wait-for.ts';
import { kfctlError } from '../errors.ts';
import { describeId, groupOf, idOf, keyOfId } from '../plan/object-id.ts';
import type { ObjectId } from '../plan/object-id.ts';
import { goneCheck, nextStep } from './gone.ts';
import type { Step } from './steps.ts';

export interface StepInput {
  readonly client: KubeClient;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** `performance.now()` when patience ends. */
  readonly deadline: number;
  readonly onDeleted: (text: string) => void;
  /** Told after every change: what is still there, and why. */
  readonly onWaiting: (pending: readonly Waiting[]) => void;
}

interface Target {
  readonly id: ObjectId;
  readonly type: ResourceType;
  readonly uid: string | undefined;
  readonly note: string;
}

/** Gives what was deleted (or would be), as people say it. Throws `DELETE_FAILED` with everything that is still there and why. */
export async function deleteStep(step: Step, input: StepInput): Promise<string[]> {
  const { client } = input;
  input.signal.throwIfAborted();
  const members = step.members.map(({ entry, type, object }) => ({ ...toTarget(object, type, ''), id: entry }));
  const known = new Set(members.map(({ id }) => keyOfId(id)));
  const instances = await runBounded(step.kinds, PARALLEL, async (type) =>
    (await client.list(type)).items.map((object) => toTarget(object, type, ' (goes with its kind)')),
  );
  const targets = [...members, ...instances.flat().filter(({ id }) => !known.has(keyOfId(id)))];
  await deleteTargets(targets, input);
  const dependents = await deleteDependents(step, targets, input);
  if (!input.dryRun) await requireGone([...targets, ...dependents], input);
  // Pods are no news: everybody knows that they go with their workload.
  return [...targets, ...dependents.filter(({ type }) => !type.namespaced)].map(({ id }) => describeId(id));
}

/**
 * Deletes what belongs to the targets, kind by kind. The garbage collector would, too, but not when it does not know the owners' kind yet
 * (it looks for new kinds every 30 s) or while a kind that cannot be read stops it altogether.
 */
async function deleteDependents(step: Step, targets: readonly Target[], input: StepInput): Promise<Target[]> {
  const owners = new Set(targets.flatMap(({ uid }) => uid ?? []));
  const namespaces = new Set(targets.map(({ id }) => id.namespace));
  const found: Target[] = [];
  for (const type of step.dependents) {
    const places = type.namespaced ? [...namespaces].map((namespace) => ({ namespace })) : [{}];
    const lists = await runBounded(places, PARALLEL, async (place) => (await input.client.list(type, place)).items);
    const owned = lists.flat().flatMap((object) => {
      const owner = object.metadata.ownerReferences?.find(
        (reference) => owners.has(reference.uid) || isOfKinds(reference, step.kinds),
      );
      return owner === undefined ? [] : [toTarget(object, type, ` (goes with ${owner.kind} ${owner.name})`)];
    });
    for (const { uid } of owned) if (uid !== undefined) owners.add(uid);
    await deleteTargets(owned, input);
    found.push(...owned);
  }
  return found;
}

/** True for an owner whose kind goes as a whole: it may be gone since an earlier try, and what it owned not yet. */
function isOfKinds({ apiVersion, kind }: OwnerReference, kinds: readonly ResourceType[]): boolean {
  return kinds.some((type) => type.kind === kind && type.group === groupOf(apiVersion));
}

async function deleteTargets(targets: readonly Target[], { client, dryRun, onDeleted }: StepInput): Promise<void> {
  await runBounded(targets, PARALLEL, async ({ id, type, uid, note }) => {
    const place = type.namespaced ? { namespace: id.namespace } : {};
    const same = uid === undefined ? {} : { preconditions: { uid } };
    try {
      if (!dryRun) await client.delete(type, id.name, { ...place, ...same });
    } catch (error) {
      // Gone, and somebody has made one of the same name since.
      if (!isKubeError(error, 'Conflict')) throw error;
    }
    onDeleted(`${describeId(id)}${note}`);
  });
}

async function requireGone(targets: readonly Target[], input: StepInput): Promise<void> {
  const left = await waitFor(
    input.client,
    targets.map(({ id, type, uid }) => ({ id, type, check: goneCheck(id.kind, uid) })),
    { timeoutMs: Math.max(1, input.deadline - performance.now()), signal: input.signal, onProgress: input.onWaiting },
  );
  throwIfInterrupted(input.signal);
  if (left.length === 0) return;
  const lines = left.map(
    ({ id, readiness }) => `  - ${describeId(id)}: ${readiness.kind === 'ready' ? '' : readiness.reason}`,
  );
  throw kfctlError('DELETE_FAILED', `still there:\n${lines.join('\n')}`, { hint: nextStep(left) });
}

/** Lists leave kind and version out of their items. */
function toTarget(object: UnknownObject, type: ResourceType, note: string): Target {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  return { id: idOf({ ...object, kind: type.kind, apiVersion }), type, uid: object.metadata.uid, note };
}
