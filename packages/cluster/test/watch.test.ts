import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKubeError } from '@kfctl/kube';
import type { ResourceType, UnknownObject, WatchEvent } from '@kfctl/kube';
import { runServer } from './running-server.ts';

const configMaps: ResourceType<UnknownObject> = {
  group: '',
  version: 'v1',
  plural: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
};

function map(name: string, labels: Record<string, string> = {}): UnknownObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default', labels } };
}

async function take(events: AsyncIterable<WatchEvent<UnknownObject>>, count: number): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) {
    if (event.kind !== 'bookmark') seen.push(`${event.kind} ${event.object.metadata.name}`);
    if (seen.length === count) break;
  }
  return seen;
}

test('a watch tells the present, then every change in order', async (t) => {
  const api = (await runServer(t)).createClient('test');
  await api.create(configMaps, map('a'));
  const events = take(api.watch(configMaps, { namespace: 'default' }), 4);
  await api.create(configMaps, map('b'));
  await api.patch(configMaps, 'a', { namespace: 'default', patch: { kind: 'merge', body: { data: { x: '1' } } } });
  await api.delete(configMaps, 'b', { namespace: 'default' });
  assert.deepEqual(await events, ['added a', 'added b', 'modified a', 'deleted b']);
});

test('a watch from a version continues without a gap', async (t) => {
  const api = (await runServer(t)).createClient('test');
  const { resourceVersion } = await api.list(configMaps);
  await api.create(configMaps, map('a'));
  await api.create(configMaps, map('b'));
  assert.deepEqual(await take(api.watch(configMaps, { resourceVersion }), 2), ['added a', 'added b']);
});

test('an object that enters or leaves the selector is added or deleted', async (t) => {
  const api = (await runServer(t)).createClient('test');
  const { resourceVersion } = await api.list(configMaps);
  const events = take(api.watch(configMaps, { resourceVersion, labelSelector: 'in=yes' }), 2);
  await api.create(configMaps, map('a'));
  const label = (value: string) =>
    api.patch(configMaps, 'a', {
      namespace: 'default',
      patch: { kind: 'merge', body: { metadata: { labels: { in: value } } } },
    });
  await label('yes');
  await label('no');
  assert.deepEqual(await events, ['added a', 'deleted a']);
});

test('a version whose history is gone is Expired', async (t) => {
  const server = await runServer(t);
  const registry = server.registry.deps.store;
  for (let index = 0; index < 9000; index += 1) {
    registry.put('/configmaps', {
      metadata: { name: 'busy', namespace: 'default', annotations: { index: String(index) } },
    });
  }
  await registry.committed();
  await assert.rejects(take(server.createClient('test').watch(configMaps, { resourceVersion: '2' }), 1), (error) =>
    isKubeError(error, 'Expired'),
  );
});

test('initial events end with a marked bookmark when they are asked for', async (t) => {
  const server = await runServer(t);
  await server.createClient('test').create(configMaps, map('a'));
  const target = server.registry.resolve('', 'v1', 'configmaps');
  assert.ok(target);
  const seen: string[] = [];
  const stop = server.registry.watch({ served: target, namespace: '' }, { sendInitialEvents: true }, (notice) =>
    seen.push(notice.kind === 'bookmark' ? `bookmark ${notice.isInitialEnd}` : notice.stored.name),
  );
  stop();
  assert.deepEqual(seen, ['a', 'bookmark true']);
});
