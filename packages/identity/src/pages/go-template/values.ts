/** Owns what templates compute with: nil, booleans, numbers, strings, lists, maps, and records of known fields. */
import { templateError } from './source.ts';
import type { Position } from './source.ts';

/** A plain object is a record: asking for a field it has not is a mistake. A Map gives nil for what it has not. */
export type Value = undefined | boolean | number | string | readonly Value[] | ReadonlyMap<string, Value> | Fields;

export interface Fields {
  readonly [name: string]: Value;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

function isFields(value: Value): value is Fields {
  return typeof value === 'object' && !isList(value) && !isMap(value);
}

/** pkg.go.dev/text/template: false, 0, nil, and what has length zero are empty. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  return Boolean(value);
}

export function fieldOf(value: Value, name: string, at: Position): Value {
  if (isMap(value)) return value.get(name);
  if (isFields(value) && Object.hasOwn(value, name)) return value[name];
  throw templateError(at, `there is no field "${name}" in ${describe(value)}`);
}

export function describe(value: Value): string {
  if (value === undefined) return 'nil';
  if (isList(value)) return 'a list';
  if (isMap(value)) return 'a map';
  if (isFields(value)) return `the data here (${Object.keys(value).join(', ')})`;
  return typeof value === 'string' ? 'a string' : `a ${typeof value}`;
}

/** As `print` writes it. */
export function toText(value: Value): string {
  if (value === undefined) return '<nil>';
  if (isList(value)) return `[${value.map(toText).join(' ')}]`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, one]) => `${key}:${toText(one)}`)
      .join(' ')}]`;
  if (isFields(value)) return `{${Object.values(value).map(toText).join(' ')}}`;
  return String(value);
}

export function sortedEntries(map: ReadonlyMap<string, Value>): readonly (readonly [string, Value])[] {
  return [...map].sort(([left], [right]) => compareText(left, right));
}

/** By bytes, as Go compares strings. */
export function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
