/** Owns prune: objects that the inventory lists and the app no longer has are removed, unless that would take others' data along. */
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { describeId } from '../plan/object-id.ts';
import type { TypeFinder } from '../plan/plan.ts';
import { ANY_VERSION, typesOfCrd } from '../plan/plan.ts';
import { waveOf } from '../plan/waves.ts';
import { getObject } from './apply-waves.ts';
import type { InventoryEntry } from './inventory.ts';
import { ownerOf } from './ownership.ts';

export interface PruneInput {
  readonly client: KubeClient;
  readonly deployment: string;
  readonly types: TypeFinder;
  readonly dryRun: boolean;
}

export interface PruneResult {
  readonly removed: readonly InventoryEntry[];
  /** Entries that stay in the inventory, with the reason. */
  readonly kept: readonly { readonly entry: InventoryEntry; readonly reason: string }[];
}

/** Removes vanished entries, last wave first. */
export async function prune(vanished: readonly InventoryEntry[], input: PruneInput): Promise<PruneResult> {
  const removed: InventoryEntry[] = [];
  const kept: { entry: InventoryEntry; reason: string }[] = [];
  for (const entry of vanished.toSorted((left, right) => waveOf(right) - waveOf(left))) {
    if (entry.adopted === true) continue;
    const reason = await reasonToKeep(entry, input);
    if (reason === 'gone') continue;
    if (reason !== undefined) kept.push({ entry, reason });
    else if (await remove(entry, input)) removed.push(entry);
  }
  return { removed, kept };
}

export function typeOfEntry(types: TypeFinder, { group, version, kind }: InventoryEntry): ReturnType<TypeFinder> {
  const prefix = group === '' ? '' : `${group}/`;
  return types(`${prefix}${version}`, kind) ?? types(`${prefix}${ANY_VERSION}`, kind);
}

async function remove(entry: InventoryEntry, { client, types, dryRun }: PruneInput): Promise<boolean> {
  const type = typeOfEntry(types, entry);
  if (type === undefined) return false;
  const place = type.namespaced ? { namespace: entry.namespace } : {};
  return dryRun || client.delete(type, entry.name, place);
}

/** `gone` when there is nothing to remove, undefined when it may be removed. */
async function reasonToKeep(entry: InventoryEntry, input: PruneInput): Promise<string | undefined> {
  const { client, types, deployment } = input;
  const type = typeOfEntry(types, entry);
  const object = type === undefined ? undefined : await getObject(client, type, entry);
  if (object === undefined) return 'gone';
  if (ownerOf(object) !== deployment) return `${describeId(entry)} is no longer marked as made by kfctl`;
  for (const instance of typesOfCrd(object).slice(0, 1)) {
    const { items } = await client.list(instance);
    if (items.length > 0) return `${items.length} ${instance.kind} objects exist; delete them first`;
  }
  if (entry.kind !== 'Namespace' || entry.group !== '') return undefined;
  const { items } = await client.list(resources.persistentVolumeClaims, { namespace: entry.name });
  return items.length > 0 ? `${items.length} volumes are claimed in it; delete them first` : undefined;
}
