/** The order of the result: the legacy order by kind, or as the objects came. */

import { KustomizeError } from '../errors.ts';
import type { SortOptions } from '../kustomization/kustomization.ts';
import type { ResourceId } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { compareBytes, legacyKinds, rankKinds, typeText } from '../resource/type-order.ts';

export const legacyOrder: SortOptions = { order: 'legacy', legacy: legacyKinds };

interface Entry {
  readonly resource: Resource;
  readonly rank: number;
  readonly type: string;
  readonly id: string;
}

function entryOf(resource: Resource, rankOf: ReadonlyMap<string, number>): Entry {
  const id: ResourceId = resource.currentId();
  return {
    resource,
    rank: rankOf.get(id.kind) ?? 0,
    type: typeText(id),
    id: `${id.namespace || '~X'}|${id.name || '~N'}`,
  };
}

export function sortResources(resources: readonly Resource[], options: SortOptions): Resource[] {
  if (options.order === 'fifo') {
    if (options.legacy === undefined) return resources.slice();
    throw new KustomizeError('KUSTOMIZATION_INVALID', 'legacySortOptions needs the order legacy', {
      field: 'sortOptions.legacySortOptions',
    });
  }
  if (options.order !== 'legacy') {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `unknown order '${options.order}'`, {
      field: 'sortOptions.order',
      hint: 'use legacy or fifo',
    });
  }
  const rankOf = rankKinds(options.legacy ?? legacyKinds);
  return resources
    .map((resource) => entryOf(resource, rankOf))
    .sort(
      (left, right) => left.rank - right.rank || compareBytes(left.type, right.type) || compareBytes(left.id, right.id),
    )
    .map((entry) => entry.resource);
}
