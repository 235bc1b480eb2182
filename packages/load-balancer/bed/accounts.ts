/** Owns the accounts of controller and speaker on the bed: with the rights of the manifests that we ship, and no more. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { defineResource, parseYamlAll } from '@kfctl/kube';
import type { KubeClient, KubeObject } from '@kfctl/kube';
import type { ApiServer } from '../../cluster/src/index.ts';

const NAMESPACE = 'metallb-system';
const FILES = ['base/crds.yaml', 'base/rbac.yaml', 'overlays/speaker/rbac.yaml'];
const PLURALS: Readonly<Record<string, string>> = { CustomResourceDefinition: 'customresourcedefinitions' };

export type Account = Record<string, string>;

/** The environments with which a process finds the API server as in a pod. */
export async function createAccounts(
  server: ApiServer,
  client: KubeClient,
  directory: string,
): Promise<{ readonly controller: Account; readonly speaker: Account }> {
  for (const file of FILES) {
    const source = new URL(`../../manifests/metallb/${file}`, import.meta.url).pathname;
    for (const object of parseYamlAll(readFileSync(source, 'utf8'), { source }))
      await create(client, object as KubeObject);
  }
  const account = (name: string): Promise<Account> => enter({ server, client, directory, name });
  return { controller: await account('controller'), speaker: await account('speaker') };
}

async function create(client: KubeClient, object: KubeObject): Promise<void> {
  const namespaced = ['ServiceAccount', 'Role', 'RoleBinding'].includes(object.kind);
  const plural = PLURALS[object.kind] ?? `${object.kind.toLowerCase()}s`;
  const type = defineResource(object.apiVersion, object.kind, { plural, namespaced });
  const place = namespaced ? { namespace: NAMESPACE } : {};
  await client.create(type, { ...object, metadata: { ...object.metadata, ...place } });
}

interface Entry {
  readonly server: ApiServer;
  readonly client: KubeClient;
  readonly directory: string;
  readonly name: string;
}

async function enter({ server, client, directory, name }: Entry): Promise<Account> {
  const answer = await client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/${name}/token`,
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } },
  });
  const { status } = answer.body as { readonly status?: { readonly token?: string } };
  const folder = path.join(directory, name);
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(path.join(folder, 'token'), status?.token ?? '', { mode: 0o600 });
  writeFileSync(path.join(folder, 'ca.crt'), server.caCertificate);
  writeFileSync(path.join(folder, 'namespace'), NAMESPACE);
  const { hostname, port } = new URL(server.url);
  return { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, KUBERNETES_SERVICEACCOUNT_DIR: folder };
}
