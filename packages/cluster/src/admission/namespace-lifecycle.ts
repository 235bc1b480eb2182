/** Owns the rule that objects live in namespaces that exist and are not going away; some namespaces stay for ever. */
import { conflict, forbidden, notFound, StatusError } from '../registry/status-error.ts';
import { valueAt } from '../schema/json.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import { CLEANUP_FINALIZER } from '../custom/crd-strategy.ts';
import { finalizersOf, isBeingDeleted } from '../registry/object-meta.ts';
import { isResource } from './admission.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);

export function createNamespaceLifecycle(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'namespace-lifecycle',
    mutate(request) {
      if (request.operation !== 'create') return;
      if (request.namespace !== '') requireActive(store, request);
      if (request.served.definition.customResource) requireLivingKind(store, request);
    },
    validate(request) {
      if (request.operation !== 'delete' || !isResource(request, '', 'namespaces') || !IMMORTAL.has(request.name))
        return;
      throw forbidden({ group: '', plural: 'namespaces', name: request.name }, 'this namespace may not be deleted');
    },
  };
}

function requireActive(store: ObjectStore, request: AdmissionRequest): void {
  const stored = store.get('/namespaces', '', request.namespace);
  if (stored === undefined) throw notFound({ group: '', plural: 'namespaces', name: request.namespace });
  if (!stored.json.includes('"deletionTimestamp"') || !isBeingDeleted(parseStored(stored))) return;
  const { group, plural } = request.served.definition;
  const why = `unable to create new content in namespace ${request.namespace} because it is being terminated`;
  const refusal = forbidden({ group, plural, name: request.name }, why);
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${request.namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  throw new StatusError(403, 'Forbidden', {
    message: refusal.message,
    details: { ...refusal.status.details, causes: [cause] },
  });
}

/** A kind that is being removed takes no new objects. */
function requireLivingKind(store: ObjectStore, request: AdmissionRequest): void {
  const { group, plural } = request.served.definition;
  const stored = store.get('apiextensions.k8s.io/customresourcedefinitions', '', `${plural}.${group}`);
  if (stored === undefined || !stored.json.includes('"deletionTimestamp"')) return;
  const crd = parseStored(stored);
  if (valueAt(crd, 'metadata', 'deletionTimestamp') === undefined || !finalizersOf(crd).includes(CLEANUP_FINALIZER))
    return;
  throw conflict(
    { group, plural, name: request.name },
    'create not allowed while custom resource definition is terminating',
  );
}
