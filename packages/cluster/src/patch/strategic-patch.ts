/** Owns strategic merge patch: lists merge by key where the type says so, with `$patch`, `$retainKeys`, `$deleteFromPrimitiveList`, `$setElementOrder`. */
import { asArray, cloneJson, isEqual, isObject, setOwn } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { elementSchema, fieldSchema } from '../schema/schema.ts';
import type { Schema } from '../schema/schema.ts';
import { badRequest } from '../registry/status-error.ts';

const DELETE_PRIMITIVES = '$deleteFromPrimitiveList/';
const ELEMENT_ORDER = '$setElementOrder/';

/** The object with the patch merged in; 400 when the patch does not make sense. */
export function applyStrategicPatch(object: JsonObject, patch: unknown, schema: Schema): JsonObject {
  if (!isObject(patch)) throw badRequest('the patch is not a JSON object');
  return mergeMap(object, patch, schema);
}

function mergeMap(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (patch['$patch'] === 'replace') return withoutDirectives(patch);
  if (patch['$patch'] === 'delete') return {};
  const result: JsonObject = { ...original };
  retainKeys(result, patch);
  for (const key of Object.keys(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(ELEMENT_ORDER)) continue;
    if (key.startsWith(DELETE_PRIMITIVES)) {
      deletePrimitives(result, key.slice(DELETE_PRIMITIVES.length), patch[key]);
      continue;
    }
    mergeField(result, key, { value: patch[key], schema: fieldSchema(schema, key) });
  }
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ELEMENT_ORDER)) continue;
    const field = key.slice(ELEMENT_ORDER.length);
    orderElements(result, field, { order: asArray(patch[key]), schema: fieldSchema(schema, field) });
  }
  return result;
}

function withoutDirectives(patch: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(patch)
      .filter(([key]) => !key.startsWith('$'))
      .map(([key, value]) => [key, cloneJson(value)]),
  );
}

function retainKeys(result: JsonObject, patch: JsonObject): void {
  if (patch['$retainKeys'] === undefined) return;
  const kept = new Set(asArray(patch['$retainKeys']));
  for (const key of Object.keys(result)) if (!kept.has(key)) delete result[key];
}

function deletePrimitives(result: JsonObject, field: string, values: unknown): void {
  const dropped = asArray(values);
  const present = result[field];
  if (Array.isArray(present)) result[field] = present.filter((item) => !dropped.some((value) => isEqual(value, item)));
}

function mergeField(
  result: JsonObject,
  key: string,
  { value, schema }: { readonly value: unknown; readonly schema: Schema },
): void {
  const present = Object.hasOwn(result, key) ? result[key] : undefined;
  if (value === null) delete result[key];
  else if (isObject(value)) setOwn(result, key, mergeMap(isObject(present) ? present : {}, value, schema));
  else if (Array.isArray(value)) setOwn(result, key, mergeList(asArray(present), value, schema));
  else setOwn(result, key, value);
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], schema: Schema): unknown[] {
  if (schema.kind !== 'list') return cloneJson([...patch]);
  if (schema.list.kind === 'set') {
    return [...original, ...patch.filter((item) => !original.some((present) => isEqual(present, item)))];
  }
  if (schema.mergeKey === undefined) return cloneJson([...patch]);
  return mergeByKey(original, patch, { mergeKey: schema.mergeKey, element: elementSchema(schema) });
}

interface KeyedList {
  readonly mergeKey: string;
  readonly element: Schema;
}

function mergeByKey(
  original: readonly unknown[],
  patch: readonly unknown[],
  { mergeKey, element }: KeyedList,
): unknown[] {
  const replaces = patch.some(
    (item) => isObject(item) && item['$patch'] === 'replace' && !Object.hasOwn(item, mergeKey),
  );
  let result: unknown[] = replaces ? [] : [...original];
  for (const item of patch) {
    if (!isObject(item))
      throw badRequest(`the patch has an element that is not an object in a list merged by ${mergeKey}`);
    if (!Object.hasOwn(item, mergeKey)) {
      if (Object.hasOwn(item, '$patch')) continue;
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const index = result.findIndex((present) => isObject(present) && present[mergeKey] === item[mergeKey]);
    if (item['$patch'] === 'delete')
      result = result.filter((present) => !isObject(present) || present[mergeKey] !== item[mergeKey]);
    else if (index < 0) result.push(mergeMap({}, item, element));
    else result[index] = mergeMap(result[index] as JsonObject, item, element);
  }
  return result;
}

interface Ordering {
  readonly order: readonly unknown[];
  readonly schema: Schema;
}

/** Elements named in the order come in that order; the others keep their place after the nearest predecessor. */
function orderElements(result: JsonObject, field: string, { order, schema }: Ordering): void {
  const list = result[field];
  if (!Array.isArray(list) || schema.kind !== 'list') return;
  const identity = (item: unknown): unknown =>
    schema.mergeKey !== undefined && isObject(item) ? item[schema.mergeKey] : item;
  const positions = new Map(order.map((item, index) => [identity(item), index]));
  const named = list.filter((item) => positions.has(identity(item)));
  named.sort((a, b) => (positions.get(identity(a)) ?? 0) - (positions.get(identity(b)) ?? 0));
  let next = 0;
  result[field] = list.map((item: unknown) => (positions.has(identity(item)) ? named[next++] : item));
}
