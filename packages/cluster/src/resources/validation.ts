/** Owns rules that several built-in kinds share. */
import { asArray, asObject, asString, isEqual, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { builtInType } from '../schema/built-in-types.ts';
import type { Schema } from '../schema/schema.ts';
import { dataKeyErrors, labelErrors } from '../registry/name-rules.ts';
import type { FieldError } from '../registry/status-error.ts';

const MAX_DATA_BYTES = 1_048_576;
const JUDGED = ['spec', 'rules', 'roleRef', 'subjects', 'webhooks', 'provisioner'];

/** `Required value` for every missing field that its type requires; status is not judged. */
export function requiredErrors(object: JsonObject, model: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [field, { schema, required }] of builtInType(model).fields) {
    if (!JUDGED.includes(field)) continue;
    if (object[field] === undefined) {
      if (required) errors.push({ kind: 'required', field });
    } else walkRequired(object[field], schema, { path: field, errors });
  }
  return errors;
}

function walkRequired(
  value: unknown,
  schema: Schema,
  place: { readonly path: string; readonly errors: FieldError[] },
): void {
  const { path, errors } = place;
  if (schema.kind === 'list') {
    for (const [index, item] of asArray(value).entries())
      walkRequired(item, schema.element, { path: `${path}[${index}]`, errors });
    return;
  }
  if (schema.kind !== 'struct' || !isObject(value)) return;
  for (const [field, { schema: inner, required }] of schema.fields) {
    const present = value[field];
    const isMissing = present === undefined || (Array.isArray(present) && present.length === 0);
    if (required && isMissing) errors.push({ kind: 'required', field: `${path}.${field}` });
    else if (present !== undefined && field !== 'status' && field !== 'metadata')
      walkRequired(present, inner, { path: `${path}.${field}`, errors });
  }
}

/** `field is immutable` when a field of the spec changed. */
export function immutable(
  spec: JsonObject,
  old: JsonObject,
  { field, path }: { readonly field: string; readonly path: string },
): FieldError[] {
  if (isEqual(spec[field], old[field])) return [];
  return [{ kind: 'invalid', field: path, value: spec[field] ?? null, detail: 'field is immutable' }];
}

/** Each claim template of a StatefulSet becomes a volume of that name. */
export function withClaimVolumes(podSpec: JsonObject, claimTemplates: unknown): JsonObject {
  const own = asArray(podSpec['volumes']);
  const names = new Set(own.map((volume) => valueAt(volume, 'name')));
  const claims = asArray(claimTemplates).map((claim) => ({ name: valueAt(claim, 'metadata', 'name') }));
  return { ...podSpec, volumes: [...own, ...claims.filter(({ name }) => !names.has(name))] };
}

/** Names, mounts and policies of a pod's containers. */
export function validatePodSpec(spec: JsonObject, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const volumes = new Set(asArray(spec['volumes']).map((volume) => asString(valueAt(volume, 'name'))));
  const seen = new Set<string>();
  for (const list of ['initContainers', 'containers']) {
    for (const [index, value] of asArray(spec[list]).entries()) {
      const place = `${path}.${list}[${index}]`;
      errors.push(...validateContainer(asObject(value), { place, volumes, seen }));
    }
  }
  errors.push(...duplicates(asArray(spec['volumes']), `${path}.volumes`));
  errors.push(...oneOf(spec['restartPolicy'], ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`));
  errors.push(
    ...oneOf(spec['dnsPolicy'], ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${path}.dnsPolicy`),
  );
  return errors;
}

interface ContainerPlace {
  readonly place: string;
  readonly volumes: ReadonlySet<string>;
  readonly seen: Set<string>;
}

function validateContainer(container: JsonObject, { place, volumes, seen }: ContainerPlace): FieldError[] {
  const errors: FieldError[] = [];
  const name = asString(container['name']);
  if (name !== '')
    errors.push(
      ...labelErrors(name).map((detail): FieldError => ({
        kind: 'invalid',
        field: `${place}.name`,
        value: name,
        detail,
      })),
    );
  if (seen.has(name)) errors.push({ kind: 'duplicate', field: `${place}.name`, value: name });
  seen.add(name);
  if (asString(container['image']) === '') errors.push({ kind: 'required', field: `${place}.image` });
  for (const [index, mount] of asArray(container['volumeMounts']).entries()) {
    const volume = asString(valueAt(mount, 'name'));
    if (!volumes.has(volume))
      errors.push({ kind: 'notFound', field: `${place}.volumeMounts[${index}].name`, value: volume });
  }
  errors.push(...oneOf(container['imagePullPolicy'], ['Always', 'IfNotPresent', 'Never'], `${place}.imagePullPolicy`));
  return errors;
}

function duplicates(items: readonly unknown[], path: string): FieldError[] {
  const seen = new Set<string>();
  return items.flatMap((item, index): FieldError[] => {
    const name = asString(valueAt(item, 'name'));
    const known = seen.has(name);
    seen.add(name);
    return known ? [{ kind: 'duplicate', field: `${path}[${index}].name`, value: name }] : [];
  });
}

/** `Unsupported value` unless absent or one of the list. */
export function oneOf(value: unknown, allowed: readonly string[], field: string): FieldError[] {
  if (value === undefined || allowed.includes(asString(value))) return [];
  const shown = [...allowed]
    .toSorted()
    .map((item) => JSON.stringify(item))
    .join(', ');
  return [{ kind: 'unsupported', field, value, detail: `supported values: ${shown}` }];
}

/** Keys and size of a ConfigMap's or Secret's data; the same for what an immutable one may not change. */
export function validateData(object: JsonObject, fields: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  let bytes = 0;
  for (const field of fields) {
    for (const [key, value] of Object.entries(asObject(object[field]))) {
      errors.push(
        ...dataKeyErrors(key).map((detail): FieldError => ({
          kind: 'invalid',
          field: `${field}[${key}]`,
          value: key,
          detail,
        })),
      );
      bytes += asString(value).length;
    }
  }
  if (bytes > MAX_DATA_BYTES * 1.4)
    errors.push({ kind: 'tooLong', field: fields[0] ?? '', detail: `may not be more than ${MAX_DATA_BYTES} bytes` });
  return errors;
}

export function validateFrozen(
  object: JsonObject,
  old: JsonObject | undefined,
  fields: readonly string[],
): FieldError[] {
  if (old?.['immutable'] !== true) return [];
  const errors = fields
    .filter((field) => !isEqual(object[field], old[field]))
    .map((field): FieldError => ({ kind: 'forbidden', field, detail: 'field is immutable when `immutable` is set' }));
  if (object['immutable'] !== true)
    errors.push({ kind: 'forbidden', field: 'immutable', detail: 'field is immutable when `immutable` is set' });
  return errors;
}
