/** Owns aggregated ClusterRoles: their rules are the union of the roles that their selectors choose. */
import { asArray, asObject, isEqual, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { matchesLabelSelector } from '../registry/selectors.ts';
import { systemContext } from '../registry/request-context.ts';
import type { Registry } from '../registry/registry.ts';
import { parseStored } from '../store/stored-object.ts';

export const CLUSTER_ROLES = 'rbac.authorization.k8s.io/clusterroles';

/** Brings every aggregated role up to date; cheap when nothing changed. */
export async function aggregateClusterRoles(registry: Registry): Promise<void> {
  const served = registry.resolve('rbac.authorization.k8s.io', 'v1', 'clusterroles');
  if (served === undefined) return;
  const stored = registry.deps.store.list(CLUSTER_ROLES);
  for (const item of stored) {
    if (!item.json.includes('"aggregationRule"')) continue;
    const role = parseStored(item);
    const selectors = asArray(valueAt(role, 'aggregationRule', 'clusterRoleSelectors'));
    if (selectors.length === 0) continue;
    const chosen = stored.filter(
      (other) => other.name !== item.name && selectors.some((selector) => matchesLabelSelector(selector, other.labels)),
    );
    const rules = distinct(chosen.flatMap((other) => asArray(parseStored(other)['rules'])));
    if (isEqual(rules, asArray(role['rules']))) continue;
    const target = { served, namespace: '', name: item.name, subresource: '' };
    const produce = (current: JsonObject): JsonObject => ({ ...current, rules });
    await registry.update(target, { context: systemContext('clusterrole-aggregation-controller'), produce });
  }
}

function distinct(rules: readonly unknown[]): unknown[] {
  const seen = new Map(rules.filter(isObject).map((rule) => [JSON.stringify(rule), asObject(rule)]));
  return [...seen.values()];
}

export interface Aggregation {
  /** To be called with the table of every write. */
  onWrite(table: string): void;
}

/** Aggregates again after the turn in which a ClusterRole changed. */
export function createAggregation(registry: () => Registry): Aggregation {
  let scheduled = false;
  return {
    onWrite(table) {
      if (table !== CLUSTER_ROLES || scheduled) return;
      scheduled = true;
      setImmediate(() => {
        scheduled = false;
        // A role that changed meanwhile brings us here again.
        aggregateClusterRoles(registry()).catch(() => undefined);
      });
    },
  };
}
