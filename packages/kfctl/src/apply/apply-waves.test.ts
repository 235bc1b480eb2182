import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError, resources } from '@kfctl/kube';
import type { ApplyOptions, ConfigMap, KubeObject, ResourceType, UnknownObject } from '@kfctl/kube';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { idOf } from '../plan/object-id.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { waveOf } from '../plan/waves.ts';
import type { AppliedObject } from './apply-object.ts';
import { applyWaves, readLive } from './apply-waves.ts';
import type { WavesInput } from './apply-waves.ts';
import { ownerOf } from './ownership.ts';

const plan = (type: ResourceType<KubeObject>, name: string, more: object = {}): PlannedObject => {
  const metadata = { name, ...(type.namespaced ? { namespace: 'kubeflow' } : {}) };
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  const object = { apiVersion, kind: type.kind, metadata, ...more } as UnknownObject;
  const id = idOf(object);
  return { id, application: 'app', type: type as ResourceType, object, wave: waveOf(id) };
};

const OWNERSHIP = { deployment: 'demo', takenOver: new Set<string>() };
const PLANNED = [
  plan(resources.namespaces, 'kubeflow'),
  plan(resources.configMaps, 'dex', { data: { a: '1' } }),
  plan(resources.deployments, 'dex', { spec: { template: { spec: { volumes: [{ configMap: { name: 'dex' } }] } } } }),
];

async function apply(
  client: MemoryKubeClient,
  more: Partial<WavesInput['context']> = {},
  planned = PLANNED,
): Promise<AppliedObject[]> {
  return applyWaves({
    client,
    planned,
    before: await readLive(client, planned),
    remainingMs: () => 1000,
    onNamespaces: () => Promise.resolve(),
    onApplied: () => undefined,
    context: {
      client,
      ownership: OWNERSHIP,
      force: false,
      dryRun: false,
      signal: new AbortController().signal,
      retryMs: 5000,
      ...more,
    },
  });
}

const actions = (applied: readonly AppliedObject[]): string[] => applied.map(({ action }) => action);

test('what is new is created and marked, and the second time nothing changes', async () => {
  const client = new MemoryKubeClient();
  assert.deepEqual(actions(await apply(client)), ['created', 'created', 'created']);
  const live = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
  assert.equal(live === undefined ? undefined : ownerOf(live), 'demo');
  assert.deepEqual(actions(await apply(client)), ['unchanged', 'unchanged', 'unchanged']);
});

test('what was there before is changed but not marked', async () => {
  const client = new MemoryKubeClient();
  const theirs: ConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dex', namespace: 'kubeflow' },
    data: {},
  };
  await client.create(resources.configMaps, theirs);
  assert.deepEqual(actions(await apply(client)), ['created', 'configured', 'created']);
  const live = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
  assert.equal(live === undefined ? '' : ownerOf(live), undefined);
});

test('a changed ConfigMap restarts the pods that read it', async () => {
  const client = new MemoryKubeClient();
  await apply(client);
  const changed = PLANNED.with(1, plan(resources.configMaps, 'dex', { data: { a: '2' } }));
  assert.deepEqual(actions(await apply(client, {}, changed)), ['unchanged', 'configured', 'configured']);
});

test('a write of status meanwhile is no change', async () => {
  const client = new MemoryKubeClient();
  await apply(client);
  const before = await readLive(client, PLANNED);
  const [deployment] = PLANNED.slice(2);
  const live = before.get('apps/Deployment/kubeflow/dex');
  assert.ok(deployment !== undefined && live !== undefined);
  await client.replace(deployment.type, { ...live, status: { replicas: 1 } });
  const input = {
    client,
    planned: PLANNED,
    before,
    remainingMs: () => 1000,
    onNamespaces: () => Promise.resolve(),
    onApplied: () => undefined,
  };
  const context = {
    client,
    ownership: OWNERSHIP,
    force: false,
    dryRun: false,
    signal: new AbortController().signal,
    retryMs: 0,
  };
  assert.deepEqual(actions(await applyWaves({ ...input, context })), ['unchanged', 'unchanged', 'unchanged']);
});

const failure = (status: number, reason: string, message = reason): KubeError =>
  new KubeError({ status, reason, message });

test('what can heal is tried again', async () => {
  const client = new MemoryKubeClient();
  const failures = [
    failure(503, 'ServiceUnavailable'),
    failure(404, 'NotFound', 'the server could not find the requested resource'),
    failure(500, 'InternalError', 'failed calling webhook "x": connection refused'),
    failure(403, 'Forbidden', 'unable to create: namespace kubeflow is being terminated'),
  ];
  client.onWrite = () => {
    const next = failures.pop();
    if (next !== undefined) throw next;
  };
  assert.deepEqual(actions(await apply(client)), ['created', 'created', 'created']);
});

test('what cannot heal fails at once and names the object', async () => {
  for (const error of [failure(422, 'Invalid', 'spec is wrong'), failure(403, 'Forbidden', 'you may not')]) {
    const client = new MemoryKubeClient();
    client.onWrite = ({ name, type }) => {
      if (type.kind === 'ConfigMap') throw error;
      assert.equal(name, 'kubeflow', 'nothing is tried after the failure');
    };
    await assert.rejects(apply(client), /cannot apply ConfigMap kubeflow\/dex of application app/);
    assert.equal(client.calls.length, 2);
  }
});

class Conflicting extends MemoryKubeClient {
  override apply<T extends KubeObject>(type: ResourceType<T>, object: T, options: ApplyOptions): Promise<T> {
    const data = (object as { data?: Record<string, string> }).data;
    if (data?.['a'] !== undefined && options.force !== true) {
      const causes = [
        { reason: 'FieldManagerConflict', field: '.data.a', message: 'conflict with "kubectl-edit" using v1' },
      ];
      throw new KubeError({ status: 409, reason: 'Conflict', message: 'conflict', details: { causes } });
    }
    return super.apply(type, object, options);
  }
}

test('fields of others keep their values unless force is asked for', async () => {
  const client = new Conflicting();
  await client.create(resources.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dex', namespace: 'kubeflow' },
    data: { a: 'theirs' },
  });
  const applied = await apply(client);
  assert.deepEqual(applied[1]?.kept, [{ field: '.data.a', manager: 'kubectl-edit' }]);
  assert.equal((await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' }))?.data?.['a'], 'theirs');
  await apply(client, { force: true });
  assert.equal((await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' }))?.data?.['a'], '1');
});

test('an interrupted apply starts nothing more', async () => {
  const client = new MemoryKubeClient();
  await assert.rejects(apply(client, { signal: AbortSignal.abort(new Error('stopped')) }), /stopped/);
  assert.deepEqual(client.calls, []);
});
