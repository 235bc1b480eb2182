/** The order of the result: the legacy order by kind, or as the objects came. */

import { KustomizeError } from '../errors.ts';
import type { SortOptions } from '../kustomization/kustomization.ts';
import type { ResourceId, TypeSelector } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';

const orderFirst =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ' +
  'ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment ' +
  'StatefulSet CronJob PodDisruptionBudget';
const orderLast = 'MutatingWebhookConfiguration ValidatingWebhookConfiguration';

export const legacyOrder: SortOptions = {
  order: 'legacy',
  legacy: { orderFirst: orderFirst.split(' '), orderLast: orderLast.split(' ') },
};

function ranks(options: NonNullable<SortOptions['legacy']>): ReadonlyMap<string, number> {
  const map = new Map<string, number>();
  for (const [index, kind] of options.orderFirst.entries()) map.set(kind, index - options.orderFirst.length);
  for (const [index, kind] of options.orderLast.entries()) map.set(kind, index + 1);
  return map;
}

function typeText({ group, version, kind }: TypeSelector): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

const legacyRanks = ranks({ orderFirst: orderFirst.split(' '), orderLast: orderLast.split(' ') });

/** The legacy order of types alone. */
export function compareTypes(left: TypeSelector, right: TypeSelector): number {
  const rank = (legacyRanks.get(left.kind) ?? 0) - (legacyRanks.get(right.kind) ?? 0);
  return rank || compareBytes(typeText(left), typeText(right));
}

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

function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
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
  const rankOf = ranks(options.legacy ?? legacyOrder.legacy ?? { orderFirst: [], orderLast: [] });
  return resources
    .map((resource) => entryOf(resource, rankOf))
    .sort(
      (left, right) => left.rank - right.rank || compareBytes(left.type, right.type) || compareBytes(left.id, right.id),
    )
    .map((entry) => entry.resource);
}
