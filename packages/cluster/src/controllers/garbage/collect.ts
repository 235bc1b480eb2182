/**
 * Owns the judgement over one object: are its owners gone, do its dependents have to go first?
 *
 *   owner gone ─────────────► delete (background)
 *   owner waits (foreground) ► delete (foreground when it has dependents itself)
 *   some owners left ────────► drop the references to those that are gone
 *   object deleted, `orphan` ► cut its dependents loose     object deleted, `foregroundDeletion` ► wait for blocking dependents
 */
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, KubeObject, OwnerReference, ResourceType } from '@kfctl/kube';
import { uidOf } from './owner-graph.ts';
import type { GraphNode, OwnerGraph } from './owner-graph.ts';

export const ORPHAN = 'orphan';
export const FOREGROUND = 'foregroundDeletion';

export interface CollectDeps {
  readonly client: Pick<KubeClient, 'get' | 'patch' | 'delete'>;
  readonly graph: OwnerGraph;
  /** The served resource of a kind; undefined for kinds that nobody serves. */
  typeOf(apiVersion: string, kind: string): ResourceType<KubeObject> | undefined;
}

export async function collect(deps: CollectDeps, node: GraphNode): Promise<void> {
  const { finalizers = [], deletionTimestamp } = node.object.metadata;
  if (deletionTimestamp !== undefined) {
    if (finalizers.includes(ORPHAN)) return cutLoose(deps, node);
    if (finalizers.includes(FOREGROUND)) return deleteDependents(deps, node);
    return;
  }
  await judgeOwners(deps, node);
}

async function cutLoose(deps: CollectDeps, node: GraphNode): Promise<void> {
  const uid = uidOf(node);
  await Promise.all(deps.graph.dependents(uid).map((dependent) => dropOwners(deps, dependent, new Set([uid]))));
  await dropFinalizer(deps, node, ORPHAN);
}

async function deleteDependents(deps: CollectDeps, node: GraphNode): Promise<void> {
  const blocking = deps.graph.dependents(uidOf(node)).filter((dependent) => blocks(dependent, uidOf(node)));
  if (blocking.length === 0) return dropFinalizer(deps, node, FOREGROUND);
  const fresh = blocking.filter(({ object }) => object.metadata.deletionTimestamp === undefined);
  await Promise.all(fresh.map((dependent) => judgeOwners(deps, dependent)));
}

function blocks({ object }: GraphNode, ownerUid: string): boolean {
  return (
    object.metadata.ownerReferences?.some(
      ({ uid, blockOwnerDeletion }) => uid === ownerUid && blockOwnerDeletion === true,
    ) === true
  );
}

type OwnerState = 'solid' | 'waiting' | 'gone';

async function judgeOwners(deps: CollectDeps, node: GraphNode): Promise<void> {
  const references = node.object.metadata.ownerReferences ?? [];
  if (references.length === 0) return;
  const states = await Promise.all(references.map((reference) => stateOf(deps, node, reference)));
  const inState = (wanted: OwnerState): OwnerReference[] =>
    references.filter((_reference, index) => states[index] === wanted);
  const lost = [...inState('waiting'), ...inState('gone')];
  if (lost.length === 0) return;
  if (inState('solid').length > 0) return dropOwners(deps, node, new Set(lost.map(({ uid }) => uid)));
  const hasDependents = deps.graph.dependents(uidOf(node)).length > 0;
  await remove(deps, node, inState('waiting').length > 0 && hasDependents ? 'Foreground' : 'Background');
}

async function stateOf(deps: CollectDeps, node: GraphNode, reference: OwnerReference): Promise<OwnerState> {
  const known = deps.graph.get(reference.uid);
  if (known !== undefined && isInReach(known, node)) return ownerState(known.object);
  const type = deps.typeOf(reference.apiVersion, reference.kind);
  // Nobody can say whether an owner of an unknown kind exists: nothing is deleted on a guess.
  if (type === undefined) return 'solid';
  const { namespace } = node.object.metadata;
  // A cluster-scoped object cannot be owned from inside of a namespace; such a reference is a mistake that must not delete it.
  if (type.namespaced && namespace === undefined) return 'solid';
  const live = await deps.client.get(
    type,
    reference.name,
    type.namespaced && namespace !== undefined ? { namespace } : {},
  );
  return live?.metadata.uid === reference.uid ? ownerState(live) : 'gone';
}

function isInReach(owner: GraphNode, { object }: GraphNode): boolean {
  return !owner.type.namespaced || owner.object.metadata.namespace === object.metadata.namespace;
}

function ownerState({ metadata }: KubeObject): OwnerState {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(FOREGROUND) === true
    ? 'waiting'
    : 'solid';
}

async function remove(
  { client }: CollectDeps,
  { type, object }: GraphNode,
  propagation: 'Foreground' | 'Background',
): Promise<void> {
  const { name = '', namespace, uid = '' } = object.metadata;
  try {
    await client.delete(type, name, {
      ...(namespace === undefined ? {} : { namespace }),
      propagation,
      preconditions: { uid },
    });
  } catch (error) {
    if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
  }
}

async function dropOwners(deps: CollectDeps, node: GraphNode, uids: ReadonlySet<string>): Promise<void> {
  const left = (node.object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.has(uid));
  await patchMeta(deps, node, { ownerReferences: left.length === 0 ? null : left });
}

async function dropFinalizer(deps: CollectDeps, node: GraphNode, finalizer: string): Promise<void> {
  const left = (node.object.metadata.finalizers ?? []).filter((name) => name !== finalizer);
  await patchMeta(deps, node, { finalizers: left.length === 0 ? null : left });
}

/** Refused (and tried again by the next round) when the object has changed since it was seen. */
async function patchMeta(
  { client }: CollectDeps,
  { type, object }: GraphNode,
  change: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { name = '', namespace, uid, resourceVersion } = object.metadata;
  const body = { metadata: { uid, resourceVersion, ...change } };
  try {
    await client.patch(type, name, {
      ...(namespace === undefined ? {} : { namespace }),
      patch: { kind: 'merge', body },
    });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}
