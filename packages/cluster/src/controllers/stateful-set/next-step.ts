/** Owns the order of a StatefulSet's pods: which one is made or removed next. Pure. */
import type { Workload } from '@kfctl/kube';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { isPodFinished, isPodReady } from '../workload/pod-facts.ts';
import { REVISION_LABEL } from '../workload/revisions.ts';
import { firstOrdinal, ordinalOf } from './stateful-pods.ts';

export interface Steps {
  readonly create: readonly number[];
  readonly remove: readonly LocalPod[];
}

const NOTHING: Steps = { create: [], remove: [] };

/**
 * OrderedReady does one thing at a time: pods from the lowest number up, each once the one before is ready; surplus and outdated
 * pods from the highest number down. Parallel does all of the first two at once.
 */
export function nextSteps(set: Workload, pods: readonly LocalPod[], hash: string): Steps {
  const start = firstOrdinal(set);
  const count = set.spec?.replicas ?? 1;
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
  const parallel = set.spec?.['podManagementPolicy'] === 'Parallel';
  const create: number[] = [];
  const remove: LocalPod[] = [];
  for (let ordinal = start; ordinal < start + count; ordinal += 1) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) create.push(ordinal);
    else if (isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined) remove.push(pod);
    else if (isHealthy(pod)) continue;
    if (!parallel) return { create, remove };
  }
  const surplus = [...byOrdinal]
    .filter(([ordinal]) => ordinal < start || ordinal >= start + count)
    .toSorted(([a], [b]) => b - a);
  const removed = surplus.map(([, pod]) => pod);
  if (removed.some(isEnding) && !parallel) return { create, remove };
  remove.push(...(parallel ? removed : removed.slice(0, 1)).filter((pod) => !isEnding(pod)));
  if (create.length + remove.length + removed.length > 0) return { create, remove };
  return outdated(set, { byOrdinal, hash });
}

function outdated(
  set: Workload,
  { byOrdinal, hash }: { readonly byOrdinal: ReadonlyMap<number, LocalPod>; readonly hash: string },
): Steps {
  const strategy = set.spec?.['updateStrategy'] as
    | { type?: string; rollingUpdate?: { partition?: number } }
    | undefined;
  if (strategy?.type === 'OnDelete') return NOTHING;
  const partition = strategy?.rollingUpdate?.partition ?? 0;
  for (const [ordinal, pod] of [...byOrdinal].toSorted(([a], [b]) => b - a)) {
    if (ordinal < partition) return NOTHING;
    if (pod.metadata.labels?.[REVISION_LABEL] !== hash) return isEnding(pod) ? NOTHING : { create: [], remove: [pod] };
    if (!isHealthy(pod)) return NOTHING;
  }
  return NOTHING;
}

function isEnding(pod: LocalPod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

function isHealthy(pod: LocalPod): boolean {
  return isPodReady(pod) && !isEnding(pod);
}
