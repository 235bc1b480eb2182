/**
 * Owns the reconciliation of one pod on this node: containers follow the spec, the status follows the containers.
 *
 *   volumes ──► init containers ──► containers ⇄ restarts ──► finished
 *      └ deletionTimestamp at any point ──► preStop, SIGTERM, SIGKILL ──► object removed, directory removed
 */
import { describeError } from '@kfctl/core';
import { isKubeError } from '@kfctl/kube';
import type { ReconcileResult } from '@kfctl/kube';
import { terminateContainer } from '../container/lifecycle.ts';
import { keepHostsFile, podAddresses } from '../container/container-environment.ts';
import { isRunning, renderContainerStatus } from '../container/container-state.ts';
import type { ContainerState } from '../container/container-state.ts';
import { startContainer } from '../container/start-container.ts';
import { namespaceObjects } from '../node-deps.ts';
import type { NodeDeps } from '../node-deps.ts';
import { tellEvent } from '../pod-event.ts';
import { prepareVolumes } from '../volumes/prepare-volumes.ts';
import { hasPayload } from '../volumes/file-payload.ts';
import { planStarts } from './next-starts.ts';
import { allContainers } from './pod-runtime.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { localPods } from './pod-spec.ts';
import type { LocalPod } from './pod-spec.ts';
import { isKnownStatus, renderPodStatus } from './pod-status.ts';

const VOLUME_RETRY_MS = 2_000;
/** How often volumes are looked at without a change that asks for it: tokens must be renewed. */
const VOLUME_REFRESH_MS = 300_000;

/** One step towards what the pod wants to be. */
export async function syncPod(
  deps: NodeDeps,
  pod: LocalPod,
  runtime: PodRuntime,
): Promise<ReconcileResult | undefined> {
  const later: number[] = [];
  watchDeadline(deps, pod, { runtime, later });
  const isOver = runtime.failure !== undefined;
  if (isOver) await endContainers(deps, pod, { runtime, graceSeconds: pod.spec.terminationGracePeriodSeconds ?? 30 });
  else if (await prepare(deps, pod, { runtime, later })) await startAll(deps, pod, { runtime, later });
  await writeStatus(deps, pod, runtime);
  return later.length === 0 ? undefined : { requeueAfterMs: Math.max(10, Math.min(...later)) };
}

interface Step {
  readonly runtime: PodRuntime;
  /** Milliseconds after which the pod is to be looked at again. */
  readonly later: number[];
}

function watchDeadline(deps: NodeDeps, pod: LocalPod, { runtime, later }: Step): void {
  const seconds = pod.spec.activeDeadlineSeconds;
  if (seconds === undefined || runtime.failure !== undefined) return;
  const leftMs = Date.parse(runtime.startTime) + seconds * 1000 - deps.now().getTime();
  if (leftMs > 0) return void later.push(leftMs);
  runtime.failure = {
    reason: 'DeadlineExceeded',
    message: 'Pod was active on the node longer than the specified deadline',
  };
}

/** True when the containers may start. Volumes that follow API objects are brought up to date every time. */
async function prepare(deps: NodeDeps, pod: LocalPod, { runtime, later }: Step): Promise<boolean> {
  try {
    await keepHostsFile(deps, runtime, pod);
    runtime.places = await prepareVolumes({
      pod,
      directory: runtime.directory,
      addresses: podAddresses(deps, runtime),
      objects: namespaceObjects(deps, runtime.namespace),
      tokens: deps.tokens,
      claimDirectory: (claim) => deps.claimDirectory(runtime.namespace, claim),
    });
    if (pod.spec.volumes?.some(hasPayload) === true) later.push(VOLUME_REFRESH_MS);
  } catch (error) {
    const message = describeError(error);
    if (!runtime.told.has(message)) tellEvent(deps, pod, { type: 'Warning', reason: 'FailedMount', message });
    runtime.told.add(message);
    later.push(VOLUME_RETRY_MS);
  }
  // A volume that cannot be refreshed keeps what it has; the running containers go on.
  return runtime.places !== undefined;
}

async function startAll(deps: NodeDeps, pod: LocalPod, { runtime, later }: Step): Promise<void> {
  const plan = planStarts(pod.spec, runtime);
  if (plan.isFinished) {
    await endContainers(deps, pod, { runtime, graceSeconds: pod.spec.terminationGracePeriodSeconds ?? 30 });
    return;
  }
  const pauses = await Promise.all(plan.wanted.map((state) => startOne(deps, pod, { runtime, state })));
  for (const pause of pauses) if (pause !== undefined) later.push(pause);
}

interface OneContainer {
  readonly runtime: PodRuntime;
  readonly state: ContainerState;
}

/** Starts a container unless its crash-loop delay still runs; milliseconds until the next try, if one is needed. */
async function startOne(deps: NodeDeps, pod: LocalPod, { runtime, state }: OneContainer): Promise<number | undefined> {
  const { run } = state;
  if (run.kind !== 'ended') return startContainer({ deps, pod, runtime, state });
  const waitMs = run.endedAtMs + state.backoff.delayMs - deps.now().getTime();
  if (waitMs > 0) {
    backOff(deps, pod, { runtime, state });
    return waitMs;
  }
  const lifetimeMs = run.endedAtMs - (Date.parse(run.end.startedAt ?? '') || run.endedAtMs);
  const pause = await startContainer({ deps, pod, runtime, state });
  if (isRunning(state)) state.backoff = state.backoff.afterRun(lifetimeMs);
  return pause;
}

function backOff(deps: NodeDeps, pod: LocalPod, { runtime, state }: OneContainer): void {
  if (state.waiting?.reason === 'CrashLoopBackOff') return;
  const { name } = state.spec;
  const seconds = state.backoff.delayMs / 1000;
  const who = `pod=${runtime.name}_${runtime.namespace}(${runtime.uid})`;
  state.waiting = {
    reason: 'CrashLoopBackOff',
    message: `back-off ${seconds}s restarting failed container=${name} ${who}`,
  };
  tellEvent(deps, pod, {
    type: 'Warning',
    reason: 'BackOff',
    message: `Back-off restarting failed container ${name} in pod ${runtime.name}_${runtime.namespace}(${runtime.uid})`,
  });
}

/** Ends whatever runs of the pod. */
export async function endContainers(
  deps: NodeDeps,
  pod: LocalPod,
  { runtime, graceSeconds }: { readonly runtime: PodRuntime; readonly graceSeconds: number },
): Promise<void> {
  const running = allContainers(runtime).filter(isRunning);
  for (const state of allContainers(runtime)) state.probes?.abort();
  await Promise.all(running.map((state) => terminateContainer({ deps, pod, runtime, state }, graceSeconds)));
}

/** Tells the API server what is not known there yet. */
export async function writeStatus(deps: NodeDeps, pod: LocalPod, runtime: PodRuntime): Promise<void> {
  const status = renderPodStatus({
    pod,
    containers: { init: runtime.init.map(renderContainerStatus), main: runtime.main.map(renderContainerStatus) },
    podIp: runtime.ip,
    hostIp: deps.hostIp,
    startTime: runtime.startTime,
    isPrepared: runtime.places !== undefined,
    ...(runtime.failure === undefined ? {} : { failure: runtime.failure }),
    now: deps.now(),
  });
  if (isKnownStatus(status, pod.status)) return;
  const { name, namespace, uid } = runtime;
  try {
    const body = { metadata: { uid }, status };
    await deps.client.patch(localPods, name, { namespace, subresource: 'status', patch: { kind: 'merge', body } });
  } catch (error) {
    // Gone or replaced meanwhile: the next look at the cache finds out.
    if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
  }
}
