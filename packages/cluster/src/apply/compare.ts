/** Owns which fields a value has, and which fields tell two values apart. */
import { isEqual, isObject } from '../schema/json.ts';
import { elementSchema, fieldSchema } from '../schema/schema.ts';
import type { Schema } from '../schema/schema.ts';
import { attach, childSet, createFieldSet } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { indexItems, isLeaf, itemElement, sizeOf } from './list-keys.ts';
import type { ListSchema } from './list-keys.ts';

/** The fields that an applied configuration claims. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  const set = createFieldSet();
  if (Array.isArray(value) && schema.kind === 'list') {
    for (const item of value) {
      const element = itemElement(item, schema);
      set.members.add(element);
      claim(set, element, { value: item, schema: elementSchema(schema) });
    }
    return set;
  }
  if (!isObject(value)) return set;
  for (const key of Object.keys(value)) {
    const inner = fieldSchema(schema, key);
    const element = `f:${key}`;
    const isEmptyMap = isObject(value[key]) && sizeOf(value[key]) === 0;
    const isKnown = schema.kind === 'struct' && schema.fields.has(key);
    if (isLeaf(value[key], inner) || isEmptyMap || !isKnown) set.members.add(element);
    claim(set, element, { value: value[key], schema: inner });
  }
  return set;
}

function claim(
  set: FieldSet,
  element: string,
  { value, schema }: { readonly value: unknown; readonly schema: Schema },
): void {
  if (!isLeaf(value, schema)) attach(set, element, fieldsOf(value, schema));
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function createComparison(): Comparison {
  return { added: createFieldSet(), modified: createFieldSet(), removed: createFieldSet() };
}

/** What tells `after` from `before`; both are containers. */
export function compareValues(before: unknown, after: unknown, schema: Schema): Comparison {
  const result = createComparison();
  for (const { element, old, now, inner } of pairs(before, after, schema))
    compareElement(result, element, { old, now, inner });
  return result;
}

interface Pair {
  readonly old: unknown;
  readonly now: unknown;
  readonly inner: Schema;
}

function* pairs(before: unknown, after: unknown, schema: Schema): Generator<Pair & { readonly element: string }> {
  if (schema.kind === 'list') {
    yield* listPairs(before, after, schema);
    return;
  }
  const old = isObject(before) ? before : {};
  const now = isObject(after) ? after : {};
  for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
    yield { element: `f:${key}`, old: own(old, key), now: own(now, key), inner: fieldSchema(schema, key) };
  }
}

function own(owner: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(owner, key) ? owner[key] : undefined;
}

function* listPairs(
  before: unknown,
  after: unknown,
  schema: ListSchema,
): Generator<Pair & { readonly element: string }> {
  const old = indexItems(Array.isArray(before) ? before : [], schema);
  const now = indexItems(Array.isArray(after) ? after : [], schema);
  for (const element of new Set([...old.keys(), ...now.keys()])) {
    yield { element, old: old.get(element), now: now.get(element), inner: elementSchema(schema) };
  }
}

function compareElement(result: Comparison, element: string, { old, now, inner }: Pair): void {
  const bothEmpty = sizeOf(old) === 0 && sizeOf(now) === 0;
  const leaf = bothEmpty || isLeaf(old ?? now, inner) || isLeaf(now ?? old, inner);
  if (old === undefined) result.added.members.add(element);
  else if (now === undefined) result.removed.members.add(element);
  else if (leaf && !isEqual(old, now)) result.modified.members.add(element);
  if (leaf) {
    descendMismatch(result, element, { old, now, inner });
    return;
  }
  descend(result, element, compareValues(old, now, inner));
}

/** A container that became a scalar or the other way round: what lay below it is gone or new. */
function descendMismatch(result: Comparison, element: string, { old, now, inner }: Pair): void {
  if (old === undefined || now === undefined) return;
  const [wasLeaf, nowLeaf] = [isLeaf(old, inner), isLeaf(now, inner)];
  if (wasLeaf === nowLeaf) return;
  descend(result, element, compareValues(wasLeaf ? undefined : old, nowLeaf ? undefined : now, inner));
}

function descend(result: Comparison, element: string, inner: Comparison): void {
  attach(result.added, element, inner.added);
  attach(result.modified, element, inner.modified);
  attach(result.removed, element, inner.removed);
}

/** A set with one path. */
export function pathSet(...elements: readonly string[]): FieldSet {
  const root = createFieldSet();
  let current = root;
  for (const element of elements.slice(0, -1)) current = childSet(current, element);
  const last = elements.at(-1);
  if (last !== undefined) current.members.add(last);
  return root;
}
