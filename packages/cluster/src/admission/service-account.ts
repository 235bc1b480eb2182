/** Owns what every pod gets of its service account: the name, the token volume, the mounts. */
import { generateName } from '../registry/object-meta.ts';
import { randomBytes } from 'node:crypto';
import { forbidden } from '../registry/status-error.ts';
import { asArray, asObject, asString, isObject, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import { isResource } from './admission.ts';
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts';

const MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
const DEFAULT_MODE = 420;
const TOKEN_SECONDS = 3607;

export function createServiceAccountAdmission(store: ObjectStore): AdmissionPlugin {
  return {
    name: 'service-account',
    mutate(request) {
      if (request.operation !== 'create' || request.subresource !== '' || !isResource(request, '', 'pods')) return;
      const spec = asObject(request.object?.['spec']);
      const name = asString(spec['serviceAccountName']) || 'default';
      spec['serviceAccountName'] = name;
      spec['serviceAccount'] = name;
      const account = requireAccount(store, request, name);
      const pullSecrets = asArray(account['imagePullSecrets']);
      if (spec['imagePullSecrets'] === undefined && pullSecrets.length > 0) spec['imagePullSecrets'] = pullSecrets;
      if (wantsToken(spec, account)) mountToken(spec);
    },
  };
}

function requireAccount(store: ObjectStore, request: AdmissionRequest, name: string): JsonObject {
  const stored = store.get('/serviceaccounts', request.namespace, name);
  if (stored !== undefined) return parseStored(stored);
  // Every namespace gets its default account a moment after it was made; a pod need not wait for that.
  if (name === 'default') return {};
  const why = `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`;
  throw forbidden({ group: '', plural: 'pods', name: request.name }, why);
}

function wantsToken(spec: JsonObject, account: JsonObject): boolean {
  const wish = spec['automountServiceAccountToken'] ?? account['automountServiceAccountToken'];
  return wish !== false;
}

function mountToken(spec: JsonObject): void {
  const containers = [...asArray(spec['initContainers']), ...asArray(spec['containers'])].map(asObject);
  const missing = containers.filter(
    (container) => !asArray(container['volumeMounts']).some((mount) => valueAt(mount, 'mountPath') === MOUNT_PATH),
  );
  if (missing.length === 0) return;
  const name = generateName('kube-api-access-', { randomBytes });
  spec['volumes'] = [...asArray(spec['volumes']).filter(isObject), tokenVolume(name)];
  for (const container of missing) {
    container['volumeMounts'] = [
      ...asArray(container['volumeMounts']),
      { name, readOnly: true, mountPath: MOUNT_PATH },
    ];
  }
}

function tokenVolume(name: string): JsonObject {
  const namespaceField = { apiVersion: 'v1', fieldPath: 'metadata.namespace' };
  return {
    name,
    projected: {
      defaultMode: DEFAULT_MODE,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        { downwardAPI: { items: [{ path: 'namespace', fieldRef: namespaceField }] } },
      ],
    },
  };
}
