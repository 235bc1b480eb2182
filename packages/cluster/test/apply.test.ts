import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { runServer } from './running-server.ts';

const deployments: ResourceType<UnknownObject> = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  namespaced: true,
};
const configMaps: ResourceType<UnknownObject> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

function deployment(spec: object): UnknownObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' }, spec };
}

function podTemplate(...containers: object[]): object {
  return {
    selector: { matchLabels: { a: 'b' } },
    template: { metadata: { labels: { a: 'b' } }, spec: { containers } },
  };
}

async function client(t: TestContext): Promise<KubeClient> {
  return (await runServer(t)).createClient('test');
}

async function managedFields(client: KubeClient, path: string): Promise<Record<string, unknown>[]> {
  const { body } = await client.request({ method: 'GET', path });
  return ((body as UnknownObject).metadata.managedFields ?? []) as Record<string, unknown>[];
}

const WEB = '/apis/apps/v1/namespaces/default/deployments/web';

test('an apply claims what it says and nothing of the defaults', async (t) => {
  const api = await client(t);
  const applied = await api.apply(deployments, deployment({ replicas: 2, ...podTemplate({ name: 'a', image: 'x' }) }), {
    fieldManager: 'one',
  });
  assert.equal((applied['spec'] as { revisionHistoryLimit: number }).revisionHistoryLimit, 10);
  const [entry, ...others] = await managedFields(api, WEB);
  assert.equal(others.length, 0);
  assert.deepEqual([entry?.['manager'], entry?.['operation'], entry?.['apiVersion']], ['one', 'Apply', 'apps/v1']);
  assert.deepEqual(entry?.['fieldsV1'], {
    'f:spec': {
      'f:replicas': {},
      'f:selector': {},
      'f:template': {
        'f:metadata': { 'f:labels': { 'f:a': {} } },
        'f:spec': { 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
      },
    },
  });
});

test('a second apply of the same writes nothing', async (t) => {
  const api = await client(t);
  const object = deployment({
    replicas: 2,
    ...podTemplate({ name: 'a', image: 'x', resources: { limits: { cpu: '0.5' } } }),
  });
  const first = await api.apply(deployments, object, { fieldManager: 'one' });
  const second = await api.apply(deployments, object, { fieldManager: 'one' });
  assert.equal(second.metadata.resourceVersion, first.metadata.resourceVersion);
});

test('a field that another manager owns with another value is a conflict, with the same value it is shared', async (t) => {
  const api = await client(t);
  await api.apply(deployments, deployment({ replicas: 2, ...podTemplate({ name: 'a', image: 'x' }) }), {
    fieldManager: 'one',
  });
  await assert.rejects(
    api.apply(deployments, deployment({ replicas: 3 }), { fieldManager: 'two' }),
    (error) =>
      isKubeError(error, 'Conflict') &&
      error.message === 'Apply failed with 1 conflict: conflict with "one": .spec.replicas',
  );
  await api.apply(deployments, deployment({ replicas: 2 }), { fieldManager: 'two' });
  const forced = await api.apply(deployments, deployment({ replicas: 5 }), { fieldManager: 'three', force: true });
  assert.equal((forced['spec'] as { replicas: number }).replicas, 5);
  const owners = (await managedFields(api, WEB))
    .filter((entry) => JSON.stringify(entry).includes('f:replicas'))
    .map((entry) => entry['manager']);
  assert.deepEqual(owners, ['three']);
});

test('an update takes the fields that it changes, and says so in the next conflict', async (t) => {
  const api = await client(t);
  const object = deployment({ ...podTemplate({ name: 'a', image: 'x' }) });
  await api.apply(deployments, object, { fieldManager: 'one' });
  const image = { spec: { template: { spec: { containers: [{ name: 'a', image: 'y' }] } } } };
  await api.patch(deployments, 'web', {
    namespace: 'default',
    fieldManager: 'hand',
    patch: { kind: 'strategic', body: image },
  });
  await assert.rejects(
    api.apply(deployments, object, { fieldManager: 'one' }),
    (error) =>
      isKubeError(error) &&
      error.message.endsWith('conflict with "hand" using apps/v1: .spec.template.spec.containers[name="a"].image'),
  );
});

test('what a manager no longer applies goes away, unless somebody else owns it', async (t) => {
  const api = await client(t);
  const container = {
    name: 'a',
    image: 'x',
    env: [{ name: 'E', value: '1' }],
    livenessProbe: { httpGet: { port: 80 } },
  };
  await api.apply(deployments, deployment({ replicas: 2, ...podTemplate(container, { name: 'b', image: 'y' }) }), {
    fieldManager: 'one',
  });
  await api.apply(deployments, deployment({ replicas: 2 }), { fieldManager: 'two' });
  const next = await api.apply(deployments, deployment(podTemplate({ name: 'a', image: 'x' })), {
    fieldManager: 'one',
  });
  const spec = next['spec'] as { replicas: number; template: { spec: { containers: Record<string, unknown>[] } } };
  assert.equal(spec.replicas, 2);
  assert.deepEqual(
    spec.template.spec.containers.map((item) => item['name']),
    ['a'],
  );
  assert.equal(spec.template.spec.containers[0]?.['env'], undefined);
  assert.equal(spec.template.spec.containers[0]?.['livenessProbe'], undefined);
});

test('maps merge by key, and a removed key goes', async (t) => {
  const api = await client(t);
  const map = (data: object): UnknownObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', namespace: 'default' },
    data,
  });
  await api.apply(configMaps, map({ a: '1', b: '2' }), { fieldManager: 'one' });
  await api.apply(configMaps, map({ c: '3' }), { fieldManager: 'two' });
  assert.deepEqual((await api.apply(configMaps, map({ a: '9' }), { fieldManager: 'one' }))['data'], { a: '9', c: '3' });
});

test('a dry run answers what would be and keeps nothing', async (t) => {
  const api = await client(t);
  const object = deployment(podTemplate({ name: 'a', image: 'x' }));
  const shown = await api.apply(deployments, object, { fieldManager: 'one', dryRun: true });
  assert.equal((shown['spec'] as { replicas: number }).replicas, 1);
  assert.equal(await api.get(deployments, 'web', { namespace: 'default' }), undefined);
});

test('an apply without a manager, with managed fields, or of another name is refused', async (t) => {
  const api = await client(t);
  const headers = { 'content-type': 'application/apply-patch+yaml' };
  const body = deployment(podTemplate({ name: 'a', image: 'x' }));
  const nameless = await api.request({ method: 'PATCH', path: WEB, body, headers });
  assert.equal(nameless.status, 422);
  const path = `${WEB}?fieldManager=x`;
  const managed = { ...body, metadata: { ...body.metadata, managedFields: [{ manager: 'x' }] } };
  assert.equal((await api.request({ method: 'PATCH', path, body: managed, headers })).status, 400);
  const renamed = { ...body, metadata: { ...body.metadata, name: 'other' } };
  assert.equal((await api.request({ method: 'PATCH', path, body: renamed, headers })).status, 400);
});
