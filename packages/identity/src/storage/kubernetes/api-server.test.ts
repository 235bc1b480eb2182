/** The Kubernetes storage on a real API server: custom resource definitions made by ourselves, optimistic locking by the server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay, silentLogger } from '@kfctl/core';
import { createKubeClient, loadKubeConfig, resources } from '@kfctl/kube';
import { startApiServer } from '../../../../cluster/src/index.ts';
import type { ApiServer } from '../../../../cluster/src/index.ts';
import { runStorageSuite } from '../../../../testkit/src/identity-storage.ts';
import type { Storage } from '../storage.ts';
import { openKubernetesStorage } from './open-kubernetes-storage.ts';

let server: ApiServer;
let directory: string;
let count = 0;

before(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'identity-api-'));
  const place = { host: '127.0.0.1', port: 0, serviceCidr: '127.90.8.0/24', dataDirectory: directory };
  server = await startApiServer({ ...place, log: silentLogger, volatile: true });
});
after(async () => {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A namespace of its own for each test. */
async function open(t: TestContext): Promise<Storage> {
  count += 1;
  const name = `identity-${count}`;
  const client = createKubeClient(await loadKubeConfig({ env: {}, kubeconfig: server.kubeconfigFile }));
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  client.close();
  const config = { type: 'kubernetes', inCluster: false, kubeConfigFile: server.kubeconfigFile } as const;
  // The first time the definitions are made; they are served a moment later, as the process expects.
  for (;;) {
    try {
      const storage = await openKubernetesStorage(config, { KUBERNETES_POD_NAMESPACE: name });
      t.after(() => storage.close());
      return storage;
    } catch (error) {
      assert.match(String(error), /made just now/);
      await delay(50);
    }
  }
}

runStorageSuite({ name: 'kubernetes API server', open });

test('two replicas on one namespace agree on one key', async (t) => {
  const { openKeyRing } = await import('../../keys/key-ring.ts');
  const storage = await open(t);
  const policy = () => ({
    algorithm: 'RS256' as const,
    rotationPeriodMs: 1000,
    tokenLifetimeMs: 1000,
    requestLifetimeMs: 1000,
  });
  const { randomBytes } = await import('node:crypto');
  const start = (): ReturnType<typeof openKeyRing> =>
    openKeyRing({ storage, clock: { now: () => Date.now() }, random: randomBytes, log: silentLogger, policy });
  const rings = await Promise.all([start(), start()]);
  assert.equal(new Set(rings.map((ring) => ring.current().signingKey.kid)).size, 1);
});
