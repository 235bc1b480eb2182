/**
 * Merging lists by key, step for step as the reference does it, its odd results included: what is patched or new comes first, in the
 * order of the patch; what the patch does not name follows in its own order.
 */

import { KustomizeError } from '../errors.ts';
import { type MapNode, type Node, SequenceNode, isNull, plainNode, textOf } from '../yaml/node.ts';

/** Merges one element; undefined means that it is to go. */
export type MergeElement = (dest: Node | undefined, patch: Node | undefined) => Node | undefined;

type Values = readonly string[];

function isNullOrEmptyMap(node: Node | undefined): boolean {
  return isNull(node) || (node?.kind === 'map' && node.size === 0);
}

/** Value of a list element as a key: "" when it has none. */
function keyValues(item: Node, keys: Values): Values {
  return keys.map((key) => {
    const value = item.kind === 'map' ? item.get(key) : undefined;
    return isNull(value) ? '' : textOf(value);
  });
}

/** The first element whose keys have the values. */
function findElement(list: SequenceNode | undefined, keys: Values, values: Values): Node | undefined {
  if (list === undefined) return undefined;
  if (keys[0] === '' || keys.length === 0) return list.items.find((item) => textOf(item) === values[0]);
  return list.items.find(
    (item) => item.kind === 'map' && keys.every((key, index) => hasField(item, key, values[index] ?? '')),
  );
}

function hasField(item: MapNode, key: string, value: string): boolean {
  const found = item.get(key);
  return found !== undefined && textOf(found) === value;
}

/** One key of an element against a value, where an empty value stands for any. */
function matchesKey(item: Node, key: string, value: string): boolean {
  if (key === '') {
    if (item.kind !== 'scalar') throw notMergeable(item);
    return item.value === value;
  }
  if (item.kind !== 'map') throw notMergeable(item);
  const found = item.get(key);
  return found !== undefined && (value === '' || textOf(found) === value);
}

function notMergeable(item: Node): KustomizeError {
  return new KustomizeError('PATCH_FAILED', `a list that is merged by key holds a ${item.kind}`, { line: item.line });
}

interface ElementChange {
  readonly keys: Values;
  readonly values: Values;
  /** Undefined removes what matches. */
  readonly element: Node | undefined;
}

function isMatch(item: Node, { keys, values }: ElementChange): boolean {
  if (values.length === 0) return false;
  return keys.every((key, index) => {
    const value = values[index];
    return value === undefined || matchesKey(item, key, value);
  });
}

/** Replaces, appends or removes an element; null and empty elements are dropped on the way. */
function setElement(list: SequenceNode, change: ElementChange): void {
  const byKey = change.keys[0] !== '' && (change.values[0] ?? '') !== '';
  const items: Node[] = [];
  let found = false;
  for (const item of list.items) {
    if (isNullOrEmptyMap(item)) continue;
    if (byKey && item.kind !== 'map') items.push(item);
    else if (isMatch(item, change)) {
      found = true;
      if (change.element !== undefined) items.push(change.element);
    } else if (change.values.length > 0) items.push(item);
  }
  list.items = items;
  if (change.element !== undefined && !isNull(change.element) && !found) items.push(change.element);
}

/** Distinct key values, those of the patch first. */
function collectValues(sources: readonly (SequenceNode | undefined)[], keys: Values): Values[] {
  const seen = new Set<string>();
  const all: Values[] = [];
  for (const source of sources) {
    for (const item of source?.items ?? []) {
      const values = keys[0] === '' ? [textOf(item)] : keyValues(item, keys);
      const id = values.join('\0');
      if (seen.has(id)) continue;
      seen.add(id);
      all.push(values);
    }
  }
  return all;
}

/** Two elements are the same when their keys differ only where one has none (a port without protocol). */
function unify(left: Values, right: Values): Values | undefined {
  let common = false;
  const result: string[] = [];
  for (const [index, value] of left.entries()) {
    const other = right[index] ?? '';
    if (value === other) common = true;
    else if (value !== '' && other !== '') return undefined;
    result.push(value === '' ? other : value);
  }
  return common ? result : undefined;
}

function unifyAll(all: Values[]): void {
  for (const left of all.keys()) {
    const start = all[left];
    for (const [right, values] of all.entries()) {
      const unified = start === undefined ? undefined : unify(start, values);
      if (unified === undefined) continue;
      all[left] = unified;
      all[right] = unified;
    }
  }
}

/** Leaves out the keys that no element has. */
function usedKeys(all: readonly Values[], values: Values, keys: Values): { keys: Values; values: Values } {
  const used = keys.map((_, index) => all.some((candidate) => (candidate[index] ?? '') !== ''));
  if (!used.includes(true)) return { keys, values };
  return {
    keys: keys.filter((_, index) => used[index]),
    values: values.filter((value, index) => value !== '' || used[index]),
  };
}

function appendRest(merged: SequenceNode, dest: SequenceNode, keys: Values): void {
  for (const element of dest.items.slice()) {
    if (keys[0] === '') {
      setElement(merged, { keys, values: [textOf(element)], element });
      continue;
    }
    const values: string[] = [];
    for (const key of keys) {
      const found = element.kind === 'map' ? element.get(key) : undefined;
      if (found === undefined) merged.items.push(element);
      else values.push(textOf(found));
    }
    if (keys.length > 1) setElement(merged, { keys, values, element: undefined });
    setElement(merged, { keys, values, element });
  }
}

export interface ListMerge {
  readonly dest: SequenceNode;
  readonly patch: SequenceNode | undefined;
  /** [""] for a set of scalars. */
  readonly keys: Values;
  readonly mergeElement: MergeElement;
}

/** The merged list. */
export function mergeList({ dest, patch, keys, mergeElement }: ListMerge): SequenceNode {
  const all = collectValues([patch, dest], keys);
  if (keys.length > 1) unifyAll(all);
  const merged = new SequenceNode(dest.line);
  let last = keys;
  for (const candidate of all) {
    const valid = usedKeys(all, candidate, keys);
    last = valid.keys;
    const own = usedKeys([valid.values], valid.values, valid.keys);
    const value = mergeElement(findElement(dest, own.keys, own.values), findElement(patch, own.keys, own.values));
    if (isNullOrEmptyMap(value) || value === undefined) {
      setElement(dest, { ...valid, element: undefined });
      continue;
    }
    keepKeys(value, valid.keys, valid.values);
    setElement(merged, { ...valid, element: value });
  }
  if (all.length === 0) return dest;
  appendRest(merged, dest, last);
  return merged;
}

function keepKeys(value: Node, keys: Values, values: Values): void {
  if (value.kind !== 'map') return;
  for (const [index, key] of keys.entries()) {
    const text = values[index] ?? '';
    if (value.get(key) === undefined && text !== '') value.set(key, plainNode(text));
  }
}
