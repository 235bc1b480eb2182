/** Owns validation of values against a structural schema, with the texts that the API uses. */
import { asArray, asObject, asString, isEqual, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { FieldError } from '../registry/status-error.ts';
import { formatError } from './formats.ts';

const MAX_ERRORS = 32;

/** Everything wrong with `value`; `path` is empty for the root. */
export function validateValue(value: unknown, schema: JsonObject, path = ''): FieldError[] {
  const errors: FieldError[] = [];
  check(value, schema, { path, errors });
  return errors.slice(0, MAX_ERRORS);
}

interface Place {
  readonly path: string;
  readonly errors: FieldError[];
}

function check(value: unknown, schema: JsonObject, place: Place): void {
  if (place.errors.length > MAX_ERRORS) return;
  if (value === null && schema['nullable'] === true) return;
  if (!checkType(value, schema, place)) return;
  checkEnum(value, schema, place);
  if (typeof value === 'string') checkString(value, schema, place);
  else if (typeof value === 'number') checkNumber(value, schema, place);
  else if (Array.isArray(value)) checkArray(value, schema, place);
  else if (isObject(value)) checkObject(value, schema, place);
  checkCombinations(value, schema, place);
}

function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: unknown, schema: JsonObject, { path, errors }: Place): boolean {
  const actual = nameOf(value);
  if (schema['x-kubernetes-int-or-string'] === true) {
    if (actual === 'integer' || actual === 'string') return true;
    errors.push({
      kind: 'typeInvalid',
      field: path,
      value: actual,
      detail: `${path} in body must be of type integer,string: ${JSON.stringify(actual)}`,
    });
    return false;
  }
  const wanted = schema['type'];
  if (typeof wanted !== 'string' || wanted === actual || (wanted === 'number' && actual === 'integer')) return true;
  errors.push({
    kind: 'typeInvalid',
    field: path === '' ? '<nil>' : path,
    value: actual,
    detail: `${path} in body must be of type ${wanted}: ${JSON.stringify(actual)}`,
  });
  return false;
}

function checkEnum(value: unknown, schema: JsonObject, { path, errors }: Place): void {
  const allowed = schema['enum'];
  if (!Array.isArray(allowed) || allowed.some((item) => isEqual(item, value))) return;
  const shown = allowed.map((item) => JSON.stringify(item)).join(', ');
  errors.push({ kind: 'unsupported', field: path, value, detail: `supported values: ${shown}` });
}

function checkString(value: string, schema: JsonObject, { path, errors }: Place): void {
  const { minLength, maxLength, pattern, format } = schema;
  const size = [...value].length;
  if (typeof maxLength === 'number' && size > maxLength) {
    errors.push({ kind: 'tooLong', field: path, detail: `may not be more than ${maxLength} bytes` });
  }
  if (typeof minLength === 'number' && size < minLength) {
    errors.push({
      kind: 'invalid',
      field: path,
      value,
      detail: `${path} in body should be at least ${minLength} chars long`,
    });
  }
  if (typeof pattern === 'string' && compilePattern(pattern)?.test(value) === false) {
    errors.push({ kind: 'invalid', field: path, value, detail: `${path} in body should match '${pattern}'` });
  }
  const wrong = typeof format === 'string' ? formatError(format, value) : undefined;
  if (wrong !== undefined)
    errors.push({
      kind: 'invalid',
      field: path,
      value,
      detail: `${path} in body must be of type ${format as string}: ${JSON.stringify(value)}`,
    });
}

const patterns = new Map<string, RegExp | undefined>();

/** RE2 as JavaScript; undefined for what JavaScript does not know (such a pattern is not enforced). */
function compilePattern(pattern: string): RegExp | undefined {
  if (patterns.has(pattern)) return patterns.get(pattern);
  let compiled: RegExp | undefined;
  try {
    compiled = new RegExp(pattern.replaceAll('\\A', '^').replaceAll(/\\z/gi, '$'), 'u');
  } catch {
    try {
      compiled = new RegExp(pattern);
    } catch {
      compiled = undefined;
    }
  }
  if (patterns.size > 1000) patterns.clear();
  patterns.set(pattern, compiled);
  return compiled;
}

