/** Owns metadata: what the server fills in, and what it refuses. */
import { asArray, asObject, asString, ensureObject, isEqual, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { Strategy } from '../resources/definition.ts';
import {
  dns1035Errors,
  labelErrors,
  labelValueErrors,
  pathSegmentErrors,
  qualifiedNameErrors,
  subdomainErrors,
} from './name-rules.ts';
import type { FieldError } from './status-error.ts';

const MAX_ANNOTATION_BYTES = 256 * 1024;
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const MAX_GENERATED_BASE = 58;

const NAME_RULES: Readonly<Record<NonNullable<Strategy['nameRule']>, (name: string) => string[]>> = {
  subdomain: subdomainErrors,
  label: labelErrors,
  dnsLabel1035: dns1035Errors,
  path: pathSegmentErrors,
};

export interface MetaSources {
  now(): Date;
  uuid(): string;
  randomBytes(size: number): Uint8Array;
}

/** RFC 3339 with whole seconds, as the API writes times. */
export function renderTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** A name made of a base and five random characters. */
export function generateName(base: string, sources: Pick<MetaSources, 'randomBytes'>): string {
  const suffix = [...sources.randomBytes(5)].map((byte) => NAME_ALPHABET[byte % NAME_ALPHABET.length]).join('');
  return base.slice(0, MAX_GENERATED_BASE) + suffix;
}

/** Sets what only the server decides on a new object; a given `resourceVersion` was refused before. */
export function initializeMeta(
  object: JsonObject,
  place: { readonly namespace: string; readonly sources: MetaSources },
): void {
  const metadata = ensureObject(object, 'metadata');
  const { namespace, sources } = place;
  if (namespace === '') delete metadata['namespace'];
  else metadata['namespace'] = namespace;
  const base = asString(metadata['generateName']);
  if (asString(metadata['name']) === '' && base !== '') metadata['name'] = generateName(base, sources);
  metadata['uid'] = sources.uuid();
  metadata['creationTimestamp'] = renderTime(sources.now());
  delete metadata['deletionTimestamp'];
  delete metadata['deletionGracePeriodSeconds'];
  delete metadata['selfLink'];
  delete metadata['resourceVersion'];
  delete metadata['generation'];
}

/** Carries over what a client may not change. */
export function keepSystemMeta(object: JsonObject, old: JsonObject): void {
  const metadata = ensureObject(object, 'metadata');
  const before = asObject(old['metadata']);
  for (const field of [
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generation',
    'uid',
    'generateName',
  ]) {
    if (before[field] === undefined) {
      if (field !== 'generateName') delete metadata[field];
    } else metadata[field] = before[field];
  }
  delete metadata['selfLink'];
  if (metadata['managedFields'] === undefined && before['managedFields'] !== undefined)
    metadata['managedFields'] = before['managedFields'];
}

/** Everything wrong with the metadata of an object. */
export function validateMeta(
  object: JsonObject,
  rule: { readonly strategy: Strategy; readonly namespaced: boolean },
): FieldError[] {
  const metadata = asObject(object['metadata']);
  const name = metadata['name'];
  const errors: FieldError[] = [];
  if (asString(name) === '')
    errors.push({ kind: 'required', field: 'metadata.name', detail: 'name or generateName is required' });
  else
    errors.push(
      ...NAME_RULES[rule.strategy.nameRule ?? 'subdomain'](asString(name)).map(invalidAt('metadata.name', name)),
    );
  if (rule.namespaced) {
    errors.push(
      ...labelErrors(asString(metadata['namespace'])).map(invalidAt('metadata.namespace', metadata['namespace'])),
    );
  }
  return [
    ...errors,
    ...validateLabels(metadata['labels'], 'metadata.labels'),
    ...annotationErrors(metadata),
    ...listErrors(metadata),
  ];
}

function invalidAt(field: string, value: unknown): (detail: string) => FieldError {
  return (detail) => ({ kind: 'invalid', field, value, detail });
}

/** Keys and values of a label map at `field`. */
export function validateLabels(labels: unknown, field: string): FieldError[] {
  return Object.entries(asObject(labels)).flatMap(([key, value]) => [
    ...qualifiedNameErrors(key).map(invalidAt(field, key)),
    ...labelValueErrors(asString(value)).map(invalidAt(field, value)),
  ]);
}

function annotationErrors(metadata: JsonObject): FieldError[] {
  const annotations = Object.entries(asObject(metadata['annotations']));
  const bytes = annotations.reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(asString(value)),
    0,
  );
  const errors = annotations.flatMap(([key]) =>
    qualifiedNameErrors(key.toLowerCase()).map(invalidAt('metadata.annotations', key)),
  );
  if (bytes > MAX_ANNOTATION_BYTES) {
    errors.push({
      kind: 'tooLong',
      field: 'metadata.annotations',
      detail: `must have at most ${MAX_ANNOTATION_BYTES} bytes`,
    });
  }
  return errors;
}

