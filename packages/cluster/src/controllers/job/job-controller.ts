/** Owns Jobs: pods that run to completion, retried with growing pauses up to a limit. */
import { resources, withCondition } from '@kfctl/kube';
import type { Condition, KubeObject, ObjectKey, PodTemplate, ReconcileResult, ResourceType } from '@kfctl/kube';
import { renderTime } from '../../node/container/container-state.ts';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { tell } from '../controller.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { claimObjects, controllerKey } from '../workload/ownership.ts';
import { createPod, deletePod } from '../workload/pod-control.ts';
import { isPodActive, isPodReady } from '../workload/pod-facts.ts';
import { podFromTemplate } from '../workload/template.ts';
import { writeStatus } from '../workload/write-status.ts';

export interface Job extends KubeObject {
  spec?: {
    completions?: number;
    parallelism?: number;
    backoffLimit?: number;
    activeDeadlineSeconds?: number;
    ttlSecondsAfterFinished?: number;
    completionMode?: string;
    suspend?: boolean;
    selector?: unknown;
    template?: PodTemplate;
  };
  status?: {
    active?: number;
    succeeded?: number;
    failed?: number;
    ready?: number;
    startTime?: string;
    completionTime?: string;
    completedIndexes?: string;
    conditions?: Condition[];
  };
}

export const jobs: ResourceType<Job> = resources.jobs as ResourceType<KubeObject> as ResourceType<Job>;

const COMPONENT = 'job-controller';
const RETRY = { initialMs: 10_000, maxMs: 360_000 } as const;
const INDEX = 'batch.kubernetes.io/job-completion-index';

export function jobController(deps: ControllerDeps): Controller {
  return {
    name: 'job',
    watches: [{ type: jobs }, { type: localPods, keys: controllerKey('Job') }],
    reconcile: (key) => reconcile(deps, key),
  };
}

interface Round {
  readonly job: Job;
  readonly active: readonly LocalPod[];
  readonly succeeded: readonly LocalPod[];
  readonly failed: readonly LocalPod[];
  readonly startTime: string;
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<ReconcileResult | undefined> {
  const job = await deps.client.get(jobs, name, { namespace });
  if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
  if (isFinished(job)) return removeLater(deps, job);
  const pods = await claimObjects(deps, { type: localPods, owner: job, selector: job.spec?.selector });
  const inPhase = (phase: string): LocalPod[] => pods.filter(({ status }) => status?.phase === phase);
  const startTime = job.status?.startTime ?? renderTime(deps.now());
  const round: Round = {
    job,
    active: pods.filter(isPodActive),
    succeeded: inPhase('Succeeded'),
    failed: inPhase('Failed'),
    startTime,
  };
  return advance(deps, round);
}

function isFinished({ status }: Job): boolean {
  return (
    status?.conditions?.some(
      (condition) => ['Complete', 'Failed'].includes(condition.type) && condition.status === 'True',
    ) === true
  );
}

async function advance(deps: ControllerDeps, round: Round): Promise<ReconcileResult | undefined> {
  const { job, active } = round;
  const overdueMs = untilOverdue(deps, round);
  const failure = failureOf(round, overdueMs);
  if (failure !== undefined) {
    await Promise.all(active.map((pod) => deletePod(deps, { object: job, component: COMPONENT }, pod)));
    tell(deps, COMPONENT, { object: job, type: 'Warning', ...failure });
    await finish(deps, round, { type: 'Failed', status: 'True', ...failure });
    return undefined;
  }
  const missing = missingIndexes(round);
  if (missing.length === 0 && active.length === 0) {
    tell(deps, COMPONENT, { object: job, type: 'Normal', reason: 'Completed', message: 'Job completed' });
    await finish(deps, round, {
      type: 'Complete',
      status: 'True',
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
    });
    return undefined;
  }
  const pauseMs = await scale(deps, round, missing);
  await tellStatus(deps, round, {});
  const next = [overdueMs, pauseMs].filter((ms) => ms !== undefined);
  return next.length === 0 ? undefined : { requeueAfterMs: Math.min(...next) + 50 };
}

function untilOverdue(deps: ControllerDeps, { job, startTime }: Round): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  return seconds === undefined ? undefined : Math.max(0, Date.parse(startTime) + seconds * 1000 - deps.now().getTime());
}

