import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType, UnknownObject } from '@kfctl/kube';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { DEPLOYMENT_ANNOTATION } from '../apply/ownership.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { matchesHash } from './password.ts';
import { planCertificate } from './plan-certificate.ts';
import { planCredentials } from './plan-credentials.ts';
import type { CredentialInput, Credentials } from './plan-credentials.ts';

const reader = (namespace: string, name: string, ...secrets: string[]): PlannedObject => ({
  application: name,
  id: { group: 'apps', kind: 'Deployment', namespace, name },
  type: resources.deployments as unknown as ResourceType,
  wave: 2,
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: { template: { spec: { volumes: secrets.map((secretName) => ({ secret: { secretName } })) } } },
  },
});

const OWNERSHIP = { deployment: 'demo', takenOver: new Set<string>() };
const PLANNED = [
  reader('kubeflow', 'dex', 'dex-user', 'dex-oidc-client'),
  reader('istio-system', 'auth', 'authservice', 'identity-assertion'),
  reader('kubeflow', 'dashboard', 'identity-assertion'),
];

/** Plans, then stores what was planned as an apply would. */
async function plan(client: KubeClient, more: Partial<CredentialInput> = {}): Promise<Credentials> {
  const credentials = await planCredentials({
    client,
    ownership: OWNERSHIP,
    planned: PLANNED,
    email: 'ada@example.org',
    password: undefined,
    clientId: 'client',
    rotate: [],
    ...more,
  });
  for (const { object, type } of credentials.planned) await store(client, type, object);
  return credentials;
}

async function store(client: KubeClient, type: ResourceType, object: UnknownObject, owner = 'demo'): Promise<void> {
  const { name = '', namespace = '' } = object.metadata;
  await client.delete(type, name, { namespace });
  await client.create(type, {
    ...object,
    metadata: { ...object.metadata, annotations: { [DEPLOYMENT_ANNOTATION]: owner } },
  } as KubeObject as UnknownObject);
}

function value({ planned }: Credentials, name: string, key: string): string {
  const found = planned.find(({ id }) => id.name === name)?.object['data'] as Record<string, string> | undefined;
  return Buffer.from(found?.[key] ?? '', 'base64').toString();
}

test('a password is generated once, hashed and kept from then on', async () => {
  const client = new MemoryKubeClient();
  const first = await plan(client);
  assert.ok(first.generatedPassword !== undefined);
  assert.ok(await matchesHash(first.generatedPassword, value(first, 'dex-user', 'hash')));
  assert.equal(value(first, 'dex-user', 'email'), 'ada@example.org');
  const second = await plan(client);
  assert.equal(second.generatedPassword, undefined);
  assert.deepEqual(second.planned, first.planned);
});

test('a password given again keeps the hash, and another one replaces it', async () => {
  const client = new MemoryKubeClient();
  const [one, two] = [new Secret('12341234'), new Secret('43214321')];
  const first = value(await plan(client, { password: one }), 'dex-user', 'hash');
  assert.equal(value(await plan(client, { password: one }), 'dex-user', 'hash'), first);
  const third = value(await plan(client, { password: two }), 'dex-user', 'hash');
  assert.ok(await matchesHash(two, third));
});

test('Dex and the AuthService share one client secret, and each credential rotates alone', async () => {
  const client = new MemoryKubeClient();
  const first = await plan(client, { password: new Secret('12341234') });
  assert.equal(value(first, 'dex-oidc-client', 'client-secret'), value(first, 'authservice', 'client-secret'));
  assert.ok(value(first, 'authservice', 'client-secret').length >= 43);
  const second = await plan(client, { rotate: ['client-secret'] });
  assert.notEqual(value(second, 'authservice', 'client-secret'), value(first, 'authservice', 'client-secret'));
  assert.equal(value(second, 'dex-oidc-client', 'client-secret'), value(second, 'authservice', 'client-secret'));
  assert.equal(value(second, 'authservice', 'session-key'), value(first, 'authservice', 'session-key'));
  assert.equal(value(second, 'dex-user', 'hash'), value(first, 'dex-user', 'hash'));
  const third = await plan(client, { rotate: ['session-key', 'password'] });
  assert.notEqual(value(third, 'authservice', 'session-key'), value(second, 'authservice', 'session-key'));
  assert.ok(third.generatedPassword !== undefined);
});

