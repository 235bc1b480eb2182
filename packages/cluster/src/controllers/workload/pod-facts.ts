/** Owns the questions that controllers ask about pods. Pure. */
import { findCondition, isConditionTrue } from '@kfctl/kube';
import type { LocalPod } from '../../node/pod/pod-spec.ts';

export function isPodReady(pod: LocalPod): boolean {
  return isConditionTrue(pod.status?.conditions, 'Ready');
}

export function isPodFinished(pod: LocalPod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Counts as a replica. */
export function isPodActive(pod: LocalPod): boolean {
  return pod.metadata.deletionTimestamp === undefined && !isPodFinished(pod);
}

/** Milliseconds until the pod has been ready long enough; 0 when it has, undefined when it is not ready. */
export function untilAvailableMs(pod: LocalPod, minReadySeconds: number, now: Date): number | undefined {
  const ready = findCondition(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds <= 0) return 0;
  const since = Date.parse(ready.lastTransitionTime ?? '') || now.getTime();
  return Math.max(0, since + minReadySeconds * 1000 - now.getTime());
}

/** Those to delete first come first: unscheduled, pending, not ready, with more restarts, younger. */
export function compareForDeletion(a: LocalPod, b: LocalPod): number {
  for (const badness of DELETION_ORDER) {
    const difference = badness(b) - badness(a);
    if (difference !== 0) return difference;
  }
  return 0;
}

const DELETION_ORDER: readonly ((pod: LocalPod) => number)[] = [
  (pod) => (pod.spec.nodeName === undefined ? 1 : 0),
  (pod) => ({ Pending: 2, Unknown: 1 })[pod.status?.phase ?? ''] ?? 0,
  (pod) => (isPodReady(pod) ? 0 : 1),
  (pod) => -Number(pod.metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0,
  (pod) => Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount)),
  (pod) => Date.parse(pod.metadata.creationTimestamp ?? '') || 0,
];
