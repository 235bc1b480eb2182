/** Owns the order in which a pod's containers start and start again. Pure. */
import { hasSucceeded, isRunning } from '../container/container-state.ts';
import type { ContainerState } from '../container/container-state.ts';
import { isSidecar } from './pod-phase.ts';
import type { PodSpec } from './pod-spec.ts';

export interface StartPlan {
  /** Containers that should run and do not. */
  readonly wanted: readonly ContainerState[];
  /** True when nothing of the pod will ever run again. */
  readonly isFinished: boolean;
}

export interface PodContainers {
  readonly init: readonly ContainerState[];
  readonly main: readonly ContainerState[];
}

/** Init containers one after the other (sidecars stay), then all others at once; restarts as the policy says. */
export function planStarts(spec: PodSpec, { init, main }: PodContainers): StartPlan {
  const policy = spec.restartPolicy ?? 'Always';
  const sidecars = init.filter((state) => isSidecar(spec, state.spec.name));
  // Containers that ran once show that the init containers had done their work: they are not run again in a restart of the node.
  const begunBefore = main.some(({ run }) => run.kind !== 'never');
  const first = begunBefore ? undefined : planInit(spec, init);
  if (first !== undefined) return first;
  const open = main.filter((state) => mayRun(state, policy));
  if (open.length === 0) return { wanted: [], isFinished: main.every((state) => !isRunning(state)) };
  return { wanted: [...sidecars, ...open].filter((state) => !isRunning(state)), isFinished: false };
}

/** What the init containers need next; undefined when all of them have done their part. */
function planInit(spec: PodSpec, init: readonly ContainerState[]): StartPlan | undefined {
  const policy = spec.restartPolicy ?? 'Always';
  const stopped: ContainerState[] = [];
  for (const state of init) {
    const sidecar = isSidecar(spec, state.spec.name);
    const isOver = !sidecar && state.run.kind === 'ended' && policy === 'Never';
    if (sidecar ? state.started : hasSucceeded(state)) continue;
    if (!isRunning(state) && !isOver) stopped.push(state);
    return { wanted: stopped, isFinished: isOver };
  }
  return undefined;
}

function mayRun({ run }: ContainerState, policy: string): boolean {
  if (run.kind !== 'ended') return true;
  return policy === 'Always' || (policy === 'OnFailure' && run.end.exitCode !== 0);
}
