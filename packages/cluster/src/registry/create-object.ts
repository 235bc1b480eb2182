/** Owns the creation of objects: decode, fill in, admit, validate, store. */
import type { JsonObject } from '../schema/json.ts';
import { asString, cloneJson, ensureObject, valueAt } from '../schema/json.ts';
import { trackUpdate } from '../apply/managed-fields.ts';
import { decodeObject } from './decode-object.ts';
import { initializeMeta, validateMeta } from './object-meta.ts';
import { admit, fromStoredForm, subjectOf, toStoredForm } from './registry-deps.ts';
import type { CollectionTarget, RegistryDeps } from './registry-deps.ts';
import type { RequestContext } from './request-context.ts';
import { alreadyExists, badRequest, invalid } from './status-error.ts';

export interface CreateRequest {
  readonly body: unknown;
  readonly context: RequestContext;
  /** The name in the path of an apply; the body must not say another one. */
  readonly name?: string;
  /** Server-side apply brings its own managed fields. */
  readonly managedBy?: (object: JsonObject) => void;
}

/** Stores a new object and gives it back in the request's version; durable when the store's `committed()` resolves. */
export function createObject(deps: RegistryDeps, target: CollectionTarget, request: CreateRequest): JsonObject {
  const { served, namespace } = target;
  const { definition, version } = served;
  const { context } = request;
  const object = decodeObject(request.body, served, context);
  requireNamespaceMatch(object, target);
  if (asString(valueAt(object, 'metadata', 'resourceVersion')) !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  if (request.name !== undefined) ensureObject(object, 'metadata')['name'] ??= request.name;
  initializeMeta(object, { namespace, sources: deps.sources });
  if (version.subresources.has('status')) delete object['status'];
  prepare(object, target);
  const admission = {
    operation: 'create',
    served,
    namespace,
    name: nameOf(object),
    subresource: '',
    object,
    old: undefined,
    context,
  } as const;
  admit(deps, admission, 'mutate');
  if (request.managedBy !== undefined) request.managedBy(object);
  else
    trackUpdate({
      served,
      object,
      old: undefined,
      manager: context.fieldManager,
      subresource: '',
      now: deps.sources.now(),
    });
  refuseInvalid(object, target);
  admit(deps, admission, 'validate');
  const name = nameOf(object);
  if (deps.store.get(definition.table, namespace, name) !== undefined)
    throw alreadyExists({ ...subjectOf(target), name });
  const stored = toStoredForm(cloneJson(object), served);
  if (!context.dryRun) {
    deps.store.put(definition.table, stored);
    deps.onWrite?.(definition.table, stored, 'stored');
  }
  return fromStoredForm(stored, served);
}

function nameOf(object: JsonObject): string {
  return asString(valueAt(object, 'metadata', 'name'));
}

function prepare(object: JsonObject, target: CollectionTarget): void {
  const { strategy } = target.served.definition;
  target.served.version.custom?.applyDefaults(object);
  strategy.defaults?.(object);
  strategy.prepareCreate?.(object);
  if (strategy.countsGeneration === true) ensureObject(object, 'metadata')['generation'] = 1;
}

function refuseInvalid(object: JsonObject, target: CollectionTarget): void {
  const { definition, version } = target.served;
  const errors = [
    ...validateMeta(object, definition),
    ...(version.custom?.validate(object) ?? []),
    ...(definition.strategy.validate?.(object, undefined) ?? []),
  ];
  if (errors.length > 0) throw invalid({ ...subjectOf(target), name: nameOf(object) }, errors);
}

export function requireNamespaceMatch(object: JsonObject, target: CollectionTarget): void {
  const given = asString(valueAt(object, 'metadata', 'namespace'));
  if (given === '' || given === target.namespace) return;
  throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}
