/** Owns what the node holds in memory of one pod. */
import { join } from 'node:path';
import { createContainerState, renderTime, restoreContainerState } from '../container/container-state.ts';
import type { ContainerState } from '../container/container-state.ts';
import type { VolumePlaces } from '../volumes/prepare-volumes.ts';
import type { LocalPod } from './pod-spec.ts';

export interface PodRuntime {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly directory: string;
  readonly ip: string;
  readonly startTime: string;
  readonly init: readonly ContainerState[];
  readonly main: readonly ContainerState[];
  /** Undefined until the volumes are there. */
  places: VolumePlaces | undefined;
  /** Set while the pod is being ended. */
  ending: Promise<void> | undefined;
  failure: { readonly reason: string; readonly message: string } | undefined;
  /** Complaints already told, so that a retry does not tell them again. */
  readonly told: Set<string>;
}

export interface PodRuntimeOptions {
  readonly pod: LocalPod;
  readonly ip: string;
  readonly podsDirectory: string;
  readonly now: Date;
}

export function createPodRuntime({ pod, ip, podsDirectory, now }: PodRuntimeOptions): PodRuntime {
  const { uid = '', name = '', namespace = '' } = pod.metadata;
  const init = (pod.spec.initContainers ?? []).map((spec) => createContainerState(spec, true));
  const main = pod.spec.containers.map((spec) => createContainerState(spec, false));
  const known = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  for (const state of [...init, ...main]) {
    restoreContainerState(
      state,
      known.find((status) => status.name === state.spec.name),
      now,
    );
  }
  return {
    uid,
    name,
    namespace,
    directory: join(podsDirectory, uid),
    ip,
    startTime: pod.status?.startTime ?? renderTime(now),
    init,
    main,
    places: undefined,
    ending: undefined,
    failure: undefined,
    told: new Set(),
  };
}

export function allContainers(runtime: PodRuntime): readonly ContainerState[] {
  return [...runtime.init, ...runtime.main];
}

export function containerDirectory(runtime: PodRuntime, state: ContainerState): string {
  return join(runtime.directory, 'containers', state.spec.name);
}

export function logFile(runtime: PodRuntime, state: ContainerState, run: number): string {
  return join(containerDirectory(runtime, state), `${run}.log`);
}
