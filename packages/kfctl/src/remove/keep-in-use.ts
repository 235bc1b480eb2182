/**
 * Owns what a partial delete (`k8s`, `platform`) leaves besides its own choice: namespaces and kinds that the rest stands on. Without
 * them the rest would go too, unasked; and a controller of the rest would make again, for ever, what is deleted of its kind.
 */
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import type { InventoryEntry } from '../apply/inventory.ts';
import { describeId, groupOf } from '../plan/object-id.ts';
import { typesOfCrd } from '../plan/plan.ts';
import type { Doomed } from './doomed.ts';

export interface InUse {
  readonly doomed: readonly Doomed[];
  /** What stays, and in the inventory. */
  readonly kept: readonly InventoryEntry[];
  /** Why, for people. */
  readonly reasons: readonly string[];
}

export interface Remaining {
  readonly client: Pick<KubeClient, 'list'>;
  /** Entries of the inventory that this delete is not about; empty: everything goes. */
  readonly rest: readonly InventoryEntry[];
  /** Where the inventory lies. */
  readonly namespace: string;
}

export async function keepInUse(doomed: readonly Doomed[], remaining: Remaining): Promise<InUse> {
  if (remaining.rest.length === 0) return { doomed, kept: [], reasons: [] };
  const goingKinds = new Set(doomed.flatMap(({ object }) => typesOfCrd(object)).map(kindKey));
  const judged = await Promise.all(doomed.map(async (one) => ({ one, why: await useOf(one, remaining, goingKinds) })));
  return {
    doomed: judged.filter(({ why }) => why === undefined).map(({ one }) => one),
    kept: judged.filter(({ why }) => why !== undefined).map(({ one }) => one.entry),
    reasons: judged.flatMap(({ one, why }) => (why === undefined ? [] : [`${describeId(one.entry)}: ${why}`])),
  };
}

/** What of the rest needs it; undefined: nothing. */
async function useOf(
  { entry, object }: Doomed,
  { client, rest, namespace }: Remaining,
  goingKinds: ReadonlySet<string>,
): Promise<string | undefined> {
  if (entry.kind === 'Namespace' && entry.group === '') {
    const inside = rest.filter((other) => other.namespace === entry.name).length;
    if (inside > 0) return `${inside} objects of applications that stay are in it`;
    return entry.name === namespace ? 'it holds the inventory of what stays' : undefined;
  }
  const [type] = typesOfCrd(object);
  if (type === undefined) return undefined;
  const ours = rest.filter((other) => other.group === type.group && other.kind === type.kind).length;
  const made = ours > 0 ? 0 : await countManaged(client, type, goingKinds);
  return ours + made > 0 ? `${ours + made} ${type.kind} objects of what stays exist` : undefined;
}

/** Objects that belong to another object whose kind stays: its controller would make them again. */
async function countManaged(
  client: Remaining['client'],
  type: ResourceType,
  goingKinds: ReadonlySet<string>,
): Promise<number> {
  const { items } = await client.list(type);
  const isManaged = ({ metadata }: UnknownObject): boolean =>
    metadata.ownerReferences?.some(
      ({ apiVersion, kind, controller }) =>
        controller === true && !goingKinds.has(kindKey({ group: groupOf(apiVersion), kind })),
    ) === true;
  return items.filter(isManaged).length;
}

function kindKey({ group, kind }: Pick<ResourceType, 'group' | 'kind'>): string {
  return `${kind}.${group}`;
}
