/** Owns defaulting by schema. */
import { asObject, cloneJson, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

/** Fills in defaults in place, outer ones first. */
export function applySchemaDefaults(value: unknown, openApi: JsonObject): void {
  if (Array.isArray(value)) {
    const items = asObject(openApi['items']);
    for (const item of value) applySchemaDefaults(item, items);
    return;
  }
  if (!isObject(value)) return;
  const properties = asObject(openApi['properties']);
  for (const [key, schema] of Object.entries(properties)) defaultField(value, key, asObject(schema));
  const additional = openApi['additionalProperties'];
  if (!isObject(additional)) return;
  for (const key of Object.keys(value))
    if (!Object.hasOwn(properties, key)) applySchemaDefaults(value[key], additional);
}

function defaultField(owner: JsonObject, key: string, schema: JsonObject): void {
  const { default: fallback } = schema;
  const isNull = owner[key] === null && schema['nullable'] !== true;
  if (fallback !== undefined && (isNull || !Object.hasOwn(owner, key))) owner[key] = cloneJson(fallback);
  applySchemaDefaults(owner[key], schema);
}

/** True when some field below has a default: most schemas have none and need no walk. */
export function hasDefaults(openApi: unknown): boolean {
  if (Array.isArray(openApi)) return openApi.some(hasDefaults);
  if (!isObject(openApi)) return false;
  if (Object.hasOwn(openApi, 'default') && typeof openApi['type'] === 'string') return true;
  return Object.values(openApi).some(hasDefaults);
}
