/** The reference's order of types: some kinds first, some last, the others by their text. */

import type { TypeSelector } from './identity.ts';

export interface KindOrder {
  readonly orderFirst: readonly string[];
  readonly orderLast: readonly string[];
}

const orderFirst =
  'Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy Role ClusterRole RoleBinding ' +
  'ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange PriorityClass PersistentVolume PersistentVolumeClaim Deployment ' +
  'StatefulSet CronJob PodDisruptionBudget';
const orderLast = 'MutatingWebhookConfiguration ValidatingWebhookConfiguration';

export const legacyKinds: KindOrder = { orderFirst: orderFirst.split(' '), orderLast: orderLast.split(' ') };

export function compareBytes(left: string, right: string): number {
  if (left === right) return 0;
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

export function rankKinds(options: KindOrder): ReadonlyMap<string, number> {
  const map = new Map<string, number>();
  for (const [index, kind] of options.orderFirst.entries()) map.set(kind, index - options.orderFirst.length);
  for (const [index, kind] of options.orderLast.entries()) map.set(kind, index + 1);
  return map;
}

export function typeText({ group, version, kind }: TypeSelector): string {
  return `${group || '~G'}_${version || '~V'}_${kind || '~K'}`;
}

const legacyRanks = rankKinds(legacyKinds);

/** The legacy order of types alone. */
export function compareTypes(left: TypeSelector, right: TypeSelector): number {
  const rank = (legacyRanks.get(left.kind) ?? 0) - (legacyRanks.get(right.kind) ?? 0);
  return rank || compareBytes(typeText(left), typeText(right));
}