test('the assertion key is one in both namespaces, and a rotated one is believed beside the one before', async () => {
  const client = new MemoryKubeClient();
  const keysOf = ({ planned }: Credentials): [string, string][] =>
    planned
      .filter(({ id }) => id.name === 'identity-assertion')
      .map(({ id, object }) => {
        const { key = '' } = object['data'] as Record<string, string>;
        return [id.namespace, Buffer.from(key, 'base64').toString()];
      });
  const [[, first] = ['', ''], ...rest] = keysOf(await plan(client));
  assert.ok(first.length >= 43);
  assert.deepEqual(rest, [['kubeflow', first]]);
  await client.delete(resources.secrets, 'identity-assertion', { namespace: 'istio-system' });
  const kept = [
    ['istio-system', first],
    ['kubeflow', first],
  ];
  assert.deepEqual(keysOf(await plan(client)), kept, 'a Secret that was deleted is made again with the key in use');
  const [[, second] = ['', '']] = keysOf(await plan(client, { rotate: ['assertion-key'] }));
  assert.match(second, new RegExp(`^[^,]{43,},${first}$`));
  const [[, third] = ['', '']] = keysOf(await plan(client, { rotate: ['assertion-key'] }));
  assert.deepEqual(third.split(',').slice(1), [second.split(',')[0]], 'never more than two');
});

test('Secrets that someone else made are read and never written', async () => {
  const client = new MemoryKubeClient();
  const secret = resources.secrets as unknown as ResourceType;
  const data = { 'client-secret': Buffer.from('theirs').toString('base64') };
  for (const name of ['dex-oidc-client', 'dex-user']) {
    await client.create(secret, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'kubeflow' }, data });
  }
  const credentials = await plan(client, { password: new Secret('12341234') });
  assert.deepEqual(
    credentials.planned.map(({ id }) => id.name),
    ['authservice', 'identity-assertion', 'identity-assertion'],
  );
  assert.equal(value(credentials, 'authservice', 'client-secret'), 'theirs');
  assert.match(credentials.warnings.join(), /kubeflow\/dex-user was made by someone else/);
});

test('without anything that reads them there are no Secrets', async () => {
  assert.deepEqual((await plan(new MemoryKubeClient(), { planned: [] })).planned, []);
});

test('the certificate is kept until an address is missing or it is renewed, and its CA stays', async () => {
  const client = new MemoryKubeClient();
  const make = async (addresses: string[], renew = false): Promise<string[]> => {
    const planned = await planCertificate({
      client,
      ownership: OWNERSHIP,
      certificate: { application: 'istio', namespace: 'istio-system', name: 'certs' },
      ca: { application: 'istio', namespace: 'kubeflow', name: 'ca' },
      addresses,
      now: Date.now(),
      renew,
    });
    for (const { object, type } of planned) await store(client, type, object);
    const credentials = { planned, generatedPassword: undefined, warnings: [] };
    return [value(credentials, 'certs', 'tls.crt'), value(credentials, 'ca', 'ca.crt')];
  };
  const first = await make([]);
  assert.deepEqual(await make([]), first);
  const second = await make(['10.0.0.100']);
  assert.notEqual(second[0], first[0]);
  assert.equal(second[1], first[1]);
  assert.deepEqual(await make(['10.0.0.100']), second);
  const third = await make(['10.0.0.100'], true);
  assert.notEqual(third[0], second[0]);
  assert.equal(third[1], first[1]);
});
