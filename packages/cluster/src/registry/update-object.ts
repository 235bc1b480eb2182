/** Owns changes to objects: the new form is made from the old one, then judged, admitted and stored. */
import { trackUpdate } from '../apply/managed-fields.ts';
import { asObject, asString, cloneJson, ensureObject, isEqual, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { StoredObject } from '../store/stored-object.ts';
import { parseStored } from '../store/stored-object.ts';
import { requireNamespaceMatch } from './create-object.ts';
import { decodeObject } from './decode-object.ts';
import {
  finalizersOf,
  isBeingDeleted,
  keepSystemMeta,
  sameExcept,
  validateMeta,
  validateMetaUpdate,
} from './object-meta.ts';
import { admit, fromStoredForm, readObject, requireStored, subjectOf, toStoredForm } from './registry-deps.ts';
import type { RegistryDeps, Target } from './registry-deps.ts';
import type { RequestContext } from './request-context.ts';
import { badRequest, conflict, invalid, STALE_OBJECT } from './status-error.ts';

export interface UpdateRequest {
  readonly context: RequestContext;
  /** The whole new object in the request's version, from a private copy of the present one. */
  readonly produce: (current: JsonObject) => unknown;
  /** Server-side apply brings its own managed fields. */
  readonly managedBy?: (object: JsonObject, old: JsonObject) => void;
  /** A PUT of a kind with strict locking must name the version that it replaces. */
  readonly isReplace?: boolean;
}

/** Stores the new form and gives it back; an update that changes nothing writes nothing. */
export function updateObject(deps: RegistryDeps, target: Target, request: UpdateRequest): JsonObject {
  const stored = requireStored(deps, target);
  const old = readObject(stored, target.served);
  const object = decodeObject(request.produce(cloneJson(old)), target.served, request.context);
  requireSameObject(object, target);
  requireFreshVersion(object, { stored, target, isReplace: request.isReplace === true });
  keepSystemMeta(object, old);
  keepOtherParts(object, old, target);
  prepare(object, old, target);
  const { served, namespace, name, subresource } = target;
  const admission = {
    operation: 'update',
    served,
    namespace,
    name,
    subresource,
    object,
    old,
    context: request.context,
  } as const;
  admit(deps, admission, 'mutate');
  const isSame = isSameState(object, old);
  if (isSame && request.managedBy === undefined) return old;
  countGeneration(object, old, target);
  const { context } = request;
  if (request.managedBy !== undefined) request.managedBy(object, old);
  else trackUpdate({ served, object, old, manager: context.fieldManager, subresource, now: deps.sources.now() });
  if (isSame && isEqual(valueAt(object, 'metadata', 'managedFields'), valueAt(old, 'metadata', 'managedFields')))
    return old;
  refuseInvalid(object, old, target);
  admit(deps, admission, 'validate');
  return save(deps, { target, object, stored, context });
}

function requireSameObject(object: JsonObject, target: Target): void {
  requireNamespaceMatch(object, target);
  const metadata = ensureObject(object, 'metadata');
  if (target.namespace !== '') metadata['namespace'] = target.namespace;
  const given = asString(metadata['name']);
  if (given === '') throw badRequest('name must be provided');
  if (given === target.name) return;
  throw badRequest(`the name of the object (${given}) does not match the name on the URL (${target.name})`);
}

interface Freshness {
  readonly stored: StoredObject;
  readonly target: Target;
  readonly isReplace: boolean;
}

function requireFreshVersion(object: JsonObject, { stored, target, isReplace }: Freshness): void {
  const metadata = asObject(object['metadata']);
  const given = asString(metadata['resourceVersion']);
  const subject = subjectOf(target);
  if (given === '' && isReplace && target.served.definition.strategy.requiresResourceVersion === true) {
    throw invalid(subject, [
      { kind: 'invalid', field: 'metadata.resourceVersion', value: 0, detail: 'must be specified for an update' },
    ]);
  }
  if (given !== '' && given !== '0' && given !== String(stored.revision)) throw conflict(subject, STALE_OBJECT);
  const uid = asString(metadata['uid']);
  if (uid !== '' && uid !== stored.uid) {
    throw conflict(subject, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${stored.uid}`);
  }
}

/** A subresource changes its own part only, and the object itself everything but the status. */
function keepOtherParts(object: JsonObject, old: JsonObject, target: Target): void {
  const { subresource, served } = target;
  if (subresource === '') {
    if (served.version.subresources.has('status')) restore(object, old, 'status');
    return;
  }
  const kept = subresource === 'status' ? 'status' : subresource === 'finalize' ? 'spec' : undefined;
  if (kept === undefined) return;
  for (const key of new Set([...Object.keys(object), ...Object.keys(old)])) {
    if (key !== kept && key !== 'metadata') restore(object, old, key);
  }
  const metadata = ensureObject(object, 'metadata');
  const before = asObject(old['metadata']);
  if (served.definition.customResource) {
    const { managedFields } = metadata;
    object['metadata'] = { ...before, managedFields };
    if (managedFields === undefined) delete asObject(object['metadata'])['managedFields'];
    return;
  }
  restore(metadata, before, 'finalizers');
  restore(metadata, before, 'ownerReferences');
}

function restore(object: JsonObject, old: JsonObject, field: string): void {
  if (old[field] === undefined) delete object[field];
  else object[field] = cloneJson(old[field]);
}

function prepare(object: JsonObject, old: JsonObject, target: Target): void {
  const { strategy } = target.served.definition;
  target.served.version.custom?.applyDefaults(object);
  strategy.defaults?.(object);
  if (target.subresource !== 'status') strategy.prepareUpdate?.(object, old);
}

function isSameState(object: JsonObject, old: JsonObject): boolean {
  const metadata = { ...asObject(object['metadata']) };
  const before = { ...asObject(old['metadata']) };
  for (const part of [metadata, before]) {
    delete part['resourceVersion'];
    delete part['managedFields'];
  }
  return isEqual(metadata, before) && sameExcept(object, old, ['metadata']) && !wantsNoManagers(object);
}

/** A single empty entry is the documented way to reset managedFields. */
function wantsNoManagers(object: JsonObject): boolean {
  return isEqual(valueAt(object, 'metadata', 'managedFields'), [{}]);
}

function countGeneration(object: JsonObject, old: JsonObject, target: Target): void {
  if (target.served.definition.strategy.countsGeneration !== true) return;
  if (sameExcept(object, old, ['metadata', 'status', 'apiVersion', 'kind'])) return;
  const before = valueAt(old, 'metadata', 'generation');
  ensureObject(object, 'metadata')['generation'] = (typeof before === 'number' ? before : 0) + 1;
}

function refuseInvalid(object: JsonObject, old: JsonObject, target: Target): void {
  const { definition, version } = target.served;
  const errors = [
    ...validateMeta(object, definition),
    ...validateMetaUpdate(object, old),
    ...(version.custom?.validate(object) ?? []),
    ...(target.subresource === 'status' ? [] : (definition.strategy.validate?.(object, old) ?? [])),
  ];
  if (errors.length > 0) throw invalid(subjectOf(target), errors);
}

interface Save {
  readonly target: Target;
  readonly object: JsonObject;
  readonly stored: StoredObject;
  readonly context: RequestContext;
}

function save(deps: RegistryDeps, { target, object, stored, context }: Save): JsonObject {
  const { table } = target.served.definition;
  const next = toStoredForm(cloneJson(object), target.served);
  if (context.dryRun) return fromStoredForm(next, target.served);
  if (isFinished(next)) {
    const last = deps.store.remove(stored);
    deps.onWrite?.(table, next, 'removed');
    ensureObject(next, 'metadata')['resourceVersion'] = String(last.revision);
    return fromStoredForm(next, target.served);
  }
  const written = deps.store.put(table, next);
  deps.onWrite?.(table, next, 'stored');
  return fromStoredForm(parseStored(written), target.served);
}

/** A deleted object goes away with its last finalizer, unless a grace period still runs. */
function isFinished(object: JsonObject): boolean {
  if (!isBeingDeleted(object) || finalizersOf(object).length > 0) return false;
  const contentFinalizers = valueAt(object, 'spec', 'finalizers');
  if (object['kind'] === 'Namespace' && Array.isArray(contentFinalizers) && contentFinalizers.length > 0) return false;
  const grace = valueAt(object, 'metadata', 'deletionGracePeriodSeconds');
  return typeof grace !== 'number' || grace === 0;
}
