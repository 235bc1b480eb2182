import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { ResourceType, UnknownObject } from '@kfctl/kube';
import { createObjectStore } from '../src/store/object-store.ts';
import { openSqliteStore } from '../src/store/sqlite-store.ts';
import { runServer } from './running-server.ts';

/** Writes objects as fast as it can and says each one's name once it is durable. */
const WRITER = `
import { createObjectStore } from ${JSON.stringify(new URL('../src/store/object-store.ts', import.meta.url).href)};
import { openSqliteStore } from ${JSON.stringify(new URL('../src/store/sqlite-store.ts', import.meta.url).href)};
const store = createObjectStore(openSqliteStore(process.argv[2]));
for (let index = 0; ; index += 1) {
  for (const part of ['a', 'b', 'c']) store.put('/things', { metadata: { name: part + index } });
  await store.committed();
  for (const part of ['a', 'b', 'c']) console.log(part + index);
}
`;

test('what was acknowledged survives a kill -9', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-store-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'objects.sqlite');
  const program = join(directory, 'writer.mts');
  await writeFile(program, WRITER);
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: string[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (name) => {
    acknowledged.push(name);
    if (acknowledged.length === 600) child.kill('SIGKILL');
  });
  await Promise.all([once(child, 'exit'), once(lines, 'close')]);
  const store = createObjectStore(openSqliteStore(file));
  t.after(() => store.close());
  assert.ok(acknowledged.length >= 600);
  for (const name of acknowledged) assert.ok(store.get('/things', '', name), name);
  assert.ok(store.revision > acknowledged.length);
});

test('a server that starts again has its objects, its keys and a higher version', async (t) => {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'kfctl-api-'));
  t.after(() => rm(dataDirectory, { recursive: true, force: true }));
  const configMaps: ResourceType<UnknownObject> = {
    group: '',
    version: 'v1',
    plural: 'configmaps',
    kind: 'ConfigMap',
    namespaced: true,
  };
  const map: UnknownObject = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kept', namespace: 'default' },
    data: { a: '1' },
  };
  const first = await runServer(t, { dataDirectory, volatile: false });
  const made = await first.createClient('test').create(configMaps, map);
  const ca = first.caCertificate;
  await first.close();
  const second = await runServer(t, { dataDirectory, volatile: false });
  const api = second.createClient('test');
  assert.equal(second.caCertificate, ca);
  assert.deepEqual(await api.get(configMaps, 'kept', { namespace: 'default' }), made);
  const next = await api.create(configMaps, { ...map, metadata: { ...map.metadata, name: 'new' } });
  assert.ok(Number(next.metadata.resourceVersion) > Number(made.metadata.resourceVersion));
  assert.match(await readFile(second.kubeconfigFile, 'utf8'), /current-context/);
});

test('a write that the disk refuses is told so and undone', async () => {
  let refuses = false;
  const store = createObjectStore({
    load: () => ({ rows: [], revision: 0 }),
    commit: () => {
      if (refuses) throw new Error('disk full');
    },
    close: () => undefined,
  });
  store.put('/things', { metadata: { name: 'a' }, value: 1 });
  await store.committed();
  refuses = true;
  store.put('/things', { metadata: { name: 'a' }, value: 2 });
  store.put('/things', { metadata: { name: 'b' } });
  await assert.rejects(store.committed(), /disk full/);
  assert.match(store.get('/things', '', 'a')?.json ?? '', /"value":1/);
  assert.equal(store.get('/things', '', 'b'), undefined);
});