function failureOf(
  { job, failed, active }: Round,
  overdueMs: number | undefined,
): { reason: string; message: string } | undefined {
  if (overdueMs === 0) return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  const restarts = active
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const tries = Math.max(failed.length, job.status?.failed ?? 0) + restarts;
  return tries > (job.spec?.backoffLimit ?? 6)
    ? { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
    : undefined;
}

/** What has neither succeeded nor is running. Without a number of completions one success is enough and nothing new starts after it. */
function missingIndexes({ job, succeeded, active }: Round): number[] {
  const { completions, completionMode, parallelism = 1 } = job.spec ?? {};
  const done = Math.max(succeeded.length, completionMode === 'Indexed' ? 0 : (job.status?.succeeded ?? 0));
  if (completions === undefined) return done > 0 ? [] : range(Math.max(0, parallelism - active.length));
  if (completionMode !== 'Indexed') return range(Math.max(0, completions - done - active.length));
  const taken = new Set([...succeeded, ...active].map(({ metadata }) => Number(metadata.annotations?.[INDEX] ?? -1)));
  return range(completions).filter((index) => !taken.has(index));
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_item, index) => index);
}

/** Milliseconds until a failed pod may be followed by another, if that is what is waited for. */
async function scale(
  deps: ControllerDeps,
  { job, active, failed }: Round,
  missing: readonly number[],
): Promise<number | undefined> {
  const owner = { object: job, component: COMPONENT };
  if (job.spec?.suspend === true) {
    await Promise.all(active.map((pod) => deletePod(deps, owner, pod)));
    return undefined;
  }
  const room = (job.spec?.parallelism ?? 1) - active.length;
  if (room < 0) {
    await Promise.all(active.slice(room).map((pod) => deletePod(deps, owner, pod)));
    return undefined;
  }
  const wanted = missing.slice(0, room);
  if (wanted.length === 0) return undefined;
  const pauseMs = retryPause(deps, failed);
  if (pauseMs > 0) return pauseMs;
  await Promise.all(wanted.map((index) => createPod(deps, owner, jobPod(job, index))));
  return undefined;
}

function retryPause(deps: ControllerDeps, failed: readonly LocalPod[]): number {
  if (failed.length === 0) return 0;
  const ends = failed.flatMap(({ status }) =>
    (status?.containerStatuses ?? []).map(({ state }) => Date.parse(state.terminated?.finishedAt ?? '') || 0),
  );
  const last = Math.max(0, ...ends);
  const pause = Math.min(RETRY.initialMs * 2 ** (failed.length - 1), RETRY.maxMs);
  return Math.max(0, last + pause - deps.now().getTime());
}

function jobPod(job: Job, index: number): LocalPod {
  if (job.spec?.completionMode !== 'Indexed') return podFromTemplate(job, job.spec?.template);
  const marks = { [INDEX]: String(index) };
  const pod = podFromTemplate(job, job.spec.template, { annotations: marks, labels: marks });
  const variable = { name: 'JOB_COMPLETION_INDEX', value: String(index) };
  const containers = pod.spec.containers.map((container) => ({
    ...container,
    env: [...(container.env ?? []), variable],
  }));
  return {
    ...pod,
    metadata: { ...pod.metadata, generateName: `${job.metadata.name ?? ''}-${index}-` },
    spec: { ...pod.spec, containers },
  };
}

async function finish(deps: ControllerDeps, round: Round, condition: Condition): Promise<void> {
  const now = deps.now();
  const before: Condition = {
    ...condition,
    type: condition.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget',
  };
  const conditions = withCondition(withCondition(round.job.status?.conditions, before, now), condition, now);
  const completion = condition.type === 'Complete' ? { completionTime: renderTime(now) } : {};
  await tellStatus(deps, { ...round, active: [] }, { conditions, ...completion });
}

async function tellStatus(deps: ControllerDeps, round: Round, more: Readonly<Record<string, unknown>>): Promise<void> {
  const { job, active, succeeded, failed, startTime } = round;
  const status = {
    startTime,
    active: active.length || null,
    ready: active.filter(isPodReady).length,
    succeeded: Math.max(succeeded.length, job.status?.succeeded ?? 0) || null,
    failed: Math.max(failed.length, job.status?.failed ?? 0) || null,
    ...more,
  };
  await writeStatus(deps, jobs, { object: job, status });
}

async function removeLater(deps: ControllerDeps, job: Job): Promise<ReconcileResult | undefined> {
  const seconds = job.spec?.ttlSecondsAfterFinished;
  if (seconds === undefined) return undefined;
  const end =
    job.status?.completionTime ??
    job.status?.conditions?.find(({ type }) => type === 'Failed')?.lastTransitionTime ??
    '';
  const leftMs = Date.parse(end) + seconds * 1000 - deps.now().getTime();
  if (leftMs > 0) return { requeueAfterMs: leftMs + 50 };
  const { name = '', namespace = '', uid = '' } = job.metadata;
  await deps.client.delete(jobs, name, { namespace, propagation: 'Background', preconditions: { uid } });
  return undefined;
}
