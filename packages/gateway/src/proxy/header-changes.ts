/** Owns applying header operations to a list of fields. */
import { removeField, setField } from '@kfctl/http';
import type { HeaderChanges } from '../istio/header-operations.ts';
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

/** The authority that operations set. */
export function hostFrom(changes: HeaderChanges | undefined): string | undefined {
  return changes?.set.get('host');
}
