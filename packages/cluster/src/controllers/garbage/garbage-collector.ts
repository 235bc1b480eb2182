/** Owns the garbage collector: it watches every kind that can be listed and judges whatever an event may concern. */
import { apiVersionOf, createInformer, resources } from '@kfctl/kube';
import type { DiscoveredResource, KubeObject, ResourceType } from '@kfctl/kube';
import { describeError } from '@kfctl/core';
import { runController } from '../controller.ts';
import type { ControllerDeps } from '../controller.ts';
import { createWakeUp } from '../wake-up.ts';
import { collect } from './collect.ts';
import { createOwnerGraph, graphKey, uidOf } from './owner-graph.ts';
import type { OwnerGraph } from './owner-graph.ts';

/** Many, short-lived, and owned by nobody. */
const IGNORED = new Set(['/events', 'events.k8s.io/events', 'coordination.k8s.io/leases']);

interface Followed {
  readonly type: ResourceType<KubeObject>;
  readonly stop: AbortController;
}

/** Runs until the signal aborts. */
export async function runGarbageCollector(deps: ControllerDeps): Promise<void> {
  const graph = createOwnerGraph();
  const wakeUp = createWakeUp();
  const followed = new Map<string, Followed>();
  const examine = (uid: string): void => wakeUp.wake(graphKey(uid));
  const refresh = async (): Promise<void> => followAll(deps, { graph, followed, examine });
  const collectDeps = {
    client: deps.client,
    graph,
    typeOf: (apiVersion: string, kind: string) =>
      [...followed.values()].find(({ type }) => type.kind === kind && apiVersionOf(type) === apiVersion)?.type ??
      byGroup(followed, apiVersion, kind),
  };
  const definitions = deps.informers.of(resources.customResourceDefinitions);
  await definitions.synced;
  await refresh();
  definitions.onChange(
    () =>
      void refresh().catch((error: unknown) => deps.log.warn('cannot discover kinds', { error: describeError(error) })),
  );
  await runController(deps, {
    name: 'garbage-collector',
    watches: [],
    sources: [wakeUp.source],
    reconcile: async ({ name: uid }) => {
      const node = graph.get(uid);
      if (node !== undefined) await collect(collectDeps, node);
      return undefined;
    },
  });
}

/** An owner may be named in another version of its group than the one that is watched. */
function byGroup(
  followed: ReadonlyMap<string, Followed>,
  apiVersion: string,
  kind: string,
): ResourceType<KubeObject> | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return [...followed.values()].find(({ type }) => type.kind === kind && type.group === group)?.type;
}

interface Following {
  readonly graph: OwnerGraph;
  readonly followed: Map<string, Followed>;
  readonly examine: (uid: string) => void;
}

async function followAll(deps: ControllerDeps, following: Following): Promise<void> {
  const served = new Map<string, DiscoveredResource>();
  for (const type of await deps.client.discover({ refresh: true })) {
    const key = `${type.group}/${type.plural}`;
    const isWatchable = ['list', 'watch', 'delete'].every((verb) => type.verbs.includes(verb));
    if (isWatchable && !IGNORED.has(key) && !served.has(key)) served.set(key, type);
  }
  for (const [key, { stop }] of following.followed) {
    if (served.has(key)) continue;
    stop.abort();
    following.followed.delete(key);
  }
  for (const [key, type] of served)
    if (!following.followed.has(key)) following.followed.set(key, follow(deps, type, following));
}

function follow(deps: ControllerDeps, type: ResourceType<KubeObject>, { graph, examine }: Following): Followed {
  const stop = new AbortController();
  deps.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const informer = createInformer({ client: deps.client, type, log: deps.log });
  informer.onChange((object, previous) => {
    if (object !== undefined) {
      graph.put({ type, object: envelope(object) });
      const { uid = '', deletionTimestamp, ownerReferences = [] } = object.metadata;
      if (deletionTimestamp !== undefined || ownerReferences.length > 0) examine(uid);
      // An owner that starts to wait for its dependents concerns them, and the other way round.
      if (deletionTimestamp !== undefined) for (const node of graph.dependents(uid)) examine(uidOf(node));
      return;
    }
    if (previous === undefined) return;
    const uid = previous.metadata.uid ?? '';
    graph.remove({ type, object: previous });
    for (const node of graph.dependents(uid)) examine(uidOf(node));
    for (const owner of previous.metadata.ownerReferences ?? []) examine(owner.uid);
  });
  informer.start(stop.signal);
  return { type, stop };
}

function envelope({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  return { apiVersion, kind, metadata };
}
