import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Secret } from '@kfctl/core';
import type { LocalPod, VolumeSpec } from '../pod/pod-spec.ts';
import { isVolumePath, writeAtomically } from './atomic-directory.ts';
import { prepareVolumes, resolveMounts } from './prepare-volumes.ts';
import type { VolumeContext } from './prepare-volumes.ts';
import { createTokenSource } from './service-account-token.ts';

async function directory(t: TestContext): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'kfctl-volume-')));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

const file = (path: string, text: string) => ({ path, content: Buffer.from(text), mode: 0o640 });
const visible = async (path: string): Promise<string[]> =>
  (await readdir(path)).filter((name) => !name.startsWith('..')).toSorted();

test('files of a volume change all at once', async (t) => {
  const path = join(await directory(t), 'v');
  assert.equal(await writeAtomically(path, [file('a', '1'), file('deep/b', '1')], 'one'), true);
  assert.equal(await writeAtomically(path, [file('a', '1'), file('deep/b', '1')], 'one'), false);
  const before = await realpath(join(path, '..data'));
  await writeAtomically(path, [file('a', '2'), file('c', '2')], 'two');
  assert.notEqual(await realpath(join(path, '..data')), before);
  assert.deepEqual(await visible(path), ['a', 'c']);
  assert.equal(await readFile(join(path, 'a'), 'utf8'), '2');
  assert.equal((await stat(join(path, 'a'))).mode & 0o777, 0o640);
  assert.equal((await readdir(path)).filter((name) => name.startsWith('..generation')).length, 1);
});

test('paths that leave a volume are no volume paths', () => {
  for (const bad of ['', '/etc/passwd', '../x', 'a/../../x', '..data', 'a\0b', '.'])
    assert.equal(isVolumePath(bad), false, bad);
  for (const good of ['a', 'a/b.yaml', '.hidden', 'a..b']) assert.equal(isVolumePath(good), true, good);
});

function context(path: string, volumes: VolumeSpec[], more: Partial<VolumeContext> = {}): VolumeContext {
  const pod: LocalPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n', uid: 'u', labels: { app: 'x' } },
    spec: { containers: [], volumes },
  };
  return {
    pod,
    directory: path,
    addresses: { podIp: '127.0.0.9', hostIp: '127.0.0.1' },
    objects: {
      configMap: (name) =>
        name === 'known'
          ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { k: 'v' }, binaryData: { b: 'AAE=' } }
          : undefined,
      secret: () => undefined,
      services: () => [],
    },
    tokens: { token: () => Promise.resolve(new Secret('t0ken')), forget: () => undefined },
    claimDirectory: () => undefined,
    ...more,
  };
}

test('a projected volume holds token, ConfigMap keys and fields of the pod', async (t) => {
  const path = await directory(t);
  const sources = [
    { serviceAccountToken: { path: 'token' } },
    { configMap: { name: 'known', items: [{ key: 'k', path: 'sub/k' }] } },
    { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
  ];
  const places = await prepareVolumes(context(path, [{ name: 'all', projected: { sources } }]));
  const place = places.get('all') ?? '';
  const read = (name: string): Promise<string> => readFile(join(place, name), 'utf8');
  assert.deepEqual(await Promise.all(['token', 'sub/k', 'labels'].map(read)), ['t0ken', 'v', 'app="x"']);
});

test('a volume waits for what it needs, unless that is optional', async (t) => {
  const path = await directory(t);
  await assert.rejects(
    prepareVolumes(context(path, [{ name: 'v', secret: { secretName: 'later' } }])),
    (error: Error) => {
      return (
        /volume "v"/.test(error.message) && /secret "later" not found/.test(String((error.cause as Error).message))
      );
    },
  );
  const places = await prepareVolumes(context(path, [{ name: 'v', secret: { secretName: 'later', optional: true } }]));
  assert.deepEqual(await visible(places.get('v') ?? ''), []);
});

test('a sub path stays inside of its volume, links included', async (t) => {
  const root = await directory(t);
  const volume = join(root, 'v');
  await mkdir(volume);
  await symlink(root, join(volume, 'out'));
  await writeFile(join(root, 'outside'), 'x');
  const places = new Map([['v', volume]]);
  const mount = (subPath: string) =>
    resolveMounts({ name: 'c', volumeMounts: [{ name: 'v', mountPath: '/m', subPath }] }, places, new Map());
  for (const bad of ['../outside', 'out/outside', 'out/new/directory'])
    await assert.rejects(mount(bad), { code: 'CONTAINER_CONFIG' }, bad);
  assert.equal((await readdir(root)).includes('new'), false);
  assert.equal((await mount('own/deep'))[0]?.source, join(volume, 'own/deep'));
});

test('a token is asked for once and renewed before it ends', async () => {
  let asked = 0;
  let now = 0;
  const request = () => Promise.resolve({ status: 201, body: { status: { token: `t${(asked += 1)}` } } });
  const source = createTokenSource({ request }, () => now);
  const { pod } = context('/', []);
  const next = async (): Promise<string> =>
    (await source.token(pod, { path: 'token', expirationSeconds: 1000 } as never)).reveal();
  assert.deepEqual([await next(), await next()], ['t1', 't1']);
  now = 799_000;
  assert.equal(await next(), 't1');
  now = 800_000;
  assert.equal(await next(), 't2');
});
