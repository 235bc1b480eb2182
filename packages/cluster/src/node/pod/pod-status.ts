/** Owns the status of a pod: what the node tells the API server about it. Pure. */
import { withCondition } from '@kfctl/kube';
import type { Condition } from '@kfctl/kube';
import { isInitialized, podPhase } from './pod-phase.ts';
import type { PodPhase, StatusOfContainers } from './pod-phase.ts';
import type { FullContainerStatus, LocalPod, PodStatus } from './pod-spec.ts';

export interface StatusParts {
  readonly pod: LocalPod;
  readonly containers: StatusOfContainers;
  readonly podIp: string;
  readonly hostIp: string;
  readonly startTime: string;
  /** True once the volumes are mounted and the containers may start. */
  readonly isPrepared: boolean;
  /** Why the node ended the pod. */
  readonly failure?: { readonly reason: string; readonly message: string };
  readonly now: Date;
}

export function renderPodStatus(parts: StatusParts): PodStatus {
  const { pod, containers, podIp, hostIp, startTime, failure } = parts;
  const phase = failure === undefined ? podPhase(pod.spec, containers) : 'Failed';
  return {
    phase,
    reason: failure?.reason ?? null,
    message: failure?.message ?? null,
    conditions: renderConditions(parts, phase),
    hostIP: hostIp,
    hostIPs: [{ ip: hostIp }],
    podIP: podIp,
    podIPs: [{ ip: podIp }],
    startTime,
    qosClass: pod.status?.qosClass ?? qosClass(pod),
    containerStatuses: [...containers.main],
    ...(containers.init.length === 0 ? {} : { initContainerStatuses: [...containers.init] }),
  };
}

function renderConditions({ pod, containers, isPrepared, now }: StatusParts, phase: PodPhase): Condition[] {
  const initialized = isInitialized(pod.spec, containers.init) || phase === 'Succeeded';
  const ready = readiness(containers.main, phase);
  const gates = (pod.spec.readinessGates ?? []).every(({ conditionType }) =>
    pod.status?.conditions?.some(({ type, status }) => type === conditionType && status === 'True'),
  );
  const podReady: Omit<Condition, 'type'> =
    ready.status === 'True' && !gates ? { status: 'False', reason: 'ReadinessGatesNotReady' } : ready;
  const wanted: Condition[] = [
    {
      type: 'PodReadyToStartContainers',
      status: isPrepared && phase !== 'Succeeded' && phase !== 'Failed' ? 'True' : 'False',
    },
    initialized
      ? { type: 'Initialized', status: 'True' }
      : { type: 'Initialized', status: 'False', ...unfinished(containers.init) },
    { type: 'Ready', ...podReady },
    { type: 'ContainersReady', ...ready },
    { type: 'PodScheduled', status: 'True' },
  ];
  return wanted.reduce<Condition[]>(
    (list, condition) => withCondition(list, condition, now),
    pod.status?.conditions ?? [],
  );
}

function unfinished(init: readonly FullContainerStatus[]): Omit<Condition, 'type' | 'status'> {
  const names = init.filter(({ state }) => state.terminated?.exitCode !== 0).map(({ name }) => name);
  return { reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${names.join(' ')}]` };
}

function readiness(main: readonly FullContainerStatus[], phase: PodPhase): Omit<Condition, 'type'> {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' };
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' };
  const names = main.filter(({ ready }) => !ready).map(({ name }) => name);
  if (names.length === 0) return { status: 'True' };
  return {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${names.join(' ')}]`,
  };
}

/** Guaranteed: every container limits cpu and memory and requests just that; BestEffort: none asks for anything. */
export function qosClass(pod: LocalPod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  const asks = containers.some(({ resources }) => resources?.limits !== undefined || resources?.requests !== undefined);
  if (!asks) return 'BestEffort';
  const exact = containers.every(({ resources }) =>
    ['cpu', 'memory'].every((name) => {
      const limit = resources?.limits?.[name];
      return limit !== undefined && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return exact ? 'Guaranteed' : 'Burstable';
}

/** True when the API server knows all of this already. */
export function isKnownStatus(status: PodStatus, present: PodStatus | undefined): boolean {
  return Object.entries(status).every(([field, value]) => {
    const known = present?.[field as keyof PodStatus] ?? null;
    return canonical(value) === canonical(known);
  });
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return `{${entries
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${key}:${canonical(item)}`)
    .join(',')}}`;
}
