/** Owns OpenAPI v3 documents: what kubectl needs to explain, validate and merge, from the same types that the server uses. */
import type { Definitions } from '../registry/definitions.ts';
import type { ResourceDefinition, ServedVersion } from '../resources/definition.ts';
import { builtInType, shortTypeName } from '../schema/built-in-types.ts';
import { asObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { FieldSchema, Schema, StructSchema } from '../schema/schema.ts';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

const SCALARS: Readonly<Record<string, JsonObject>> = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  boolean: { type: 'boolean' },
  'date-time': { type: 'string', format: 'date-time' },
  'int-or-string': { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  quantity: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  byte: { type: 'string', format: 'byte' },
};

const WRITE_PARAMETERS = ['dryRun', 'fieldManager', 'fieldValidation'].map(queryParameter);
const APPLY_PARAMETERS = [
  ...WRITE_PARAMETERS,
  { ...queryParameter('force'), schema: { type: 'boolean', uniqueItems: true } },
];

function queryParameter(name: string): JsonObject {
  return { name, in: 'query', schema: { type: 'string', uniqueItems: true } };
}

/** The document of one group version. */
export function renderOpenApiV3(definitions: Definitions, { group, version }: GroupVersion): JsonObject {
  const schemas: JsonObject = {};
  const paths: JsonObject = {};
  for (const definition of definitions.all()) {
    if (definition.group !== group) continue;
    const served = definition.versions.find((candidate) => candidate.version === version);
    if (served === undefined) continue;
    const name = addKind(schemas, definition, served);
    addPaths(paths, { definition, version, schema: name });
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'v1.33.0' }, paths, components: { schemas } };
}

function addKind(schemas: JsonObject, definition: ResourceDefinition, served: ServedVersion): string {
  const gvk = { group: definition.group, version: served.version, kind: definition.kind };
  const name = definition.customResource
    ? `${definition.group.split('.').toReversed().join('.')}.${served.version}.${definition.kind}`
    : typeName(served.schema.name);
  if (definition.customResource) schemas[name] = customSchema(served, schemas);
  else addType(schemas, served.schema);
  asObject(schemas[name])['x-kubernetes-group-version-kind'] = [gvk];
  schemas[`${name}List`] = listSchema(name, { ...gvk, kind: definition.listKind }, schemas);
  return name;
}

function customSchema(served: ServedVersion, schemas: JsonObject): JsonObject {
  const openApi = served.custom?.openApi ?? { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  addType(schemas, builtInType('V1ObjectMeta'));
  const properties = {
    ...asObject(openApi['properties']),
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { allOf: [{ $ref: reference('V1ObjectMeta') }], default: {} },
  };
  return { ...openApi, properties };
}

function listSchema(item: string, gvk: JsonObject, schemas: JsonObject): JsonObject {
  schemas['io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta'] = {
    type: 'object',
    properties: {
      continue: { type: 'string' },
      remainingItemCount: { type: 'integer', format: 'int64' },
      resourceVersion: { type: 'string' },
      selfLink: { type: 'string' },
    },
  };
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      items: { type: 'array', items: { allOf: [{ $ref: `#/components/schemas/${item}` }], default: {} } },
      metadata: {
        allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta' }],
        default: {},
      },
    },
    'x-kubernetes-group-version-kind': [gvk],
  };
}

/** `V1Pod` -> `io.k8s.api.v1.Pod`; the last part is what explain shows. */
function typeName(name: string): string {
  const short = shortTypeName(name);
  return `io.k8s.api.${name.slice(0, name.length - short.length).toLowerCase()}.${short}`;
}

function reference(name: string): string {
  return `#/components/schemas/${typeName(name)}`;
}

function addType(schemas: JsonObject, schema: StructSchema): void {
  const name = typeName(schema.name);
  if (schemas[name] !== undefined) return;
  const properties: JsonObject = {};
  const required: string[] = [];
  schemas[name] = {
    type: 'object',
    properties,
    ...(schema.atomic === true ? { 'x-kubernetes-map-type': 'atomic' } : {}),
  };
  for (const [field, value] of schema.fields) {
    properties[field] = renderField(value, schemas);
    if (value.required) required.push(field);
  }
  if (required.length > 0) asObject(schemas[name])['required'] = required;
}

function renderField(field: FieldSchema, schemas: JsonObject): JsonObject {
  const rendered = renderSchema(field.schema, schemas);
  return field.retainKeys === true && field.schema.kind === 'struct'
    ? { ...rendered, 'x-kubernetes-patch-strategy': 'retainKeys' }
    : rendered;
}

function renderSchema(schema: Schema, schemas: JsonObject): JsonObject {
  switch (schema.kind) {
    case 'any':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    case 'scalar':
      return { ...SCALARS[schema.type] };
    case 'map':
      return {
        type: 'object',
        additionalProperties: renderSchema(schema.element, schemas),
        ...(schema.atomic === true ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      };
    case 'list':
      return { type: 'array', items: renderSchema(schema.element, schemas), ...listExtensions(schema) };
    case 'struct':
      addType(schemas, schema);
      return { allOf: [{ $ref: reference(schema.name) }], default: {} };
  }
}

function listExtensions({ list, mergeKey, retainKeys }: Extract<Schema, { kind: 'list' }>): JsonObject {
  const keys = list.kind === 'map' ? { 'x-kubernetes-list-map-keys': list.keys } : {};
  const strategy = retainKeys === true ? 'merge,retainKeys' : 'merge';
  const merge =
    mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': mergeKey, 'x-kubernetes-patch-strategy': strategy };
  const primitive = list.kind === 'set' ? { 'x-kubernetes-patch-strategy': 'merge' } : {};
  return { 'x-kubernetes-list-type': list.kind, ...keys, ...merge, ...primitive };
}

interface PathTarget {
  readonly definition: ResourceDefinition;
  readonly version: string;
  readonly schema: string;
}

function addPaths(paths: JsonObject, { definition, version, schema }: PathTarget): void {
  const { group, plural, kind, namespaced } = definition;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const content = { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } };
  const operation = (action: string, parameters: readonly JsonObject[]): JsonObject => ({
    parameters,
    requestBody: { content, required: true },
    responses: { 200: { description: 'OK', content } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group, version, kind },
  });
  paths[collection] = { post: operation('post', WRITE_PARAMETERS) };
  if (definition.virtual) return;
  paths[`${collection}/{name}`] = {
    put: operation('put', WRITE_PARAMETERS),
    patch: operation('patch', APPLY_PARAMETERS),
  };
}
