/** Remote resources from a real git archive over real HTTPS on loopback: vendored by the command, built offline afterwards. */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { type LoopbackServer, openLoopbackServer } from './loopback-server.ts';

const root = mkdtempSync(join(tmpdir(), 'kustomize-vendor-'));
const main = join(import.meta.dirname, '../src/cli/main.ts');
let server: LoopbackServer;

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

function git(...args: string[]): Buffer {
  const identity = ['-c', 'user.name=test', '-c', 'user.email=test@example.org'];
  return execFileSync('git', [...identity, ...args], { cwd: join(root, 'repo'), stdio: ['ignore', 'pipe', 'pipe'] });
}

before(async () => {
  server = await openLoopbackServer(root);
  const { origin, served } = server;
  write({
    'repo/top/kustomization.yaml': 'resources: [../base, deep]\nnamePrefix: r-\n',
    'repo/top/deep/kustomization.yaml': 'resources: [config.yaml]\n',
    'repo/top/deep/config.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: deep}\n',
    'repo/base/kustomization.yaml': 'resources: [service.yaml]\n',
    'repo/base/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n',
    'app/base/kustomization.yaml': `resources: ["${origin}/file.yaml"]\n`,
    'app/kustomization.yaml': `resources: [base, "${origin}/org/repo//top?ref=v1"]\nnamespace: shop\n`,
  });
  git('init', '-q', '.');
  git('add', '.');
  git('commit', '-qm', 'first');
  git('tag', 'v1');
  served.set('/org/repo/archive/v1.tar.gz', { location: '/moved/v1.tar.gz' });
  served.set('/moved/v1.tar.gz', git('archive', '--format=tar.gz', '--prefix=repo-1/', 'v1'));
  served.set('/file.yaml', Buffer.from('apiVersion: v1\nkind: Secret\nmetadata: {name: one}\n'));
});

after(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { PATH: process.env['PATH'] ?? '', NODE_EXTRA_CA_CERTS: server.certificate, HOME: root };
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { cwd: root, env, encoding: 'utf8' }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

test('a directory is vendored once and then builds without the network', async () => {
  const refused = await run('app');
  assert.match(refused.err, /file\.yaml is not vendored\nhint: fetch and pin it with/u);
  const vendored = await run('vendor', 'app');
  assert.deepEqual([vendored.code, vendored.out], [0, '']);
  assert.match(vendored.err, /vendor\/kustomize\.lock\.json pins 2 remote resources\./u);
  const requests = server.asked.length;
  const built = await run('app');
  assert.deepEqual([built.code, built.err], [0, '']);
  assert.deepEqual(built.out.match(/^ {2}name: .*/gmu), ['  name: r-deep', '  name: one', '  name: r-web']);
  await run('vendor', 'app');
  assert.equal(server.asked.length, requests);
});

test('what the lock file pins is fetched again when it is not there, and must be the same', async () => {
  const folder = join(root, 'app/vendor');
  const contents = readdirSync(folder).filter((name) => !name.endsWith('.json'));
  for (const name of contents) rmSync(join(folder, name));
  assert.match((await run('app')).err, /is not vendored/u);
  const { served } = server;
  const before = served.get('/file.yaml');
  served.set('/file.yaml', Buffer.from('apiVersion: v1\nkind: Secret\nmetadata: {name: other}\n'));
  assert.match((await run('vendor', 'app')).err, /file\.yaml is not what the lock file pins\nhint: find out why/u);
  if (before !== undefined) served.set('/file.yaml', before);
  assert.equal((await run('vendor', 'app')).code, 0);
  assert.deepEqual(
    readdirSync(folder).filter((name) => !name.endsWith('.json')),
    contents,
  );
});

test('a changed copy is refused, and so is a damaged lock file', async () => {
  const folder = join(root, 'app/vendor');
  const [name = ''] = readdirSync(folder).filter((file) => !file.endsWith('.json'));
  const bytes = readFileSync(join(folder, name));
  writeFileSync(join(folder, name), 'changed');
  assert.match((await run('app')).err, /is not what the lock file pins/u);
  writeFileSync(join(folder, name), bytes);
  const lock = join(folder, 'kustomize.lock.json');
  const text = readFileSync(lock, 'utf8');
  for (const damaged of ['', '{', '{"remotes": {"x": {"sha256": "../../etc/passwd", "bytes": 1}}}']) {
    writeFileSync(lock, damaged);
    assert.match((await run('app')).err, /the lock file is damaged\nhint: /u);
  }
  writeFileSync(lock, text);
});

test('redirects away from https, missing files and unknown certificates are told apart', async () => {
  const { origin, served } = server;
  write({ 'bad/kustomization.yaml': `resources: ["${origin}/down.yaml"]\n` });
  served.set('/down.yaml', { location: 'http://127.0.0.1:1/x.yaml' });
  assert.match((await run('vendor', 'bad')).err, /cannot fetch .*down\.yaml: only https is used/u);
  served.set('/down.yaml', { location: '/down.yaml' });
  assert.match((await run('vendor', 'bad')).err, /more than 5 redirects/u);
  served.delete('/down.yaml');
  assert.match((await run('vendor', 'bad')).err, /status 404/u);
  const env = { PATH: process.env['PATH'] ?? '', HOME: root };
  const untrusted = await new Promise<string>((resolve) => {
    execFile(process.execPath, [main, 'vendor', 'bad'], { cwd: root, env, encoding: 'utf8' }, (_error, _out, err) =>
      resolve(err),
    );
  });
  assert.match(untrusted, /cannot fetch .*: .*certificate/u);
});
