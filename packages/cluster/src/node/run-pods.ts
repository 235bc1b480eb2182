/** Owns the pods of this node: one runtime for each, kept in step with the API by a reconciler. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '@kfctl/core';
import { runReconciler } from '@kfctl/kube';
import type { KubeObject, ObjectKey, ReconcileResult, ReconcileSource } from '@kfctl/kube';
import { isRunning } from './container/container-state.ts';
import type { NodeDeps } from './node-deps.ts';
import { destroyPod, endPod } from './pod/end-pod.ts';
import { allContainers, createPodRuntime } from './pod/pod-runtime.ts';
import type { PodRuntime } from './pod/pod-runtime.ts';
import type { LocalPod } from './pod/pod-spec.ts';
import { refersTo } from './pod/references.ts';
import { syncPod } from './pod/sync-pod.ts';
import { removePodDirectory } from './volumes/prepare-volumes.ts';

export interface RunningPods {
  /** The runtime of a pod; undefined when this node does not run it (yet). */
  find(namespace: string, name: string): PodRuntime | undefined;
  /** Resolves when the signal has aborted and every container has ended. */
  readonly stopped: Promise<void>;
}

/** At most so many pods are worked on at the same time: starting is mostly waiting. */
const CONCURRENCY = 16;
/** What containers get to end in when the whole cluster stops. */
const STOP_GRACE_SECONDS = 1.5;

export function runPods(deps: NodeDeps, wakeUps: ReconcileSource): RunningPods {
  const runtimes = new Map<string, PodRuntime>();
  const keyOf = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;
  const reconcile = async (key: ObjectKey): Promise<ReconcileResult | undefined> => {
    const pod = deps.pods.get(key.name, key.namespace);
    const present = runtimes.get(keyOf(key));
    if (present !== undefined && present.uid !== pod?.metadata.uid) {
      await destroyPod(deps, present);
      runtimes.delete(keyOf(key));
    }
    if (pod === undefined || pod.spec.nodeName !== deps.nodeName) return undefined;
    const runtime = runtimes.get(keyOf(key)) ?? adopt(deps, pod);
    runtimes.set(keyOf(key), runtime);
    return step(deps, pod, runtime);
  };
  const worked = Promise.all(
    [deps.pods, deps.services, deps.endpoints, deps.configMaps, deps.secrets].map((informer) => informer.synced),
  )
    .then(() => removeStrays(deps))
    .then(() =>
      runReconciler({
        name: 'node',
        log: deps.log,
        signal: deps.signal,
        concurrency: CONCURRENCY,
        maxBackoffMs: 10_000,
        reconcile,
        sources: sourcesOf(deps, wakeUps),
      }),
    )
    .catch((error: unknown) => {
      if (!deps.signal.aborted) throw error;
    });
  return {
    find: (namespace, name) => runtimes.get(`${namespace}/${name}`),
    stopped: worked.then(() => stopAll(runtimes)),
  };
}

function sourcesOf(deps: NodeDeps, wakeUps: ReconcileSource): ReconcileSource[] {
  const concerned = (kind: 'ConfigMap' | 'Secret') => (object: KubeObject) => {
    const { name = '', namespace = '' } = object.metadata;
    const pods = deps.pods.list(namespace).filter((pod) => refersTo(pod, kind, name));
    return pods.map(({ metadata }) => ({ name: metadata.name ?? '', namespace }));
  };
  return [
    { informer: deps.pods as unknown as ReconcileSource['informer'] },
    { informer: deps.configMaps as unknown as ReconcileSource['informer'], keys: concerned('ConfigMap') },
    { informer: deps.secrets as unknown as ReconcileSource['informer'], keys: concerned('Secret') },
    ...(deps.hostsLines === undefined
      ? []
      : [deps.services, deps.endpoints].map((informer) => namesSource(deps, informer))),
    wakeUps,
  ];
}

/** Names of services are in every pod's hosts file: a change concerns all of them. */
function namesSource({ pods }: NodeDeps, informer: unknown): ReconcileSource {
  return {
    informer: informer as ReconcileSource['informer'],
    keys: () => pods.list().map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' })),
  };
}

function adopt(deps: NodeDeps, pod: LocalPod): PodRuntime {
  const ip = deps.pool.take(pod.metadata.uid ?? '', pod.status?.podIP);
  return createPodRuntime({ pod, ip, podsDirectory: deps.podsDirectory, now: deps.now() });
}

async function step(deps: NodeDeps, pod: LocalPod, runtime: PodRuntime): Promise<ReconcileResult | undefined> {
  if (pod.metadata.deletionTimestamp !== undefined) {
    endPod(deps, pod, runtime);
    return undefined;
  }
  const { phase } = pod.status ?? {};
  const isOver = phase === 'Succeeded' || phase === 'Failed';
  return isOver && !allContainers(runtime).some(isRunning) ? undefined : syncPod(deps, pod, runtime);
}

/** Directories of pods that do not exist any more. */
async function removeStrays({ pods, podsDirectory }: NodeDeps): Promise<void> {
  const known = new Set(pods.list().map(({ metadata }) => metadata.uid));
  const strays = (await readdir(podsDirectory).catch(() => [])).filter((uid) => !known.has(uid));
  await Promise.all(strays.map((uid) => removePodDirectory(join(podsDirectory, uid))));
}

/** Ends every container in order, at once for those that take too long: nothing outlives the node. */
async function stopAll(runtimes: ReadonlyMap<string, PodRuntime>): Promise<void> {
  const states = [...runtimes.values()].flatMap((runtime) => [...allContainers(runtime)]);
  for (const state of states) state.probes?.abort();
  const running = states.flatMap(({ run }) => (run.kind === 'running' ? [run.process] : []));
  await Promise.race([
    Promise.all(running.map((process) => process.terminate(STOP_GRACE_SECONDS * 1000))),
    delay(STOP_GRACE_SECONDS * 1000 + 500),
  ]);
  for (const process of running) process.kill();
}
