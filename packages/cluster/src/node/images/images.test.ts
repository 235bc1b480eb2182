import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { WAITING_FLAGS, WAITING_PROGRAMS } from '@kfctl/core';
import { parseImageName } from './image-name.ts';
import { productRoot } from './platform-program.ts';
import { createImageRegistry, resolveImage } from './registry.ts';

const registry = createImageRegistry({ node: process.execPath, root: productRoot });
const request = {
  command: [],
  args: [],
  podIp: '127.0.0.9',
  directory: tmpdir(),
  mounts: [],
  place: async (port: number) => ({ host: '127.0.0.9', port }),
};

test('image names are read as runtimes read them', () => {
  const repository = (text: string): string | undefined => parseImageName(text)?.repository;
  assert.equal(repository('nginx'), 'nginx');
  assert.equal(repository('docker.io/library/nginx:1.27'), 'nginx');
  assert.equal(repository('localhost:5000/mirror/kfctl/platform@sha256:00'), 'mirror/kfctl/platform');
  assert.equal(repository('quay.io/jupyter/base-notebook:latest'), 'jupyter/base-notebook');
  for (const bad of ['', 'UPPER', 'a b', '../x', 'x/', 'nginx:']) assert.equal(repository(bad), undefined, bad);
});

test('the image of a release starts its programs with the same flags', async () => {
  const bin = join(productRoot, 'images', 'bin');
  for (const name of (await readdir(bin)).filter((file) => file !== 'kfctl')) {
    const text = await readFile(join(bin, name), 'utf8');
    // Dex's charts start `dex`.
    const program = name === 'dex' ? 'identity' : name;
    const words = [
      'node',
      ...(WAITING_PROGRAMS.includes(name) ? WAITING_FLAGS : []),
      `/app/packages/${program}/src/main.ts`,
    ];
    assert.equal(text, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`);
  }
});

test("the platform's commands are programs of this repository, below any registry prefix, also for exec", async (t) => {
  const answer = resolveImage(registry, 'registry.corp/mirror/kfctl/platform:0.1.0');
  assert.equal(answer.kind, 'found');
  if (answer.kind !== 'found') return;
  const own = { ...request, directory: await mkdtemp(join(tmpdir(), 'kfctl-platform-')) };
  t.after(() => rm(own.directory, { recursive: true, force: true }));
  const { argv, env } = await answer.program.prepare({ ...own, command: ['identity'], args: ['serve', '/x'] });
  assert.deepEqual(argv, [process.execPath, join(productRoot, 'packages/identity/src/main.ts'), 'serve', '/x']);
  const shell = await answer.program.prepare({ ...own, command: ['sh', '-c', 'true'] });
  assert.deepEqual(shell.argv, ['sh', '-c', 'true']);
  // As `kubectl exec` runs them: by name, found through the container's PATH.
  const run = (file: string, ...args: string[]): string => execFileSync(file, args, { env, encoding: 'utf8' });
  assert.match(run('kfctl', '--help'), /apply/);
  assert.equal(run('node', '--version').trim(), process.version);
});

test('an unknown image says which ones are known', () => {
  const answer = resolveImage(registry, 'docker.io/evil-nginx:1');
  assert.equal(answer.kind, 'absent');
  assert.match(answer.kind === 'absent' ? answer.message : '', /knows these.*kfctl\/platform/);
  assert.equal(resolveImage(registry, 'No Image').kind, 'invalid');
});

test('phpLDAPadmin is known not to run, and what to do instead is said', () => {
  const answer = resolveImage(registry, 'osixia/phpldapadmin:0.8.0');
  assert.equal(answer.kind, 'absent');
  assert.match(answer.kind === 'absent' ? answer.message : '', /ldapsearch/);
  const unknown = resolveImage(registry, 'nosuch');
  assert.doesNotMatch(unknown.kind === 'absent' ? unknown.message : '', /phpldapadmin/);
});

test("nginx gets a configuration for the pod's own address", async (t) => {
  const answer = resolveImage(registry, 'nginx');
  if (answer.kind !== 'found') return t.skip('nginx is not installed here');
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-nginx-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const { argv } = await answer.program.prepare({ ...request, directory });
  assert.match(await readFile(argv[argv.indexOf('-c') + 1] ?? '', 'utf8'), /listen 127\.0\.0\.9:80;/);
});
