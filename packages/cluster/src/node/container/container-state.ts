/** Owns what is known of one container of a pod across its runs, and how that reads in the pod's status. */
import { createCrashBackoff } from '../pod/backoff.ts';
import type { CrashBackoff } from '../pod/backoff.ts';
import type { ContainerSpec, FullContainerStatus, TerminatedState } from '../pod/pod-spec.ts';
import type { Begun } from './begun.ts';
import type { ContainerExit, ContainerProcess } from './container-process.ts';

export type RunState =
  | { readonly kind: 'never' }
  | { readonly kind: 'running'; readonly process: ContainerProcess }
  | { readonly kind: 'ended'; readonly end: TerminatedState; readonly endedAtMs: number };

export interface WaitingReason {
  readonly reason: string;
  readonly message?: string;
}

/** Mutable on purpose: one pod's reconciliation, which never runs twice at a time, is the only writer of most of it. */
export interface ContainerState {
  readonly spec: ContainerSpec;
  readonly isInit: boolean;
  run: RunState;
  /** What the present (or last) run was started with; undefined when an earlier node process started it. */
  begun: Begun | undefined;
  /** The run before the present one. */
  last: TerminatedState | undefined;
  waiting: WaitingReason | undefined;
  restartCount: number;
  backoff: CrashBackoff;
  ready: boolean;
  started: boolean;
  /** Ends the probes of the present run. */
  probes: AbortController | undefined;
  /** Earliest time of the next try to get the image, and the pause after that. */
  image: { retryAtMs: number; pauseMs: number };
}

export function createContainerState(spec: ContainerSpec, isInit: boolean): ContainerState {
  return {
    spec,
    isInit,
    run: { kind: 'never' },
    begun: undefined,
    last: undefined,
    waiting: undefined,
    restartCount: 0,
    backoff: createCrashBackoff(),
    ready: false,
    started: false,
    probes: undefined,
    image: { retryAtMs: 0, pauseMs: 0 },
  };
}

/** Takes over what the status tells of runs under an earlier node process: what ran then has ended since. */
export function restoreContainerState(state: ContainerState, status: FullContainerStatus | undefined, now: Date): void {
  if (status === undefined) return;
  state.restartCount = status.restartCount;
  state.last = status.lastState.terminated;
  const { running, terminated } = status.state;
  if (terminated !== undefined) {
    state.run = { kind: 'ended', end: terminated, endedAtMs: Date.parse(terminated.finishedAt ?? '') || now.getTime() };
    return;
  }
  if (running !== undefined) {
    const end: TerminatedState = {
      exitCode: 255,
      reason: 'Unknown',
      message: 'The local cluster was stopped while the container ran',
      startedAt: running.startedAt ?? renderTime(now),
      finishedAt: renderTime(now),
    };
    state.run = { kind: 'ended', end, endedAtMs: now.getTime() };
  } else if (state.last !== undefined)
    state.run = { kind: 'ended', end: state.last, endedAtMs: Date.parse(state.last.finishedAt ?? '') || now.getTime() };
}

export function endOf(process: ContainerProcess, exit: ContainerExit, now: Date): TerminatedState {
  return {
    exitCode: exit.exitCode,
    ...(exit.signal === undefined ? {} : { signal: exit.signal }),
    reason: exit.exitCode === 0 ? 'Completed' : 'Error',
    startedAt: renderTime(process.startedAt),
    finishedAt: renderTime(now),
  };
}

/** RFC 3339 with whole seconds, as Kubernetes writes times. */
export function renderTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

export function isRunning(state: ContainerState): boolean {
  return state.run.kind === 'running';
}

export function hasSucceeded(state: ContainerState): boolean {
  return state.run.kind === 'ended' && state.run.end.exitCode === 0;
}

/** The container's entry in the pod's status. */
export function renderContainerStatus(state: ContainerState): FullContainerStatus {
  const { spec, run, waiting, last } = state;
  const image = spec.image ?? '';
  const base = { name: spec.name, image, imageID: run.kind === 'never' ? '' : image, restartCount: state.restartCount };
  const previous = last === undefined ? {} : { terminated: last };
  if (run.kind === 'running') {
    const running = { startedAt: renderTime(run.process.startedAt) };
    // A finished init container is ready; a running one is not.
    return {
      ...base,
      state: { running },
      lastState: previous,
      ready: state.ready,
      started: state.started,
      containerID: `process://${run.process.pid}`,
    };
  }
  if (waiting !== undefined || run.kind === 'never') {
    const lastState = run.kind === 'ended' ? { terminated: run.end } : previous;
    return {
      ...base,
      state: { waiting: { ...(waiting ?? { reason: state.isInit ? 'PodInitializing' : 'ContainerCreating' }) } },
      lastState,
      ready: false,
      started: false,
    };
  }
  return {
    ...base,
    state: { terminated: run.end },
    lastState: previous,
    ready: state.isInit && run.end.exitCode === 0,
    started: false,
  };
}
