/** Owns pruning: fields that the schema does not know leave the object. */
import { builtInType } from '../schema/built-in-types.ts';
import { asObject, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

const PRESERVE = 'x-kubernetes-preserve-unknown-fields';
const TYPE_META = new Set(['apiVersion', 'kind', 'metadata']);

/** Prunes in place; gives the paths of what it removed. */
export function pruneObject(object: JsonObject, openApi: JsonObject): readonly string[] {
  const removed: string[] = [];
  pruneFields(object, openApi, { path: '', removed, isResource: true });
  return removed;
}

interface Place {
  readonly path: string;
  readonly removed: string[];
  readonly isResource: boolean;
}

function pruneValue(value: unknown, openApi: JsonObject, place: Place): void {
  if (Array.isArray(value)) {
    const items = asObject(openApi['items']);
    for (const [index, item] of value.entries())
      pruneValue(item, items, { ...place, path: `${place.path}[${index}]`, isResource: false });
    return;
  }
  if (isObject(value))
    pruneFields(value, openApi, { ...place, isResource: openApi['x-kubernetes-embedded-resource'] === true });
}

function pruneFields(value: JsonObject, openApi: JsonObject, place: Place): void {
  const properties = asObject(openApi['properties']);
  const additional = openApi['additionalProperties'];
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    if (place.isResource && TYPE_META.has(key)) {
      if (key === 'metadata') pruneMetadata(value[key], { ...place, path });
      continue;
    }
    if (Object.hasOwn(properties, key)) pruneValue(value[key], asObject(properties[key]), { ...place, path });
    else if (isObject(additional)) pruneValue(value[key], additional, { ...place, path });
    else if (additional !== true && openApi[PRESERVE] !== true) {
      delete value[key];
      place.removed.push(path);
    }
  }
}

function pruneMetadata(metadata: unknown, place: Place): void {
  if (!isObject(metadata)) return;
  const { fields } = builtInType('V1ObjectMeta');
  for (const key of Object.keys(metadata)) {
    if (fields.has(key)) continue;
    delete metadata[key];
    place.removed.push(`${place.path}.${key}`);
  }
}
