/** Owns the picture of who owns whom: every object of every watched kind, by uid. */
import type { KubeObject, ObjectKey, ResourceType } from '@kfctl/kube';

export interface GraphNode {
  readonly type: ResourceType<KubeObject>;
  readonly object: KubeObject;
}

export interface OwnerGraph {
  put(node: GraphNode): void;
  remove(node: GraphNode): void;
  get(uid: string): GraphNode | undefined;
  dependents(uid: string): readonly GraphNode[];
}

export function createOwnerGraph(): OwnerGraph {
  const nodes = new Map<string, GraphNode>();
  const children = new Map<string, Set<string>>();
  const unlink = (uid: string): void => {
    for (const owner of ownersOf(nodes.get(uid))) {
      const siblings = children.get(owner);
      siblings?.delete(uid);
      if (siblings?.size === 0) children.delete(owner);
    }
  };
  return {
    put(node) {
      const uid = uidOf(node);
      unlink(uid);
      nodes.set(uid, node);
      for (const owner of ownersOf(node)) children.set(owner, (children.get(owner) ?? new Set()).add(uid));
    },
    remove(node) {
      unlink(uidOf(node));
      nodes.delete(uidOf(node));
    },
    get: (uid) => nodes.get(uid),
    dependents: (uid) => [...(children.get(uid) ?? [])].flatMap((child) => nodes.get(child) ?? []),
  };
}

export function uidOf({ object }: GraphNode): string {
  return object.metadata.uid ?? '';
}

function ownersOf(node: GraphNode | undefined): string[] {
  return (node?.object.metadata.ownerReferences ?? []).map(({ uid }) => uid);
}

/** The key under which the collector works on an object: its uid. */
export function graphKey(uid: string): ObjectKey {
  return { name: uid, namespace: '' };
}
