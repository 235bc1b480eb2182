/** Connectors as objects of a cluster, on a real API server: those that a Dex left there, and two replicas of ours that share them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { delay, silentLogger } from '@kfctl/core';
import { createKubeClient, defineResource, loadKubeConfig, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { startApiServer } from '../../cluster/src/index.ts';
import type { ApiServer } from '../../cluster/src/index.ts';
import { createDexApiClients } from './dex-api-client.ts';
import { authUrl, locationOf, startTestIdentity } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const NAMESPACE = 'auth';
const connectors = defineResource('dex.coreos.com/v1', 'Connector', { plural: 'connectors' });
const clients = createDexApiClients();
const directory = mkdtempSync(path.join(tmpdir(), 'cluster-connectors-'));
let server: ApiServer;
let client: KubeClient;
before(async () => {
  const place = { host: '127.0.0.1', port: 0, serviceCidr: '127.90.9.0/24', dataDirectory: directory };
  server = await startApiServer({ ...place, log: silentLogger, volatile: true });
  client = createKubeClient(await loadKubeConfig({ env: {}, kubeconfig: server.kubeconfigFile }));
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
});
after(async () => {
  clients.close();
  client.close();
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

const start = (): Promise<TestIdentity> =>
  startTestIdentity({
    storage: `type: kubernetes, config: {kubeConfigFile: "${server.kubeconfigFile}"}`,
    config: '',
    more: 'grpc: {addr: "127.0.0.1:0", insecureWithoutClientCertificates: true}',
    env: { KUBERNETES_POD_NAMESPACE: NAMESPACE, DEX_API_CONNECTORS_CRUD: 'true' },
  });

const choices = async (identity: TestIdentity): Promise<string> =>
  await (await identity.fetch(authUrl({}, '/dex/auth'))).text();

/** Each replica asks the cluster every few seconds. */
async function offered(identity: TestIdentity, condition: (page: string) => boolean): Promise<void> {
  while (!condition(await choices(identity))) await delay(50);
}

test('what a Dex stored is used, what the API stores has its shape, and replicas follow each other and kubectl', async (t) => {
  const one = await start();
  t.after(() => one.stop());
  const bare = { id: 'left', type: 'mockCallback', name: 'Left by Dex', resourceVersion: '1' };
  const object = { apiVersion: 'dex.coreos.com/v1', kind: 'Connector', ...bare };
  await client.create(connectors, { ...object, metadata: { name: 'left', namespace: NAMESPACE }, config: 'e30=' });
  const two = await start();
  t.after(() => two.stop());
  const begun = locationOf(await two.fetch(authUrl({}, '/dex/auth/left')));
  assert.equal(locationOf(await two.fetch(begun.pathname + begun.search)).searchParams.has('code'), true);

  const made = { id: 'made', type: 'mockPassword', name: 'Made' };
  const settings = Buffer.from('{"username": "a", "password": "b"}');
  await clients.at(one.grpc)('CreateConnector', {
    connector: { ...made, config: settings, grant_types: ['password'] },
  });
  const stored = await client.get(connectors, 'made', { namespace: NAMESPACE });
  const fields = { ...made, resourceVersion: '1', config: settings.toString('base64'), grantTypes: ['password'] };
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(stored?.[name], value, name);
  await clients.at(one.grpc)('UpdateConnector', { id: 'made', new_grant_types: {} });
  await offered(two, (page) => page.includes('Made') && page.includes('Left by Dex'));

  await client.delete(connectors, 'left', { namespace: NAMESPACE });
  await offered(one, (page) => !page.includes('Left by Dex'));
});
