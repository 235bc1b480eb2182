import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defineResource, KubeError } from '@kfctl/kube';
import type { ResourceType, UnknownObject } from '@kfctl/kube';
import { runStorageSuite, SAMPLE_RECORDS } from '../../../../testkit/src/identity-storage.ts';
import { MemoryKubeClient } from '../../../../testkit/src/memory-kube-client.ts';
import type { Storage } from '../storage.ts';
import { createKubernetesStorage } from './kubernetes-storage.ts';
import { addOwnDefinitions } from './open-kubernetes-storage.ts';
import { nameOfId, nameOfSubject } from './object-names.ts';

const place = { namespace: 'kubeflow' };

function open(client: MemoryKubeClient = new MemoryKubeClient()): Storage {
  return createKubernetesStorage({ client, ...place });
}

function typeOf(kind: string, plural: string): ResourceType {
  return defineResource('dex.coreos.com/v1', kind, { plural });
}

runStorageSuite({ name: 'kubernetes', open: () => open() });

test('names objects as Dex does', () => {
  assert.equal(nameOfId('example-app'), 'mv4gc3lqnrss2ylqodf7fhheqqrcgji');
  assert.match(nameOfSubject('CgN1LTESBWxvY2Fs'), /^[a-z2-7]{13}$/);
});

test('reads objects that Dex wrote and keeps the fields it does not know', async () => {
  const client = new MemoryKubeClient();
  const storage = open(client);
  const type = typeOf('RefreshToken', 'refreshtokens');
  const object: UnknownObject = {
    apiVersion: 'dex.coreos.com/v1',
    kind: 'RefreshToken',
    metadata: { name: 'abc', ...place },
    CreatedAt: '2024-05-01T10:00:00.123456789Z',
    LastUsed: '0001-01-01T00:00:00Z',
    clientID: 'app',
    scopes: ['openid', 'offline_access'],
    token: 'secret',
    claims: { userID: '1', username: 'n', email: 'a@b', emailVerified: true },
    connectorID: 'ldap',
    connectorData: 'e30=',
    newField: { kept: true },
  };
  await client.create(type, object, place);
  const record = await storage.get('refreshToken', 'abc');
  assert.equal(record?.createdAt, Date.UTC(2024, 4, 1, 10, 0, 0, 123));
  assert.equal(record?.lastUsedAt, 0);
  assert.deepEqual(record?.claims.groups, []);
  await storage.update('refreshToken', 'abc', (current) => ({ ...current, obsoleteToken: 'secret', token: 'next' }));
  const written = await client.get(type, 'abc', place);
  assert.deepEqual(written?.['newField'], { kept: true });
  assert.equal(written?.['obsoleteToken'], 'secret');
  assert.equal((written?.['claims'] as { userID?: string } | undefined)?.userID, '1');
});

test('reads and writes connectors in the shape of Dex, under their own names where that can be', async () => {
  const client = new MemoryKubeClient();
  const storage = open(client);
  const type = typeOf('Connector', 'connectors');
  const config = Buffer.from('{"clientID":"dex"}').toString('base64');
  const object: UnknownObject = {
    apiVersion: 'dex.coreos.com/v1',
    kind: 'Connector',
    metadata: { name: 'github', ...place },
    id: 'github',
    type: 'github',
    name: 'GitHub',
    resourceVersion: '1',
    config,
  };
  await client.create(type, object, place);
  const fields = { id: 'github', type: 'github', name: 'GitHub', resourceVersion: '1', config, grantTypes: [] };
  assert.deepEqual(await storage.list('connector'), [{ id: 'github', record: fields }]);
  const { record } = SAMPLE_RECORDS.connector;
  for (const id of ['okta.eu-1', 'Okta', 'a_b', '-x'])
    assert.equal(await storage.create('connector', id, { ...record, id }), true, id);
  const names = (await client.list(type, place)).items.map(({ metadata }) => metadata.name ?? '');
  assert.ok(names.includes('okta.eu-1'));
  assert.ok(names.every((name) => /^[a-z0-9][a-z0-9.-]*$/.test(name)));
  assert.equal((await storage.take('connector', 'Okta'))?.id, 'Okta');
});

test('writes the public half of the signing key where Dex looks for it, without private members', async () => {
  const client = new MemoryKubeClient();
  const { id, record } = SAMPLE_RECORDS.keys;
  await open(client).create('keys', id, record);
  const written = await client.get(typeOf('SigningKey', 'signingkeies'), 'openid-connect-keys', place);
  const half = written?.['signingKeyPub'] as Record<string, unknown>;
  assert.equal(half['kid'], 'k');
  assert.equal('d' in half, false);
});

test('does not take an object of another person for a session whose name collides', async () => {
  const client = new MemoryKubeClient();
  const storage = open(client);
  const type = typeOf('OfflineSessions', 'offlinesessionses');
  const { id, record } = SAMPLE_RECORDS.offlineSession;
  await storage.create('offlineSession', id, record);
  const [object] = (await client.list(type, place)).items;
  assert.ok(object);
  await client.replace(type, { ...object, userID: 'someone-else' }, place);
  assert.equal(await storage.get('offlineSession', id), undefined);
});

/** An API server that lets its caller do what Dex needed, and no more. */
function withDexRightsOnly(client: MemoryKubeClient, reason: 'Forbidden' | 'NotFound'): MemoryKubeClient {
  const refuse = (): Promise<never> => Promise.reject(new KubeError({ status: 403, reason, message: 'no' }));
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return (type: ResourceType, ...rest: unknown[]): unknown =>
        ['loginsessions', 'spentproofs', 'customresourcedefinitions'].includes(type?.plural)
          ? refuse()
          : (Reflect.apply(value, target, [type, ...rest]) as unknown);
    },
  });
}

for (const reason of ['Forbidden', 'NotFound'] as const) {
  test(`with the rights that Dex had, all that Dex did goes on (${reason})`, async () => {
    const client = withDexRightsOnly(new MemoryKubeClient(), reason);
    const storage = open(client);
    await addOwnDefinitions(storage, client);
    const { id, record } = SAMPLE_RECORDS.authCode;
    await storage.create('authCode', id, record);
    assert.equal(await storage.deleteExpired(record.expiresAt + 1), 1);
    await assert.rejects(storage.create('spentProof', 'x', { expiresAt: 1 }));
  });
}
