/** Owns what every namespace has from the start: the ServiceAccount `default` and the cluster's CA certificate. */
import { isKubeError, resources } from '@kfctl/kube';
import type { KubeObject, ObjectKey } from '@kfctl/kube';
import type { Controller, ControllerDeps } from '../controller.ts';

const CA_NAME = 'kube-root-ca.crt';
const CA_NOTE =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc.';

/** `caCertificate` is PEM. */
export function namespaceDefaultsController(deps: ControllerDeps, caCertificate: string): Controller {
  const ofNamespace =
    (wanted: string) =>
    (object: KubeObject): readonly ObjectKey[] =>
      object.metadata.name === wanted ? [{ name: object.metadata.namespace ?? '', namespace: '' }] : [];
  return {
    name: 'namespace-defaults',
    watches: [
      { type: resources.namespaces },
      { type: resources.serviceAccounts, keys: ofNamespace('default') },
      { type: resources.configMaps, keys: ofNamespace(CA_NAME) },
    ],
    reconcile: async ({ name }) => {
      const namespace = deps.informers.of(resources.namespaces).get(name);
      if (namespace === undefined || namespace.metadata.deletionTimestamp !== undefined) return undefined;
      await Promise.all([ensureAccount(deps, name), ensureCertificate(deps, name, caCertificate)]);
      return undefined;
    },
  };
}

async function ensureAccount(deps: ControllerDeps, namespace: string): Promise<void> {
  if (deps.informers.of(resources.serviceAccounts).get('default', namespace) !== undefined) return;
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  await ignoreExisting(deps.client.create(resources.serviceAccounts, account));
}

async function ensureCertificate(deps: ControllerDeps, namespace: string, caCertificate: string): Promise<void> {
  const present = deps.informers.of(resources.configMaps).get(CA_NAME, namespace);
  if (present?.data?.['ca.crt'] === caCertificate) return;
  const data = { 'ca.crt': caCertificate };
  if (present !== undefined) {
    await deps.client.patch(resources.configMaps, CA_NAME, { namespace, patch: { kind: 'merge', body: { data } } });
    return;
  }
  const metadata = { name: CA_NAME, namespace, annotations: { 'kubernetes.io/description': CA_NOTE } };
  await ignoreExisting(
    deps.client.create(resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data }),
  );
}

/** Another one was faster, or the namespace is going away. */
async function ignoreExisting(creation: Promise<unknown>): Promise<void> {
  try {
    await creation;
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists', 'Forbidden', 'NotFound')) throw error;
  }
}
