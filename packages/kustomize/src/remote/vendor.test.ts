import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { build, createMemoryFileSystem, openVendorDirectory, renderYaml } from '../index.ts';
import { parseRemote } from './parse-remote.ts';
import { readArchive } from './read-archive.ts';
import { type Fetcher, vendorRemotes } from './vendor.ts';

const service = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n';

function tar(files: Readonly<Record<string, string>>, type = '0'): Uint8Array {
  const blocks = Object.entries(files).flatMap(([path, content]) => {
    const header = Buffer.alloc(512);
    header.write(path, 0);
    header.write(content.length.toString(8).padStart(11, '0'), 124);
    header.write(type, 156);
    return [header, Buffer.from(content), Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const archive = tar({
  'repo-1/top/kustomization.yaml': 'resources: [../base]\nnamePrefix: r-\n',
  'repo-1/base/kustomization.yaml': 'resources: [a.yaml]\n',
  'repo-1/base/a.yaml': service,
});

const remotes: Readonly<Record<string, Uint8Array>> = {
  'https://example.org/file.yaml': Buffer.from('apiVersion: v1\nkind: ConfigMap\nmetadata: {name: remote}\n'),
  'https://github.com/org/repo/archive/v1.tar.gz': archive,
};

const fileSystem = createMemoryFileSystem({
  '/app/kustomization.yaml': 'resources: ["https://example.org/file.yaml", "github.com/org/repo//top?ref=v1"]\n',
});

const vendorDirectory = await mkdtemp(join(tmpdir(), 'kustomize-vendor-'));
after(() => rm(vendorDirectory, { recursive: true, force: true }));

const asked: string[] = [];
const fetcher: Fetcher = {
  fetch: async (url) => {
    asked.push(url);
    const bytes = remotes[url];
    if (bytes === undefined) throw new Error(`unexpected ${url}`);
    return bytes;
  },
};

test('a build without vendored remotes refuses them and says what to do', () => {
  assert.throws(() => build({ directory: '/app', fileSystem }), { code: 'REMOTE_NOT_ALLOWED', hint: /kfctl vendor/u });
});

test('vendored remotes build offline, and are fetched once', async () => {
  const options = { directory: '/app', fileSystem, vendorDirectory, fetcher };
  const lock = await vendorRemotes(options);
  await vendorRemotes(options);
  assert.deepEqual(asked, Object.keys(remotes));
  assert.deepEqual(Object.keys(lock), Object.keys(remotes));
  const { nodes } = build({ directory: '/app', fileSystem, remotes: openVendorDirectory(vendorDirectory) });
  assert.match(renderYaml(nodes), /name: remote\n---\n[\s\S]*name: r-web\n/u);
});

test('vendored bytes that are not the pinned ones are refused', async () => {
  for (const name of await readdir(vendorDirectory)) {
    if (!name.endsWith('.json')) await writeFile(join(vendorDirectory, name), 'changed');
  }
  const changed = openVendorDirectory(vendorDirectory);
  assert.throws(() => build({ directory: '/app', fileSystem, remotes: changed }), { code: 'REMOTE_DIGEST' });
});

test('an archive that lists itself is refused', () => {
  const itself = tar({ 'repo-1/top/kustomization.yaml': 'resources: ["github.com/org/repo//top?ref=v1"]\n' });
  const other = tar({ 'repo-1/top/kustomization.yaml': 'resources: ["github.com/org/repo//other?ref=v1"]\n' });
  const outer = createMemoryFileSystem({
    '/top/kustomization.yaml': 'resources: ["github.com/org/repo//top?ref=v1"]\n',
  });
  const from = (archive: Uint8Array): void => {
    build({ directory: '/top', fileSystem: outer, remotes: { get: () => archive } });
  };
  assert.throws(() => from(itself), { code: 'BASE_CYCLE' });
  assert.throws(() => from(other), { code: 'FILE_NOT_FOUND' });
});

test('an archive cannot reach outside itself', () => {
  assert.throws(() => readArchive(tar({ 'repo/../../etc/passwd': 'x' })), { code: 'REMOTE_INVALID' });
  assert.throws(() => readArchive(tar({ '/etc/passwd': 'x' })), { code: 'REMOTE_INVALID' });
  assert.deepEqual(readArchive(tar({ 'repo/link': '' }, '2')), Object.create(null));
  assert.throws(() => readArchive(gzipSync(Buffer.alloc(10_000)), { maxBytes: 1000, maxFiles: 10 }), {
    code: 'REMOTE_INVALID',
  });
  assert.throws(() => readArchive(tar({ 'r/a': 'x', 'r/b': 'y' }), { maxBytes: 100_000, maxFiles: 1 }), {
    code: 'REMOTE_INVALID',
  });
});

test('remote paths are told from local ones', () => {
  const archiveOf = (path: string): unknown => parseRemote(path);
  assert.equal(parseRemote('../base'), undefined);
  assert.equal(parseRemote('deploy.yaml'), undefined);
  assert.deepEqual(archiveOf('github.com/o/r/deep/dir?ref=abc'), {
    kind: 'archive',
    url: 'https://github.com/o/r/archive/abc.tar.gz',
    directory: 'deep/dir',
  });
  assert.deepEqual(archiveOf('https://gitlab.com/o/r.git//x?ref=v2'), {
    kind: 'archive',
    url: 'https://gitlab.com/o/r/-/archive/v2/r.tar.gz',
    directory: 'x',
  });
  assert.deepEqual(archiveOf('https://example.org/a/b.yaml'), { kind: 'file', url: 'https://example.org/a/b.yaml' });
  for (const path of [
    'http://example.org/a.yaml',
    'git@github.com:o/r',
    'https://user:pw@example.org/a.yaml',
    'github.com/o/r//x',
  ]) {
    assert.throws(() => parseRemote(path), { code: 'REMOTE_INVALID' }, path);
  }
});
