/** Owns the judgement what of an inventory is ours to delete, and what was there before or has another owner now. */
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { getObject, PARALLEL } from '../apply/apply-waves.ts';
import type { InventoryEntry } from '../apply/inventory.ts';
import { ownerOf } from '../apply/ownership.ts';
import { typeOfEntry } from '../apply/prune.ts';
import { runBounded } from '../apply/run-bounded.ts';
import { describeId } from '../plan/object-id.ts';
import type { TypeFinder } from '../plan/plan.ts';

/** One object to delete, found in the cluster. */
export interface Doomed {
  readonly entry: InventoryEntry;
  readonly type: ResourceType;
  readonly object: UnknownObject;
}

export interface Judging {
  readonly client: Pick<KubeClient, 'get'>;
  readonly types: TypeFinder;
  readonly deployment: string;
}

/** `left`: what stays, with the reason. */
export async function judge(
  entries: readonly InventoryEntry[],
  { client, types, deployment }: Judging,
): Promise<{ doomed: Doomed[]; left: string[] }> {
  const doomed: Doomed[] = [];
  const left: string[] = [];
  const found = await runBounded(entries, PARALLEL, async (entry) => {
    const type = typeOfEntry(types, entry);
    const object = type === undefined ? undefined : await getObject(client, type, entry);
    return { entry, type, object };
  });
  for (const { entry, type, object } of found) {
    if (type === undefined || object === undefined) continue;
    if (entry.adopted === true) left.push(`${describeId(entry)}: it was there before kfctl`);
    else if (ownerOf(object) !== deployment) left.push(`${describeId(entry)}: it is no longer marked as made by kfctl`);
    else doomed.push({ entry, type, object });
  }
  return { doomed, left };
}
