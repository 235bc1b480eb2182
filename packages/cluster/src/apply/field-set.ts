/** Owns sets of field paths: the algebra of ownership, and their FieldsV1 form. */
import { isObject, setOwn } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

/**
 * A set of paths as a tree. Path elements are in their FieldsV1 form: `f:name` (field), `k:{"name":"x"}` (list item by keys),
 * `v:"x"` (list item by value), `i:0` (list item by index).
 */
export interface FieldSet {
  readonly members: Set<string>;
  readonly children: Map<string, FieldSet>;
}

export function createFieldSet(): FieldSet {
  return { members: new Set(), children: new Map() };
}

export function isEmptySet(set: FieldSet): boolean {
  return set.members.size === 0 && set.children.size === 0;
}

/** The subtree at an element, made when it is absent. */
export function childSet(set: FieldSet, element: string): FieldSet {
  const present = set.children.get(element);
  if (present !== undefined) return present;
  const made = createFieldSet();
  set.children.set(element, made);
  return made;
}

/** Attaches a subtree unless it is empty. */
export function attach(set: FieldSet, element: string, child: FieldSet): void {
  if (!isEmptySet(child)) set.children.set(element, child);
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: FieldSet = { members: new Set([...a.members, ...b.members]), children: new Map(a.children) };
  for (const [element, child] of b.children) {
    const present = result.children.get(element);
    result.children.set(element, present === undefined ? child : union(present, child));
  }
  return result;
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  const result = createFieldSet();
  for (const element of a.members) if (!b.members.has(element)) result.members.add(element);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    attach(result, element, other === undefined ? child : difference(child, other));
  }
  return result;
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const result = createFieldSet();
  for (const element of a.members) if (b.members.has(element)) result.members.add(element);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other !== undefined) attach(result, element, intersection(child, other));
  }
  return result;
}

/** `a` without the paths of `b` and without everything below them. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  const result = createFieldSet();
  for (const element of a.members) if (!b.members.has(element)) result.members.add(element);
  for (const [element, child] of a.children) {
    if (b.members.has(element)) continue;
    const other = b.children.get(element);
    attach(result, element, other === undefined ? child : differenceBelow(child, other));
  }
  return result;
}

export function isSameSet(a: FieldSet, b: FieldSet): boolean {
  if (a.members.size !== b.members.size || a.children.size !== b.children.size) return false;
  for (const element of a.members) if (!b.members.has(element)) return false;
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined || !isSameSet(child, other)) return false;
  }
  return true;
}

/** Every path of the set as text: `.spec.containers[name="a"].image`. */
export function renderPaths(set: FieldSet, prefix = ''): string[] {
  const elements = [...new Set([...set.members, ...set.children.keys()])].toSorted();
  return elements.flatMap((element) => {
    const path = prefix + renderElement(element);
    const child = set.children.get(element);
    return [...(set.members.has(element) ? [path] : []), ...(child === undefined ? [] : renderPaths(child, path))];
  });
}

function renderElement(element: string): string {
  const text = element.slice(2);
  if (element.startsWith('f:')) return `.${text}`;
  if (element.startsWith('v:')) return `[=${text}]`;
  if (element.startsWith('i:')) return `[${text}]`;
  const keys = JSON.parse(text) as JsonObject;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`;
}

/** metadata.managedFields[].fieldsV1 */
export function renderFieldsV1(set: FieldSet): JsonObject {
  const result: JsonObject = {};
  for (const element of [...new Set([...set.members, ...set.children.keys()])].toSorted()) {
    const child = set.children.get(element);
    const inner = child === undefined ? {} : renderFieldsV1(child);
    const marked = set.members.has(element) && child !== undefined ? { '.': {}, ...inner } : inner;
    setOwn(result, element, marked);
  }
  return result;
}

const MAX_DEPTH = 128;

/** Reads fieldsV1; what is not understood is left out. */
export function parseFieldsV1(value: unknown, depth = 0): FieldSet {
  const set = createFieldSet();
  if (!isObject(value) || depth > MAX_DEPTH) return set;
  for (const [element, inner] of Object.entries(value)) {
    if (!/^[fkvi]:/.test(element) || !isObject(inner)) continue;
    const child = parseFieldsV1(inner, depth + 1);
    if (isEmptySet(child) || Object.hasOwn(inner, '.')) set.members.add(element);
    attach(set, element, child);
  }
  return set;
}
