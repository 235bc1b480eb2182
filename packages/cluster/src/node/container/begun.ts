/** Owns the types that the parts of a container's life hand to each other. */
import type { LogWriter } from '../logs/log-writer.ts';
import type { NodeDeps } from '../node-deps.ts';
import type { LocalPod } from '../pod/pod-spec.ts';
import type { PodRuntime } from '../pod/pod-runtime.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import type { ContainerProcess } from './container-process.ts';
import type { ContainerState } from './container-state.ts';

/** A container that is to be started, or was. */
export interface Start {
  readonly deps: NodeDeps;
  readonly runtime: PodRuntime;
  readonly pod: LocalPod;
  readonly state: ContainerState;
}

/** What a run was started with. */
export interface Begun {
  readonly process: ContainerProcess;
  readonly run: number;
  readonly log: LogWriter;
  readonly mounts: readonly Mount[];
  readonly environment: ReadonlyMap<string, string>;
}
