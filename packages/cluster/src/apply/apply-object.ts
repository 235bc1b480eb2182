/** Owns server-side apply: claims, conflicts, and the object that has what was applied. */
import { asArray, asObject, asString, cloneJson, ensureObject, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { createObject } from '../registry/create-object.ts';
import { decodeObject } from '../registry/decode-object.ts';
import { renderTime } from '../registry/object-meta.ts';
import { readObject } from '../registry/registry-deps.ts';
import type { PatchOutcome, RegistryDeps, Target } from '../registry/registry-deps.ts';
import type { RequestContext } from '../registry/request-context.ts';
import { badRequest, notFound, StatusError } from '../registry/status-error.ts';
import type { StatusCause } from '../registry/status-error.ts';
import { updateObject } from '../registry/update-object.ts';
import { servedApiVersion } from '../resources/definition.ts';
import { compareValues, fieldsOf } from './compare.ts';
import type { Comparison } from './compare.ts';
import { intersection, isEmptySet, isSameSet, renderPaths, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { takeAway, withoutServerFields } from './managed-fields.ts';
import { isSameManager, parseManagers, setOf, writeManagers } from './managers.ts';
import type { Manager, ManagerKey } from './managers.ts';
import { mergeApplied, removeUnclaimed } from './merge-applied.ts';

export interface ApplyRequest {
  readonly patch: unknown;
  readonly context: RequestContext;
  readonly force: boolean;
}

/** Creates or changes the object so that it has what the configuration says; 409 when others own a field and say otherwise. */
export function applyObject(deps: RegistryDeps, target: Target, request: ApplyRequest): PatchOutcome {
  const { served, subresource } = target;
  const { context } = request;
  const config = readConfig(target, request);
  const stored = deps.store.get(served.definition.table, target.namespace, target.name);
  const key: ManagerKey = {
    name: context.fieldManager,
    operation: 'Apply',
    apiVersion: servedApiVersion(served),
    subresource,
  };
  const claims = withoutServerFields(fieldsOf(config, served.version.schema));
  if (stored === undefined) {
    if (subresource !== '')
      throw notFound({ group: served.definition.group, plural: served.definition.plural, name: target.name });
    if (asString(asObject(config['metadata'])['uid']) !== '') throw uidWithoutObject(target, config);
    const managedBy = (object: JsonObject): void =>
      writeManagers(object, [{ ...key, time: renderTime(deps.sources.now()), set: claims }]);
    return {
      object: createObject(deps, target, { body: config, context, name: target.name, managedBy }),
      created: true,
    };
  }
  const live = readObject(stored, served);
  const plan = planApply(live, config, { target, key, claims, force: request.force });
  const managedBy = (object: JsonObject, old: JsonObject): void => {
    writeManagers(object, stamp(plan.managers, { key, old, object, now: deps.sources.now() }));
  };
  return { object: updateObject(deps, target, { context, produce: () => plan.object, managedBy }), created: false };
}

function readConfig(target: Target, { patch, context }: ApplyRequest): JsonObject {
  if (!isObject(patch)) throw badRequest('error decoding YAML: the patch is not an object');
  if (asArray(asObject(patch['metadata'])['managedFields']).length > 0) {
    throw badRequest('metadata.managedFields must be nil');
  }
  const named = cloneJson(patch);
  const metadata = ensureObject(named, 'metadata');
  metadata['name'] ??= target.name;
  if (target.namespace !== '') metadata['namespace'] ??= target.namespace;
  const config = decodeObject(named, target.served, context);
  if (asString(asObject(config['metadata'])['name']) !== target.name) {
    throw badRequest(
      `the name of the object (${asString(asObject(config['metadata'])['name'])}) does not match the name on the URL (${target.name})`,
    );
  }
  // A part that this endpoint does not change is not claimed either.
  if (target.subresource === '' && target.served.version.subresources.has('status')) delete config['status'];
  if (target.subresource === 'status') {
    for (const field of Object.keys(config))
      if (!['apiVersion', 'kind', 'metadata', 'status'].includes(field)) delete config[field];
  }
  return config;
}

function uidWithoutObject(target: Target, config: JsonObject): StatusError {
  const uid = asString(asObject(config['metadata'])['uid']);
  const { group, plural } = target.served.definition;
  const name = group === '' ? plural : `${plural}.${group}`;
  const message = `Operation cannot be fulfilled on ${name} "${target.name}": uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
  return new StatusError(409, 'Conflict', { message, details: { name: target.name, kind: plural } });
}

interface Plan {
  readonly object: JsonObject;
  readonly managers: readonly Manager[];
}

interface PlanInput {
  readonly target: Target;
  readonly key: ManagerKey;
  readonly claims: FieldSet;
  readonly force: boolean;
}

function planApply(live: JsonObject, config: JsonObject, { target, key, claims, force }: PlanInput): Plan {
  const { schema } = target.served.version;
  const managers = parseManagers(live);
  const others = managers.filter((manager) => !isSameManager(manager, key));
  const object = mergeApplied(cloneJson(live), config, schema) as JsonObject;
  const kept = others.map((manager) => manager.set).reduce(union, claims);
  removeUnclaimed(object, setOf(managers, key), { kept, schema });
  const changes = compareValues(live, object, schema);
  if (!force) refuseConflicts(others, changes);
  const time = managers.find((manager) => isSameManager(manager, key))?.time ?? '';
  return { object, managers: [...others.map((manager) => takeAway(manager, changes)), { ...key, time, set: claims }] };
}

/** Keeps the time of an apply that changed nothing. */
function stamp(
  managers: readonly Manager[],
  {
    key,
    old,
    object,
    now,
  }: { readonly key: ManagerKey; readonly old: JsonObject; readonly object: JsonObject; readonly now: Date },
): Manager[] {
  const before = parseManagers(old).find((manager) => isSameManager(manager, key));
  const same = JSON.stringify({ ...object, metadata: 0 }) === JSON.stringify({ ...old, metadata: 0 });
  return managers.map((manager) => {
    if (!isSameManager(manager, key)) return manager;
    const unchanged = same && before !== undefined && isSameSet(before.set, manager.set);
    return { ...manager, time: unchanged ? before.time : renderTime(now) };
  });
}

function refuseConflicts(others: readonly Manager[], changes: Comparison): void {
  const changed = union(changes.modified, changes.added);
  const conflicts = others.flatMap((manager) => {
    const fields = intersection(manager.set, changed);
    return isEmptySet(fields) ? [] : renderPaths(fields).map((path) => ({ manager: renderManagerName(manager), path }));
  });
  if (conflicts.length === 0) return;
  const causes = conflicts.map(({ manager, path }): StatusCause => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field: path,
  }));
  throw new StatusError(409, 'Conflict', { message: conflictMessage(conflicts), details: { causes } });
}

function renderManagerName({ name, operation, apiVersion, subresource }: Manager): string {
  if (operation === 'Apply') return JSON.stringify(name);
  const through = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(name)}${through} using ${apiVersion}`;
}

function conflictMessage(conflicts: readonly { readonly manager: string; readonly path: string }[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined)
    return `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.path}`;
  const managers = [...new Set(conflicts.map((conflict) => conflict.manager))].toSorted();
  const lines = managers.flatMap((manager) => [
    `conflicts with ${manager}:`,
    ...conflicts.filter((conflict) => conflict.manager === manager).map((conflict) => `- ${conflict.path}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}
