/** Owns ReplicaSets: as many pods of the template as `replicas` says. */
import { resources, withCondition } from '@kfctl/kube';
import type { KubeObject, ObjectKey, ReconcileResult, Workload } from '@kfctl/kube';
import { describeError } from '@kfctl/core';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { matchesLabelSelector } from '../../registry/selectors.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { claimObjects, controllerKey, controllerOf } from '../workload/ownership.ts';
import { createPod, deletePod } from '../workload/pod-control.ts';
import { compareForDeletion, isPodActive, isPodReady, untilAvailableMs } from '../workload/pod-facts.ts';
import { podFromTemplate } from '../workload/template.ts';
import { writeStatus } from '../workload/write-status.ts';

const COMPONENT = 'replicaset-controller';
/** More are made in the next round. */
const BURST = 100;

export function replicaSetController(deps: ControllerDeps): Controller {
  const sets = deps.informers.of(resources.replicaSets);
  const ofOwner = controllerKey('ReplicaSet');
  return {
    name: 'replicaset',
    watches: [
      { type: resources.replicaSets },
      {
        type: localPods,
        keys: (pod) =>
          controllerOf(pod) === undefined ? matching(sets.list(pod.metadata.namespace), pod) : ofOwner(pod),
      },
    ],
    reconcile: (key) => reconcile(deps, key),
  };
}

function matching(sets: readonly Workload[], pod: KubeObject): ObjectKey[] {
  return sets
    .filter(({ spec }) => matchesLabelSelector(spec?.selector, pod.metadata.labels))
    .map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<ReconcileResult | undefined> {
  const set = await deps.client.get(resources.replicaSets, name, { namespace });
  if (set === undefined) return undefined;
  const pods = (await claimObjects(deps, { type: localPods, owner: set, selector: set.spec?.selector })).filter(
    isPodActive,
  );
  let failure: unknown;
  let made: LocalPod[] = [];
  if (set.metadata.deletionTimestamp === undefined) {
    const outcome = await scale(deps, set, pods);
    ({ failure, made } = outcome);
  }
  const later = await tellStatus(deps, set, { pods: [...pods, ...made], failure });
  if (failure !== undefined) throw failure;
  return later;
}

interface ScaleOutcome {
  readonly made: LocalPod[];
  readonly failure: unknown;
}

async function scale(deps: ControllerDeps, set: Workload, pods: LocalPod[]): Promise<ScaleOutcome> {
  const owner = { object: set, component: COMPONENT };
  const missing = (set.spec?.replicas ?? 1) - pods.length;
  if (missing < 0) {
    const surplus = pods.toSorted(compareForDeletion).slice(0, Math.min(-missing, BURST));
    await Promise.all(surplus.map((pod) => deletePod(deps, owner, pod)));
    for (const pod of surplus) pods.splice(pods.indexOf(pod), 1);
    return { made: [], failure: undefined };
  }
  const wanted = Array.from({ length: Math.min(missing, BURST) }, () => podFromTemplate(set, set.spec?.template));
  const results = await Promise.allSettled(wanted.map((pod) => createPod(deps, owner, pod)));
  const made = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  return { made, failure: failed?.reason };
}

async function tellStatus(
  deps: ControllerDeps,
  set: Workload,
  { pods, failure }: { readonly pods: readonly LocalPod[]; readonly failure: unknown },
): Promise<ReconcileResult | undefined> {
  const now = deps.now();
  const minReadySeconds = Number(set.spec?.['minReadySeconds'] ?? 0);
  const waits = pods.map((pod) => untilAvailableMs(pod, minReadySeconds, now));
  const labels = set.spec?.template?.metadata?.labels ?? {};
  const isFull = (pod: LocalPod): boolean =>
    Object.entries(labels).every(([key, value]) => pod.metadata.labels?.[key] === value);
  const others = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure');
  const failed = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: describeError(failure) };
  const status = {
    replicas: pods.length,
    fullyLabeledReplicas: pods.filter(isFull).length,
    readyReplicas: pods.filter(isPodReady).length,
    availableReplicas: waits.filter((wait) => wait === 0).length,
    observedGeneration: set.metadata.generation ?? 0,
    conditions: failure === undefined ? others : withCondition(set.status?.conditions, failed, now),
  };
  await writeStatus(deps, resources.replicaSets, { object: set, status: orAbsent(status) });
  const next = waits.filter((wait) => wait !== undefined && wait > 0);
  return next.length === 0 ? undefined : { requeueAfterMs: Math.min(...next.map((wait) => wait ?? 0)) + 50 };
}

/** Zero and empty read as absent, as the API server stores them. */
function orAbsent(status: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const isEmpty = (value: unknown): boolean => value === 0 || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(
    Object.entries(status).map(([key, value]) => [key, key !== 'replicas' && isEmpty(value) ? null : value]),
  );
}
