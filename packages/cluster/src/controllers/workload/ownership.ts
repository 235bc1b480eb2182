/** Owns the tie between a controller and what it made: owner references, adoption, release. */
import { isKubeError } from '@kfctl/kube';
import type { KubeObject, ObjectKey, OwnerReference, ResourceType } from '@kfctl/kube';
import { matchesLabelSelector } from '../../registry/selectors.ts';
import type { ControllerDeps } from '../controller.ts';

export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find(({ controller }) => controller === true);
}

export function ownedBy(owner: KubeObject): OwnerReference {
  const { name = '', uid = '' } = owner.metadata;
  return { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The key of the controller of this kind; nothing when the object has another one or none. */
export function controllerKey(kind: string): (object: KubeObject) => readonly ObjectKey[] {
  return (object) => {
    const owner = controllerOf(object);
    return owner?.kind === kind ? [{ name: owner.name, namespace: object.metadata.namespace ?? '' }] : [];
  };
}

export interface Claiming<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly owner: KubeObject;
  /** metav1.LabelSelector */
  readonly selector: unknown;
}

/**
 * The objects that the owner controls, read from the API server itself: a count from a watch that lags would make too many.
 * Orphans that the selector matches are adopted, own objects that it no longer matches are let go.
 */
export async function claimObjects<T extends KubeObject>(
  deps: ControllerDeps,
  { type, owner, selector }: Claiming<T>,
): Promise<T[]> {
  const { namespace = '' } = owner.metadata;
  const { items } = await deps.client.list(type, { namespace });
  const claimed: T[] = [];
  for (const object of items) {
    const controller = controllerOf(object);
    const matches = matchesLabelSelector(selector, object.metadata.labels);
    if (controller?.uid === owner.metadata.uid) {
      if (matches || object.metadata.deletionTimestamp !== undefined) claimed.push(object);
      else await release(deps, type, { object, owner });
    } else if (controller === undefined && matches && mayAdopt(object, owner)) {
      const adopted = await adopt(deps, type, { object, owner });
      if (adopted !== undefined) claimed.push(adopted);
    }
  }
  return claimed;
}

function mayAdopt(object: KubeObject, owner: KubeObject): boolean {
  return object.metadata.deletionTimestamp === undefined && owner.metadata.deletionTimestamp === undefined;
}

interface Pair<T> {
  readonly object: T;
  readonly owner: KubeObject;
}

async function adopt<T extends KubeObject>(
  { client }: ControllerDeps,
  type: ResourceType<T>,
  { object, owner }: Pair<T>,
): Promise<T | undefined> {
  const { name = '', namespace = '', uid, ownerReferences = [] } = object.metadata;
  const body = { metadata: { uid, ownerReferences: [...ownerReferences, ownedBy(owner)] } };
  return patchOrSkip(() => client.patch(type, name, { namespace, patch: { kind: 'merge', body } }));
}

async function release<T extends KubeObject>(
  { client }: ControllerDeps,
  type: ResourceType<T>,
  { object, owner }: Pair<T>,
): Promise<void> {
  const { name = '', namespace = '', uid, ownerReferences = [] } = object.metadata;
  const others = ownerReferences.filter((reference) => reference.uid !== owner.metadata.uid);
  const body = { metadata: { uid, ownerReferences: others.length === 0 ? null : others } };
  await patchOrSkip(() => client.patch(type, name, { namespace, patch: { kind: 'merge', body } }));
}

/** Gone or replaced meanwhile: not ours any more. */
async function patchOrSkip<T>(patch: () => Promise<T>): Promise<T | undefined> {
  try {
    return await patch();
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'Conflict', 'Invalid')) return undefined;
    throw error;
  }
}