function checkNumber(value: number, schema: JsonObject, { path, errors }: Place): void {
  const { minimum, maximum, multipleOf } = schema;
  const refuse = (detail: string): void =>
    void errors.push({ kind: 'invalid', field: path, value, detail: `${path} in body ${detail}` });
  if (typeof minimum === 'number') {
    if (schema['exclusiveMinimum'] === true ? value <= minimum : value < minimum) {
      refuse(
        schema['exclusiveMinimum'] === true
          ? `should be greater than ${minimum}`
          : `should be greater than or equal to ${minimum}`,
      );
    }
  }
  if (typeof maximum === 'number') {
    if (schema['exclusiveMaximum'] === true ? value >= maximum : value > maximum) {
      refuse(
        schema['exclusiveMaximum'] === true
          ? `should be less than ${maximum}`
          : `should be less than or equal to ${maximum}`,
      );
    }
  }
  if (typeof multipleOf === 'number' && multipleOf > 0 && !Number.isInteger(value / multipleOf))
    refuse(`should be a multiple of ${multipleOf}`);
}

function checkArray(value: readonly unknown[], schema: JsonObject, { path, errors }: Place): void {
  const { minItems, maxItems } = schema;
  if (typeof maxItems === 'number' && value.length > maxItems) {
    errors.push({ kind: 'tooMany', field: path, value: value.length, detail: `must have at most ${maxItems} items` });
  }
  if (typeof minItems === 'number' && value.length < minItems) {
    errors.push({
      kind: 'invalid',
      field: path,
      value: value.length,
      detail: `${path} in body should have at least ${minItems} items`,
    });
  }
  checkUnique(value, schema, { path, errors });
  const items = asObject(schema['items']);
  for (const [index, item] of value.entries()) check(item, items, { path: `${path}[${index}]`, errors });
}

function checkUnique(value: readonly unknown[], schema: JsonObject, { path, errors }: Place): void {
  const type = schema['x-kubernetes-list-type'];
  const keys = asArray(schema['x-kubernetes-list-map-keys']).map(asString);
  if (type !== 'set' && type !== 'map') return;
  const seen = new Set<string>();
  for (const [index, item] of value.entries()) {
    const identity = type === 'set' ? item : Object.fromEntries(keys.map((key) => [key, asObject(item)[key]]));
    const text = JSON.stringify(identity) ?? '';
    if (seen.has(text)) errors.push({ kind: 'duplicate', field: `${path}[${index}]`, value: identity });
    seen.add(text);
  }
}

function checkObject(value: JsonObject, schema: JsonObject, { path, errors }: Place): void {
  const join = (key: string): string => (path === '' ? key : `${path}.${key}`);
  for (const key of asArray(schema['required']).map(asString)) {
    if (!Object.hasOwn(value, key)) errors.push({ kind: 'required', field: join(key) });
  }
  const { minProperties, maxProperties } = schema;
  const count = Object.keys(value).length;
  if (typeof maxProperties === 'number' && count > maxProperties) {
    errors.push({ kind: 'tooMany', field: path, value: count, detail: `must have at most ${maxProperties} items` });
  }
  if (typeof minProperties === 'number' && count < minProperties) {
    errors.push({
      kind: 'invalid',
      field: path,
      value: count,
      detail: `${path} in body should have at least ${minProperties} properties`,
    });
  }
  const properties = asObject(schema['properties']);
  const additional = schema['additionalProperties'];
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(properties, key)) check(value[key], asObject(properties[key]), { path: join(key), errors });
    else if (isObject(additional)) check(value[key], additional, { path: join(key), errors });
  }
}

function passes(value: unknown, schema: unknown, path: string): boolean {
  return validateValue(value, asObject(schema), path).length === 0;
}

function checkCombinations(value: unknown, schema: JsonObject, { path, errors }: Place): void {
  const shown = path === '' ? '<nil>' : path;
  const refuse = (detail: string): void =>
    void errors.push({ kind: 'invalid', field: shown, value: '', detail: `${JSON.stringify(path)} ${detail}` });
  for (const part of asArray(schema['allOf'])) check(value, asObject(part), { path, errors });
  const { anyOf, oneOf, not } = schema;
  if (Array.isArray(anyOf) && !anyOf.some((part) => passes(value, part, path)))
    refuse('must validate at least one schema (anyOf)');
  if (Array.isArray(oneOf)) {
    const valid = oneOf.filter((part) => passes(value, part, path)).length;
    if (valid !== 1)
      refuse(`must validate one and only one schema (oneOf). Found ${valid === 0 ? 'none' : String(valid)} valid`);
  }
  if (isObject(not) && passes(value, not, path)) refuse('must not validate the schema (not)');
}
