/** Owns applying header operations to a list of fields. */
import { removeField, setField } from '@kfctl/http';
import type { HeaderChanges, HeaderOperations } from '../istio/header-operations.ts';
import type { Destination, ForwardAction } from '../istio/route-action.ts';
import type { FieldRules } from '../request/field-rules.ts';

/** Applies in Envoy's order: remove, set, add; never to names that say who the user is. `host` is not a field here: see `hostFrom`. */
export function applyHeaderChanges(
  fields: string[],
  changes: HeaderChanges | undefined,
  rules?: Pick<FieldRules, 'isIdentity'>,
): void {
  if (changes === undefined) return;
  const mayChange = (name: string): boolean => name !== 'host' && rules?.isIdentity(name) !== true;
  for (const name of changes.remove) if (mayChange(name)) removeField(fields, name);
  for (const [name, value] of changes.set) if (mayChange(name)) setField(fields, name, value);
  for (const [name, value] of changes.add) if (mayChange(name)) fields.push(name, value);
}

/** In the order in which they apply, as Envoy's: a rule that splits has the last word; its only destination, where it has one. */
export function operationsInOrder(
  action: ForwardAction,
  destination: Destination,
): readonly [HeaderOperations, HeaderOperations] {
  const isSplit = action.destinations.length > 1;
  return isSplit ? [destination.headers, action.headers] : [action.headers, destination.headers];
}

/** The authority that operations set. */
export function hostFrom(changes: HeaderChanges | undefined): string | undefined {
  return changes?.set.get('host');
}
