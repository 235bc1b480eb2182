/** Owns the end of pods: in order when the API asks for it, at once when the object is gone. */
import { isKubeError } from '@kfctl/kube';
import { isRunning } from '../container/container-state.ts';
import type { NodeDeps } from '../node-deps.ts';
import { tellEvent } from '../pod-event.ts';
import { removePodDirectory } from '../volumes/prepare-volumes.ts';
import { allContainers } from './pod-runtime.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { localPods } from './pod-spec.ts';
import type { LocalPod } from './pod-spec.ts';
import { endContainers, writeStatus } from './sync-pod.ts';

/** Ends the containers within the grace period, then removes the object from the API. Safe to call again while it goes on. */
export function endPod(deps: NodeDeps, pod: LocalPod, runtime: PodRuntime): void {
  runtime.ending ??= end(deps, pod, runtime)
    .catch((error: unknown) => {
      deps.log.warn('cannot end pod yet', { pod: runtime.name, namespace: runtime.namespace, error: String(error) });
      setTimeout(() => deps.wake(runtime), 1_000).unref();
    })
    .finally(() => {
      runtime.ending = undefined;
    });
}

async function end(deps: NodeDeps, pod: LocalPod, runtime: PodRuntime): Promise<void> {
  const graceSeconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  for (const state of allContainers(runtime).filter(isRunning)) {
    tellEvent(deps, pod, { type: 'Normal', reason: 'Killing', message: `Stopping container ${state.spec.name}` });
  }
  await endContainers(deps, pod, { runtime, graceSeconds });
  if (deps.signal.aborted) return;
  await writeStatus(deps, pod, runtime);
  await removeObject(deps, runtime);
}

async function removeObject(deps: NodeDeps, { name, namespace, uid }: PodRuntime): Promise<void> {
  try {
    await deps.client.delete(localPods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    // Another pod has the name already.
    if (!isKubeError(error, 'Conflict')) throw error;
  }
}

/** The object is gone: nothing of the pod may stay. */
export async function destroyPod(deps: NodeDeps, runtime: PodRuntime): Promise<void> {
  for (const state of allContainers(runtime)) {
    state.probes?.abort();
    if (state.run.kind === 'running') state.run.process.kill();
  }
  await Promise.all(
    allContainers(runtime).map((state) => (state.run.kind === 'running' ? state.run.process.exited : undefined)),
  );
  deps.tokens.forget(runtime.uid);
  await deps.overlay?.ports.release(runtime.ip);
  deps.pool.release(runtime.uid);
  await removePodDirectory(runtime.directory);
}
