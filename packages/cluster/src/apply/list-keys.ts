/** Owns the identity of list items. */
import { isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { Schema } from '../schema/schema.ts';

export type ListSchema = Extract<Schema, { kind: 'list' }>;

/** The path element of an item of a set or map list. */
export function itemElement(item: unknown, schema: ListSchema): string {
  if (schema.list.kind !== 'map') return `v:${JSON.stringify(item)}`;
  const source = isObject(item) ? item : {};
  const keys: JsonObject = {};
  for (const key of [...schema.list.keys].toSorted()) {
    const value = source[key] ?? schema.list.defaults[key];
    if (value !== undefined) keys[key] = value;
  }
  return `k:${JSON.stringify(keys)}`;
}

/** Items by their path element; of two with the same keys, the first. */
export function indexItems(items: readonly unknown[], schema: ListSchema): Map<string, unknown> {
  const index = new Map<string, unknown>();
  for (const item of items) {
    const element = itemElement(item, schema);
    if (!index.has(element)) index.set(element, item);
  }
  return index;
}

/** True when the value is one leaf for ownership: a scalar, or something that has one owner only. */
export function isLeaf(value: unknown, schema: Schema): boolean {
  if (Array.isArray(value)) return schema.kind !== 'list' || schema.list.kind === 'atomic';
  if (!isObject(value)) return true;
  return (schema.kind === 'map' || schema.kind === 'struct') && schema.atomic === true;
}

export function sizeOf(value: unknown): number {
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}
