/** Owns StatefulSets: pods with stable names and storage, made and removed in order. */
import { isKubeError, resources } from '@kfctl/kube';
import type { ObjectKey, ReconcileResult, Workload } from '@kfctl/kube';
import { claims } from '../../node/claim-directories.ts';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { claimObjects, controllerKey } from '../workload/ownership.ts';
import { createPod, deletePod } from '../workload/pod-control.ts';
import { isPodReady, untilAvailableMs } from '../workload/pod-facts.ts';
import { ensureRevision, revisionHash, REVISION_LABEL } from '../workload/revisions.ts';
import { writeStatus } from '../workload/write-status.ts';
import { nextSteps } from './next-step.ts';
import { claimsOf, statefulPod } from './stateful-pods.ts';

const COMPONENT = 'statefulset-controller';

export function statefulSetController(deps: ControllerDeps): Controller {
  return {
    name: 'statefulset',
    watches: [{ type: resources.statefulSets }, { type: localPods, keys: controllerKey('StatefulSet') }],
    reconcile: (key) => reconcile(deps, key),
  };
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<ReconcileResult | undefined> {
  const set = await deps.client.get(resources.statefulSets, name, { namespace });
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
  const pods = await claimObjects(deps, { type: localPods, owner: set, selector: set.spec?.selector });
  const inUse = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL] ?? ''));
  const revision = await ensureRevision(deps, set, inUse);
  const hash = revisionHash(revision);
  const { create, remove } = nextSteps(set, pods, hash);
  const owner = { object: set, component: COMPONENT };
  await Promise.all(remove.map((pod) => deletePod(deps, owner, pod)));
  for (const ordinal of create) await createOne(deps, set, { ordinal, hash });
  return tellStatus(deps, set, { pods, hash });
}

async function createOne(
  deps: ControllerDeps,
  set: Workload,
  { ordinal, hash }: { readonly ordinal: number; readonly hash: string },
): Promise<void> {
  for (const claim of claimsOf(set, ordinal)) await ignoreExisting(deps.client.create(claims, claim));
  await ignoreExisting(createPod(deps, { object: set, component: COMPONENT }, statefulPod(set, ordinal, hash)));
}

async function ignoreExisting(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

async function tellStatus(
  deps: ControllerDeps,
  set: Workload,
  { pods, hash }: { readonly pods: readonly LocalPod[]; readonly hash: string },
): Promise<ReconcileResult | undefined> {
  const { name = '', generation = 0 } = set.metadata;
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const updated = alive.filter(({ metadata }) => metadata.labels?.[REVISION_LABEL] === hash);
  const minReadySeconds = Number(set.spec?.['minReadySeconds'] ?? 0);
  const waits = alive.map((pod) => untilAvailableMs(pod, minReadySeconds, deps.now()));
  const updateRevision = `${name}-${hash}`;
  const isDone =
    updated.length === alive.length && alive.length === (set.spec?.replicas ?? 1) && alive.every(isPodReady);
  const known = set.status?.['currentRevision'];
  const currentRevision = isDone || typeof known !== 'string' ? updateRevision : known;
  const status = {
    observedGeneration: generation,
    replicas: pods.length,
    readyReplicas: alive.filter(isPodReady).length,
    availableReplicas: waits.filter((wait) => wait === 0).length,
    currentReplicas: alive.filter(
      ({ metadata }) => `${name}-${metadata.labels?.[REVISION_LABEL] ?? ''}` === currentRevision,
    ).length,
    updatedReplicas: updated.length,
    currentRevision,
    updateRevision,
    collisionCount: 0,
  };
  await writeStatus(deps, resources.statefulSets, { object: set, status });
  const next = waits.flatMap((wait) => (wait === undefined || wait === 0 ? [] : [wait]));
  return next.length === 0 ? undefined : { requeueAfterMs: Math.min(...next) + 50 };
}
