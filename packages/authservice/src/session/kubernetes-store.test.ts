import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { sampleSession, Told, testSessionStore } from '../../../testkit/src/session-store.ts';
import { createKubernetesStore, sessionResource } from './kubernetes-store.ts';

const namespace = 'istio-system';

testSessionStore('kubernetes', async () => {
  const client = new MemoryKubeClient();
  const open = async (): Promise<ReturnType<typeof createKubernetesStore>> =>
    createKubernetesStore({ client, namespace, log: silentLogger });
  return { open, shared: true };
});

test('objects that are no sessions are not told', async () => {
  const client = new MemoryKubeClient();
  const store = createKubernetesStore({ client, namespace, log: silentLogger });
  const { id } = sampleSession(1);
  const broken = { apiVersion: 'auth.kubeflow.org/v1', kind: 'AuthServiceSession', metadata: { name: id, namespace } };
  await client.create(sessionResource, broken, { namespace });
  const told = new Told();
  const abort = new AbortController();
  await store.follow(told, abort.signal);
  abort.abort();
  assert.equal(told.sessions.size, 0);
  assert.equal(await store.get(id), undefined);
});

test('an unreachable cluster is an error, not an answer', async () => {
  const client = new MemoryKubeClient();
  client.onWrite = () => {
    throw new Error('connect ECONNREFUSED');
  };
  const store = createKubernetesStore({ client, namespace, log: silentLogger });
  await assert.rejects(store.write(sampleSession(1)), /ECONNREFUSED/);
  await assert.rejects(store.delete(sampleSession(1).id), /ECONNREFUSED/);
});
