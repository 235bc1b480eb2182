/** Owns deletion: preconditions, finalizers, propagation, grace periods. */
import { asArray, asObject, asString, cloneJson, ensureObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { StoredObject } from '../store/stored-object.ts';
import { finalizersOf, isBeingDeleted, renderTime } from './object-meta.ts';
import { admit, fromStoredForm, readObject, requireStored, subjectOf, toStoredForm } from './registry-deps.ts';
import type { RegistryDeps, Target } from './registry-deps.ts';
import type { RequestContext } from './request-context.ts';
import { badRequest, conflict } from './status-error.ts';
import type { Status } from './status-error.ts';

export interface DeleteRequest {
  readonly context: RequestContext;
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** What is left: the object that waits for its finalizers or its node, or a Status once it is gone. */
export type DeleteOutcome =
  | { readonly kind: 'waiting'; readonly object: JsonObject }
  | { readonly kind: 'gone'; readonly object: JsonObject; readonly status: Status };

const DEFAULT_POD_GRACE_SECONDS = 30;
const DEPENDENTS = ['orphan', 'foregroundDeletion'];

export function deleteObject(deps: RegistryDeps, target: Target, request: DeleteRequest): DeleteOutcome {
  const stored = requireStored(deps, target);
  requirePreconditions(stored, target, request);
  const { served, namespace, name } = target;
  const old = readObject(stored, served);
  const admission = {
    operation: 'delete',
    served,
    namespace,
    name,
    subresource: '',
    object: undefined,
    old,
    context: request.context,
  } as const;
  admit(deps, admission, 'validate');
  const object = cloneJson(old);
  setFinalizers(object, request.propagationPolicy);
  const graceSeconds = graceOf(object, target, request);
  if (graceSeconds === 0 && finalizersOf(object).length === 0 && !hasContent(object))
    return remove(deps, { target, stored, request });
  return markDeleted(deps, { target, stored, request, object, graceSeconds });
}

function requirePreconditions(stored: StoredObject, target: Target, request: DeleteRequest): void {
  const { uid, resourceVersion } = request.preconditions ?? {};
  const check = (what: string, wanted: string | undefined, actual: string): void => {
    if (wanted === undefined || wanted === '' || wanted === actual) return;
    throw conflict(
      subjectOf(target),
      `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${actual}`,
    );
  };
  check('UID', uid, stored.uid);
  check('ResourceVersion', resourceVersion, String(stored.revision));
}

function setFinalizers(object: JsonObject, policy: string | undefined): void {
  if (policy === undefined || policy === '') return;
  const chosen = { Background: undefined, Foreground: 'foregroundDeletion', Orphan: 'orphan' } as const;
  if (!Object.hasOwn(chosen, policy)) {
    throw badRequest(
      `invalid DeleteOptions: propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
    );
  }
  const finalizer = chosen[policy as keyof typeof chosen];
  const kept = finalizersOf(object).filter((name) => !DEPENDENTS.includes(name));
  const next = finalizer === undefined ? kept : [...kept, finalizer];
  const metadata = ensureObject(object, 'metadata');
  if (next.length > 0) metadata['finalizers'] = next;
  else delete metadata['finalizers'];
}

/** Only pods are given time, and only while a node runs them. */
function graceOf(object: JsonObject, target: Target, request: DeleteRequest): number {
  const { group, plural } = target.served.definition;
  if (group !== '' || plural !== 'pods') return 0;
  const phase = valueAt(object, 'status', 'phase');
  if (asString(valueAt(object, 'spec', 'nodeName')) === '' || phase === 'Succeeded' || phase === 'Failed') return 0;
  const own = valueAt(object, 'spec', 'terminationGracePeriodSeconds');
  const wanted = request.gracePeriodSeconds ?? (typeof own === 'number' ? own : DEFAULT_POD_GRACE_SECONDS);
  const running = valueAt(object, 'metadata', 'deletionGracePeriodSeconds');
  const seconds = Math.max(0, Math.trunc(wanted));
  return isBeingDeleted(object) && typeof running === 'number' ? Math.min(seconds, running) : seconds;
}

function hasContent(object: JsonObject): boolean {
  return (
    object['kind'] === 'Namespace' &&
    object['apiVersion'] === 'v1' &&
    asArray(valueAt(object, 'spec', 'finalizers')).length > 0
  );
}

interface Removal {
  readonly target: Target;
  readonly stored: StoredObject;
  readonly request: DeleteRequest;
}

function remove(deps: RegistryDeps, { target, stored, request }: Removal): DeleteOutcome {
  const object = readObject(stored, target.served);
  const { group, plural, table } = target.served.definition;
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: target.name, ...(group === '' ? {} : { group }), kind: plural, uid: stored.uid },
  };
  if (!request.context.dryRun) {
    deps.store.remove(stored);
    deps.onWrite?.(table, object, 'removed');
  }
  return { kind: 'gone', object, status };
}

interface Mark extends Removal {
  readonly object: JsonObject;
  readonly graceSeconds: number;
}

function markDeleted(deps: RegistryDeps, { target, stored, request, object, graceSeconds }: Mark): DeleteOutcome {
  const metadata = ensureObject(object, 'metadata');
  const already = isBeingDeleted(object);
  if (!already || asObject(metadata)['deletionGracePeriodSeconds'] !== graceSeconds) {
    metadata['deletionTimestamp'] = renderTime(new Date(deps.sources.now().getTime() + graceSeconds * 1000));
    metadata['deletionGracePeriodSeconds'] = graceSeconds;
    if (typeof metadata['generation'] === 'number' && !already) metadata['generation'] += 1;
  }
  if (object['kind'] === 'Namespace' && object['apiVersion'] === 'v1')
    ensureObject(object, 'status')['phase'] = 'Terminating';
  const next = toStoredForm(object, target.served);
  if (request.context.dryRun) return { kind: 'waiting', object: fromStoredForm(next, target.served) };
  const { table } = target.served.definition;
  const unchanged = JSON.stringify(next) === stored.json;
  if (!unchanged) {
    deps.store.put(table, next);
    deps.onWrite?.(table, next, 'stored');
  }
  return { kind: 'waiting', object: fromStoredForm(next, target.served) };
}
