/** Owns the words on why pods are not in service: not scheduled, no image, crashing, or only not there yet. */
import type { Pod, UnknownObject } from '@kfctl/kube';

/** Where a container ended last: the key of `LastWords`. */
export interface EndedContainer {
  readonly pod: Pod;
  readonly container: string;
  readonly restartCount: number;
  /** Another one is to follow: its log is that of the previous container. */
  readonly previous: boolean;
}

/** The last line that an ended container wrote; undefined where it is not known. */
export type LastWords = (ended: Omit<EndedContainer, 'previous'>) => string | undefined;

interface ContainerState {
  readonly running?: object;
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

/** Containers that ended with an error and are started again and again. */
export function crashingContainers(pod: Pod): EndedContainer[] {
  return statusesOf(pod).flatMap(({ name = '', restartCount = 0, state, lastState }) => {
    const isNext = state?.waiting?.reason === 'CrashLoopBackOff' && lastState?.terminated !== undefined;
    const hasFailed = (state?.terminated?.exitCode ?? 0) !== 0;
    return isNext || hasFailed ? [{ pod, container: name, restartCount, previous: isNext }] : [];
  });
}

function troublesOf(pod: Pod, lastWords: LastWords): string[] {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (scheduled?.status === 'False') return [`not scheduled: ${scheduled.message ?? 'no node takes it'}`];
  const statuses = statusesOf(pod);
  if (statuses.length === 0) return [pod.status?.message ?? 'its containers are not made yet'];
  const named = statuses.length > 1;
  return statuses
    .filter(({ ready, state }) => ready !== true && state?.terminated?.exitCode !== 0)
    .map((status) => `${named ? `container ${status.name ?? ''}: ` : ''}${containerTrouble(status, pod, lastWords)}`);
}

function statusesOf({ status }: Pod): readonly ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** `CrashLoopBackOff (exit code 3, Error, 2 restarts): cannot start`: the sort of trouble first, because lines are cut at the end. */
function containerTrouble(status: ContainerStatus, pod: Pod, lastWords: LastWords): string {
  const { state, lastState, restartCount = 0, name = '' } = status;
  const { reason, message } = state?.waiting ?? {};
  const ended = state?.terminated ?? lastState?.terminated;
  const sort = reason ?? (state?.terminated === undefined ? 'runs, not ready yet' : 'ended');
  const facts = [
    ...(ended === undefined ? [] : [`exit code ${ended.exitCode ?? '?'}`, ended.reason ?? 'Error']),
    ...(restartCount === 0 ? [] : [`${restartCount} ${restartCount === 1 ? 'restart' : 'restarts'}`]),
  ];
  // The message of a crash loop says only how long the pause is.
  const told = reason === 'CrashLoopBackOff' ? undefined : message;
  // What ended before is past while the next one runs.
  if (state?.running !== undefined) return `${sort}${inParentheses(facts)}`;
  const words = told ?? ended?.message?.trim().split('\n').at(-1) ?? lastWords({ pod, container: name, restartCount });
  return `${sort}${inParentheses(facts)}${words === undefined ? '' : `: ${words}`}`;
}

function inParentheses(facts: readonly string[]): string {
  return facts.length === 0 ? '' : ` (${facts.join(', ')})`;
}