function listErrors(metadata: JsonObject): FieldError[] {
  const errors: FieldError[] = [];
  for (const finalizer of asArray(metadata['finalizers'])) {
    errors.push(...qualifiedNameErrors(asString(finalizer)).map(invalidAt('metadata.finalizers', finalizer)));
  }
  let controllers = 0;
  for (const [index, owner] of asArray(metadata['ownerReferences']).entries()) {
    const field = `metadata.ownerReferences[${index}]`;
    const missing = ['apiVersion', 'kind', 'name', 'uid'].filter((part) => asString(valueAt(owner, part)) === '');
    errors.push(
      ...missing.map((part): FieldError => ({
        kind: 'invalid',
        field: `${field}.${part}`,
        value: '',
        detail: `${part === 'apiVersion' ? 'version' : part} must not be empty`,
      })),
    );
    if (valueAt(owner, 'controller') === true) controllers += 1;
  }
  if (controllers > 1) {
    const detail = 'Only one reference can have Controller set to true.';
    errors.push({ kind: 'invalid', field: 'metadata.ownerReferences', value: metadata['ownerReferences'], detail });
  }
  return errors;
}

/** What an update may not do to metadata. */
export function validateMetaUpdate(object: JsonObject, old: JsonObject): FieldError[] {
  const metadata = asObject(object['metadata']);
  const before = asObject(old['metadata']);
  const errors: FieldError[] = [];
  for (const field of ['name', 'namespace', 'uid']) {
    if (metadata[field] === before[field]) continue;
    errors.push({ kind: 'invalid', field: `metadata.${field}`, value: metadata[field], detail: 'field is immutable' });
  }
  if (before['deletionTimestamp'] === undefined) return errors;
  const known = new Set(asArray(before['finalizers']));
  const added = asArray(metadata['finalizers']).filter((finalizer) => !known.has(finalizer));
  if (added.length > 0) {
    const shown = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
    const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`;
    errors.push({ kind: 'forbidden', field: 'metadata.finalizers', detail });
  }
  return errors;
}

/** True when nothing but the listed top-level fields' content tells the two apart. */
export function sameExcept(object: JsonObject, old: JsonObject, fields: readonly string[]): boolean {
  const keys = new Set([...Object.keys(object), ...Object.keys(old)]);
  for (const key of keys) {
    if (!fields.includes(key) && !isEqual(object[key], old[key])) return false;
  }
  return true;
}

export function isBeingDeleted(object: JsonObject): boolean {
  const timestamp = valueAt(object, 'metadata', 'deletionTimestamp');
  return timestamp !== undefined && timestamp !== null;
}

export function finalizersOf(object: JsonObject): readonly string[] {
  const metadata = object['metadata'];
  return isObject(metadata) ? asArray(metadata['finalizers']).map(asString) : [];
}
