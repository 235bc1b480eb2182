/** Owns reading of a CRD's OpenAPI v3 schema as a typed schema, for patching and server-side apply. */
import { builtInType } from '../schema/built-in-types.ts';
import { asArray, asObject, asString, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { anySchema } from '../schema/schema.ts';
import type { FieldSchema, ListType, ScalarType, Schema, StructSchema } from '../schema/schema.ts';

const PRESERVE = 'x-kubernetes-preserve-unknown-fields';

/** The type of a custom resource: its own fields beside apiVersion, kind and metadata. */
export function readRootSchema(name: string, openApi: JsonObject | undefined): StructSchema {
  const own = openApi === undefined ? anySchema : readSchema(openApi);
  const fields = new Map<string, FieldSchema>(own.kind === 'struct' ? own.fields : []);
  const text: Schema = { kind: 'scalar', type: 'string' };
  fields.set('apiVersion', { schema: text, required: false });
  fields.set('kind', { schema: text, required: false });
  fields.set('metadata', { schema: builtInType('V1ObjectMeta'), required: false });
  return { kind: 'struct', name, fields, preserveUnknown: own.kind !== 'struct' || own.preserveUnknown === true };
}

export function readSchema(openApi: JsonObject): Schema {
  if (openApi['x-kubernetes-int-or-string'] === true) return { kind: 'scalar', type: 'int-or-string' };
  switch (openApi['type']) {
    case 'object':
      return readObjectSchema(openApi);
    case 'array':
      return readArraySchema(openApi);
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
      return { kind: 'scalar', type: scalarType(openApi) };
    default:
      return isObject(openApi['properties']) ? readObjectSchema(openApi) : anySchema;
  }
}

function scalarType(openApi: JsonObject): ScalarType {
  const type = asString(openApi['type']);
  if (type === 'integer') return 'int64';
  if (type === 'number') return 'double';
  return type === 'boolean' ? 'boolean' : 'string';
}

function readObjectSchema(openApi: JsonObject): Schema {
  const atomic = openApi['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {};
  const additional = openApi['additionalProperties'];
  const properties = asObject(openApi['properties']);
  if (isObject(additional)) return { kind: 'map', element: readSchema(additional), ...atomic };
  if (Object.keys(properties).length === 0 && openApi['x-kubernetes-embedded-resource'] !== true) {
    return openApi[PRESERVE] === true || additional === true ? { ...anySchema, ...atomic } : emptyStruct(openApi);
  }
  const required = new Set(asArray(openApi['required']));
  const fields = new Map<string, FieldSchema>();
  for (const [name, property] of Object.entries(properties)) {
    fields.set(name, { schema: readSchema(asObject(property)), required: required.has(name) });
  }
  if (openApi['x-kubernetes-embedded-resource'] === true) {
    return readRootSchemaInto(fields, openApi);
  }
  return { kind: 'struct', name: '', fields, preserveUnknown: openApi[PRESERVE] === true, ...atomic };
}

function readRootSchemaInto(fields: Map<string, FieldSchema>, openApi: JsonObject): StructSchema {
  fields.set('metadata', { schema: builtInType('V1ObjectMeta'), required: false });
  return { kind: 'struct', name: '', fields, preserveUnknown: openApi[PRESERVE] === true };
}

function emptyStruct(openApi: JsonObject): StructSchema {
  return { kind: 'struct', name: '', fields: new Map(), preserveUnknown: openApi[PRESERVE] === true };
}

function readArraySchema(openApi: JsonObject): Schema {
  return { kind: 'list', element: readSchema(asObject(openApi['items'])), list: readListType(openApi) };
}

function readListType(openApi: JsonObject): ListType {
  const type = openApi['x-kubernetes-list-type'];
  if (type === 'set') return { kind: 'set' };
  if (type !== 'map') return { kind: 'atomic' };
  const keys = asArray(openApi['x-kubernetes-list-map-keys']).map(asString);
  const properties = asObject(asObject(openApi['items'])['properties']);
  const defaults = Object.fromEntries(
    keys.map((key) => [key, asObject(properties[key])['default']]).filter(([, value]) => value !== undefined) as [
      string,
      unknown,
    ][],
  );
  return { kind: 'map', keys, defaults };
}
