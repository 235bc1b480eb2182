/** Owns the values of server-side apply: merging a configuration into an object, and removing what is no longer claimed. */
import { cloneJson, isObject, setOwn } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { elementSchema, fieldSchema } from '../schema/schema.ts';
import type { Schema } from '../schema/schema.ts';
import { createFieldSet, isEmptySet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { indexItems, isLeaf, itemElement } from './list-keys.ts';
import type { ListSchema } from './list-keys.ts';

/** `live` with everything that `applied` says; containers with several owners are merged, others replaced. */
export function mergeApplied(live: unknown, applied: unknown, schema: Schema): unknown {
  if (isLeaf(applied, schema)) return cloneJson(applied);
  if (Array.isArray(applied)) {
    return Array.isArray(live) && schema.kind === 'list' ? mergeItems(live, applied, schema) : cloneJson(applied);
  }
  if (!isObject(applied)) return applied;
  const result: JsonObject = isObject(live) ? { ...live } : {};
  for (const key of Object.keys(applied)) {
    setOwn(
      result,
      key,
      mergeApplied(Object.hasOwn(result, key) ? result[key] : undefined, applied[key], fieldSchema(schema, key)),
    );
  }
  return result;
}

/** Applied items come in their order; items that only the live list has stay after their predecessor. */
function mergeItems(live: readonly unknown[], applied: readonly unknown[], schema: ListSchema): unknown[] {
  const wanted = indexItems(applied, schema);
  const elements = live.map((item) => itemElement(item, schema));
  const result: unknown[] = [];
  let position = 0;
  const emitLiveOnly = (end: number): void => {
    for (; position < end; position += 1) if (!wanted.has(elements[position] ?? '')) result.push(live[position]);
  };
  for (const [element, item] of wanted) {
    const index = elements.indexOf(element);
    if (index >= position) {
      emitLiveOnly(index);
      position = index + 1;
    }
    result.push(index < 0 ? cloneJson(item) : mergeApplied(live[index], item, elementSchema(schema)));
  }
  emitLiveOnly(live.length);
  return result;
}

/** Removes from `value` what was claimed before (`last`) and that nobody claims now (`kept`). Changes containers in place. */
export function removeUnclaimed(
  value: unknown,
  last: FieldSet,
  { kept, schema }: { readonly kept: FieldSet; readonly schema: Schema },
): void {
  for (const element of new Set([...last.members, ...last.children.keys()])) {
    const keptBelow = kept.children.get(element);
    const isKept = kept.members.has(element) || (keptBelow !== undefined && !isEmptySet(keptBelow));
    if (!isKept) {
      removeElement(value, element, schema);
      continue;
    }
    const lastBelow = last.children.get(element);
    if (lastBelow === undefined) continue;
    const inner = elementAt(value, element, schema);
    if (inner !== undefined)
      removeUnclaimed(inner.value, lastBelow, { kept: keptBelow ?? createFieldSet(), schema: inner.schema });
  }
}

function removeElement(value: unknown, element: string, schema: Schema): void {
  if (element.startsWith('f:') && isObject(value)) delete value[element.slice(2)];
  else if (Array.isArray(value) && schema.kind === 'list') {
    const index = value.findIndex((item) => itemElement(item, schema) === element);
    if (index >= 0) value.splice(index, 1);
  }
}

function elementAt(
  value: unknown,
  element: string,
  schema: Schema,
): { readonly value: unknown; readonly schema: Schema } | undefined {
  if (element.startsWith('f:')) {
    const key = element.slice(2);
    return isObject(value) && Object.hasOwn(value, key)
      ? { value: value[key], schema: fieldSchema(schema, key) }
      : undefined;
  }
  if (!Array.isArray(value) || schema.kind !== 'list') return undefined;
  const item: unknown = value.find((candidate) => itemElement(candidate, schema) === element);
  return item === undefined ? undefined : { value: item, schema: elementSchema(schema) };
}
