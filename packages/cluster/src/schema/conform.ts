/**
 * Owns the judgement of a built-in object against its type: what a strictly typed server would refuse, drop or rewrite.
 * Unknown fields and nulls go, empty optional maps and lists go, quantities become canonical.
 */
import { isObject, setOwn } from './json.ts';
import type { JsonObject } from './json.ts';
import { canonicalQuantity } from './quantity.ts';
import { shortTypeName } from './built-in-types.ts';
import type { ScalarType, Schema, StructSchema } from './schema.ts';

export interface ConformResult {
  readonly object: JsonObject;
  /** Paths of fields that the type does not have. */
  readonly unknown: readonly string[];
}

/** Thrown for a value of the wrong type; the message is what a Go server says. */
export class TypeMismatch extends Error {}

interface Walk {
  readonly unknown: string[];
  depth: number;
}

interface Place {
  /** As strict decoding names it: `spec.containers[0].image`. */
  readonly path: string;
  /** As the JSON decoder names it: `Deployment.spec.replicas`. */
  readonly owner: string;
}

const MAX_DEPTH = 128;
const GO_TYPES: Readonly<Record<ScalarType, string>> = {
  string: 'string',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  boolean: 'bool',
  'date-time': 'string',
  'int-or-string': 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  byte: '[]uint8',
};

/** A cleaned copy of `object`; throws TypeMismatch. */
export function conform(object: JsonObject, schema: StructSchema): ConformResult {
  const walk: Walk = { unknown: [], depth: 0 };
  const place = { path: '', owner: shortTypeName(schema.name) };
  const result = conformStruct(object, { schema, place, walk });
  return { object: result, unknown: walk.unknown };
}

interface Step<S extends Schema = Schema> {
  readonly schema: S;
  readonly place: Place;
  readonly walk: Walk;
}

function conformValue(value: unknown, step: Step): unknown {
  const { schema, place, walk } = step;
  if (walk.depth > MAX_DEPTH) throw new TypeMismatch('exceeded max depth');
  walk.depth += 1;
  try {
    switch (schema.kind) {
      case 'any':
        return value;
      case 'scalar':
        return conformScalar(value, schema.type, place);
      case 'list':
        return conformList(value, { schema, place, walk });
      case 'map':
        return conformMap(value, { schema, place, walk });
      case 'struct':
        if (!isObject(value)) throw mismatch(value, place, shortTypeName(schema.name));
        return conformStruct(value, { schema, place, walk });
    }
  } finally {
    walk.depth -= 1;
  }
}

function conformStruct(value: JsonObject, { schema, place, walk }: Step<StructSchema>): JsonObject {
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const path = place.path === '' ? key : `${place.path}.${key}`;
    const field = schema.fields.get(key);
    if (field === undefined) {
      walk.unknown.push(path);
      continue;
    }
    if (value[key] === null) continue;
    const inner = conformValue(value[key], {
      schema: field.schema,
      place: { path, owner: `${ownerName(place, schema)}.${key}` },
      walk,
    });
    if (!field.required && isEmptyCollection(inner, field.schema)) continue;
    result[key] = inner;
  }
  return result;
}

function ownerName(place: Place, schema: StructSchema): string {
  return place.path === '' ? place.owner : `${shortTypeName(schema.name)}.${place.path.replaceAll(/\[\d+\]/g, '')}`;
}

function isEmptyCollection(value: unknown, schema: Schema): boolean {
  if (schema.kind === 'list') return Array.isArray(value) && value.length === 0;
  return schema.kind === 'map' && isObject(value) && Object.keys(value).length === 0;
}

function conformList(value: unknown, { schema, place, walk }: Step<Extract<Schema, { kind: 'list' }>>): unknown[] {
  if (!Array.isArray(value)) throw mismatch(value, place, goListType(schema));
  return value.map((item: unknown, index) => {
    const itemPlace = { path: `${place.path}[${index}]`, owner: place.owner };
    if (item === null && schema.element.kind !== 'any') return schema.element.kind === 'struct' ? {} : '';
    return conformValue(item, { schema: schema.element, place: itemPlace, walk });
  });
}

function goListType(schema: Extract<Schema, { kind: 'list' }>): string {
  const { element } = schema;
  if (element.kind === 'struct') return `[]v1.${shortTypeName(element.name)}`;
  return element.kind === 'scalar' ? `[]${GO_TYPES[element.type]}` : '[]interface {}';
}

function conformMap(value: unknown, { schema, place, walk }: Step<Extract<Schema, { kind: 'map' }>>): JsonObject {
  if (!isObject(value)) throw mismatch(value, place, 'map[string]string');
  const result: JsonObject = {};
  for (const key of Object.keys(value)) {
    const inner = value[key];
    const isText =
      schema.element.kind === 'scalar' && (schema.element.type === 'string' || schema.element.type === 'byte');
    if (inner === null && isText) setOwn(result, key, '');
    else
      setOwn(
        result,
        key,
        conformValue(inner, {
          schema: schema.element,
          place: { path: `${place.path}.${key}`, owner: place.owner },
          walk,
        }),
      );
  }
  return result;
}

const CHECKS: Readonly<Record<ScalarType, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  byte: (value) => typeof value === 'string' && isBase64(value),
  'date-time': (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
  boolean: (value) => typeof value === 'boolean',
  double: (value) => typeof value === 'number',
  int32: (value) => Number.isInteger(value) && Math.abs(value as number) <= 2 ** 31,
  int64: (value) => Number.isInteger(value),
  'int-or-string': (value) => typeof value === 'string' || Number.isInteger(value),
  quantity: (value) => canonicalQuantity(value) !== undefined,
};

function conformScalar(value: unknown, type: ScalarType, place: Place): unknown {
  if (CHECKS[type](value)) return type === 'quantity' ? canonicalQuantity(value) : value;
  if (type === 'quantity') {
    throw new TypeMismatch(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  }
  if (type === 'byte' && typeof value === 'string') throw new TypeMismatch('illegal base64 data at input byte 0');
  if (type === 'date-time' && typeof value === 'string') {
    throw new TypeMismatch(`parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse`);
  }
  throw mismatch(value, place, GO_TYPES[type]);
}

function isBase64(text: string): boolean {
  return /^(?:[A-Za-z0-9+/]{4}|\s)*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\s*$/.test(text);
}

function mismatch(value: unknown, place: Place, goType: string): TypeMismatch {
  const name = Array.isArray(value)
    ? 'array'
    : isObject(value)
      ? 'object'
      : typeof value === 'boolean'
        ? 'bool'
        : typeof value;
  const shown = typeof value === 'number' && goType.startsWith('int') ? `number ${value}` : name;
  return new TypeMismatch(`json: cannot unmarshal ${shown} into Go struct field ${place.owner} of type ${goType}`);
}
