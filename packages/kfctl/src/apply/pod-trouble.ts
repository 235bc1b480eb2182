/** Owns the words on why pods are not in service: not scheduled, no image, crashing, or only not there yet. */
import type { Pod, UnknownObject } from '@kfctl/kube';

/** Where a container ended last: the key of `LastWords`. */
export interface EndedContainer {
  readonly pod: Pod;
  readonly container: string;
  readonly restartCount: number;
}

/** The last line that an ended container wrote; undefined where it is not known. */
export type LastWords = (ended: EndedContainer) => string | undefined;

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly reason?: string; readonly exitCode?: number; readonly message?: string };
}

interface ContainerStatus {
  readonly name?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

/** True for the pods that a workload selects; selectors by expressions select none. */
export function isSelected(pod: Pod, workload: UnknownObject): boolean {
  const { matchLabels, matchExpressions } =
    (
      workload['spec'] as
        | { selector?: { matchLabels?: Record<string, string>; matchExpressions?: unknown } }
        | undefined
    )?.selector ?? {};
  if (matchLabels === undefined || matchExpressions !== undefined) return false;
  if (pod.metadata.namespace !== workload.metadata.namespace) return false;
  return Object.entries(matchLabels).every(([label, value]) => pod.metadata.labels?.[label] === value);
}

/** What keeps pods from service, each trouble once; none when all are well. */
export function podTroubles(pods: readonly Pod[], lastWords: LastWords = () => undefined): string[] {
  const current = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const counts = new Map<string, number>();
  for (const pod of current) {
    for (const trouble of troublesOf(pod, lastWords)) counts.set(trouble, (counts.get(trouble) ?? 0) + 1);
  }
  return [...counts].map(([trouble, count]) => (count > 1 ? `${count} pods: ${trouble}` : trouble));
}

/** Containers that ended and are started again and again. */
export function crashingContainers(pod: Pod): EndedContainer[] {
  return statusesOf(pod)
    .filter(
      ({ state, lastState }) => state?.waiting?.reason === 'CrashLoopBackOff' && lastState?.terminated !== undefined,
    )
    .map(({ name = '', restartCount = 0 }) => ({ pod, container: name, restartCount }));
}

function troublesOf(pod: Pod, lastWords: LastWords): string[] {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return [`not scheduled: ${scheduled.message ?? 'no node takes it'}`];
  const statuses = statusesOf(pod);
  if (statuses.length === 0) return [pod.status?.message ?? 'its containers are not made yet'];
  return statuses
    .filter(({ ready, state }) => ready !== true && state?.terminated?.exitCode !== 0)
    .map((status) => `container ${status.name ?? ''}: ${containerTrouble(status, pod, lastWords)}`);
}

function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

function containerTrouble(status: ContainerStatus, pod: Pod, lastWords: LastWords): string {
  const { state, lastState, restartCount = 0, name = '' } = status;
  const { reason, message } = state?.waiting ?? {};
  const crashing = reason === 'CrashLoopBackOff';
  const ended = state?.terminated ?? lastState?.terminated;
  const parts = [reason ?? (state?.terminated === undefined ? 'runs, not ready yet' : 'ended')];
  // The message of a crash loop says only how long the pause is.
  if (message !== undefined && !crashing) parts[0] += ` (${message})`;
  if (ended !== undefined) {
    const words = ended.message?.trim().split('\n').at(-1) ?? lastWords({ pod, container: name, restartCount });
    parts.push(
      `ended with exit code ${ended.exitCode ?? '?'} (${ended.reason ?? 'Error'})${words === undefined ? '' : `: ${words}`}`,
    );
  }
  if (restartCount > 0) parts.push(`${restartCount} ${restartCount === 1 ? 'restart' : 'restarts'}`);
  return parts.join(', ');
}
