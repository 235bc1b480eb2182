/** Owns the phase of a pod as it follows from its containers (the kubelet's rules). */
import type { FullContainerStatus, PodSpec } from './pod-spec.ts';

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface StatusOfContainers {
  readonly init: readonly FullContainerStatus[];
  readonly main: readonly FullContainerStatus[];
}

/** Init containers that go on beside the others ("sidecars"). */
export function isSidecar(spec: PodSpec, name: string): boolean {
  return spec.initContainers?.find((container) => container.name === name)?.restartPolicy === 'Always';
}

export function podPhase(spec: PodSpec, { init, main }: StatusOfContainers): PodPhase {
  const policy = spec.restartPolicy ?? 'Always';
  const plainInit = init.filter(({ name }) => !isSidecar(spec, name));
  const failedInit = plainInit.some(({ state }) => state.terminated !== undefined && state.terminated.exitCode !== 0);
  if (failedInit && policy === 'Never') return 'Failed';
  if (!isInitialized(spec, init) && main.every(({ state }) => state.running === undefined)) return 'Pending';
  const running = main.filter(({ state }) => state.running !== undefined).length;
  const waiting = main.filter(
    ({ state, lastState }) => state.waiting !== undefined && lastState.terminated === undefined,
  ).length;
  const stopped = main.length - running - waiting;
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped === 0) return 'Pending';
  return phaseOfStopped(policy, main);
}

function phaseOfStopped(policy: string, main: readonly FullContainerStatus[]): PodPhase {
  if (policy === 'Always') return 'Running';
  const ends = main.map(({ state, lastState }) => state.terminated ?? lastState.terminated);
  if (ends.every((end) => end?.exitCode === 0)) return 'Succeeded';
  return policy === 'Never' ? 'Failed' : 'Running';
}

export function isInitialized(spec: PodSpec, init: readonly FullContainerStatus[]): boolean {
  return init.every(({ name, state, started }) =>
    isSidecar(spec, name) ? state.running !== undefined && started === true : state.terminated?.exitCode === 0,
  );
}
