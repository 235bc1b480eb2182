/** Every field that names a file takes a URL: over real HTTPS on loopback, vendored, built offline, and as the machine's kubectl does it. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Fetcher, KustomizeError, build, openVendorDirectory, renderYaml, vendorRemotes } from '../src/index.ts';
import { hasKubectl } from './differential/oracle.ts';
import { type LoopbackServer, openLoopbackServer } from './loopback-server.ts';

const root = mkdtempSync(join(tmpdir(), 'kustomize-remote-'));
const available = await hasKubectl();
let server: LoopbackServer;

const plugin = (kind: string, rest: string): string =>
  `apiVersion: builtin\nkind: ${kind}\nmetadata: {name: plugin}\n${rest}\n`;

const remoteFiles: Readonly<Record<string, string>> = {
  'object.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: remote}\n',
  'merge.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {patched: remotely}}\n',
  'operations.yaml': '- {op: add, path: /patched, value: remotely}\n',
  'configuration.yaml': 'namePrefix:\n- {path: spec/x, kind: Foo}\n',
  'text.txt': 'hello\n',
  'variables.env': 'KEY=value\n',
  'crd.json': '{"x.io/v1.Foo": {"Schema": {"properties": {}}}}',
  'schema.json':
    '{"definitions": {"io.x.v1.Foo": {"properties": {"spec": {"properties": {"list": {"type": "array", "items": {"type": "object"}, ' +
    '"x-kubernetes-patch-merge-key": "v", "x-kubernetes-patch-strategy": "merge"}}}}, ' +
    '"x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Foo"}]}}}',
  'replacement.yaml': 'source: {kind: ConfigMap, name: a}\ntargets: [{select: {kind: Foo}, fieldPaths: [spec.x]}]\n',
  'transformer.yaml': plugin('PrefixTransformer', 'prefix: q-\nfieldSpecs: [{path: metadata/name}]'),
  'generator.yaml': plugin('ConfigMapGenerator', 'literals: [a=b]'),
};

const own = 'resources: [own.yaml]\n';
const ownFile = `apiVersion: v1
kind: ConfigMap
metadata: {name: a}
---
apiVersion: x.io/v1
kind: Foo
metadata: {name: foo}
spec: {x: "1", list: [{v: 1}]}
`;

/** Field -> a kustomization that takes a file of URL/ there, and the line of the field. */
const fields: Readonly<Record<string, string>> = {
  'resources[0]': 'resources: ["URL/object.yaml?ref=v1"]\n',
  'bases[0]': 'bases: ["URL/object.yaml"]\n',
  'patches[0].path': `${own}patches: [{path: "URL/merge.yaml"}]\n`,
  'patches[1].path': `${own}patches:\n- patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}'\n- {path: "URL/operations.yaml", target: {kind: ConfigMap}}\n`,
  'patchesStrategicMerge[0]': `${own}patchesStrategicMerge: ["URL/merge.yaml"]\n`,
  'patchesJson6902[0].path': `${own}patchesJson6902: [{path: "URL/operations.yaml", target: {kind: ConfigMap, version: v1, name: a}}]\n`,
  'configurations[0]': `${own}namePrefix: p-\nconfigurations: ["URL/configuration.yaml"]\n`,
  'configMapGenerator[0].files': `configMapGenerator: [{name: q, files: ["URL/text.txt", "k=URL/text.txt"]}]\n`,
  'configMapGenerator[0].envs': `configMapGenerator: [{name: q, envs: ["URL/variables.env"]}]\n`,
  'secretGenerator[0].env': `secretGenerator: [{name: q, env: "URL/variables.env"}]\n`,
  'crds[0]': `${own}crds: ["URL/crd.json"]\n`,
  'openapi.path': `${own}openapi: {path: "URL/schema.json"}\npatches: [{patch: "{apiVersion: x.io/v1, kind: Foo, metadata: {name: foo}, spec: {list: [{v: 2}]}}"}]\n`,
  'replacements[0].path': `${own}replacements: [{path: "URL/replacement.yaml"}]\n`,
  'transformers[0]': `${own}transformers: ["URL/transformer.yaml"]\n`,
  'generators[0]': 'generators: ["URL/generator.yaml"]\n',
};

const folders = Object.keys(fields).map((field, index) => [field, join(root, `case-${index}`)] as const);

before(async () => {
  server = await openLoopbackServer(root);
  for (const [path, content] of Object.entries(remoteFiles)) server.served.set(`/${path}`, Buffer.from(content));
  server.served.set('/object.yaml?ref=v1', Buffer.from(remoteFiles['object.yaml'] ?? ''));
  for (const [field, folder] of folders) {
    mkdirSync(folder);
    writeFileSync(join(folder, 'own.yaml'), ownFile);
    writeFileSync(join(folder, 'kustomization.yaml'), (fields[field] ?? '').replaceAll('URL', server.origin));
  }
});

after(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});

/** What the server has, as the fetcher that trusts its certificate would get it (vendor.test.ts does that). */
const fetcher: Fetcher = {
  fetch: async (url) => {
    const { pathname, search } = new URL(url);
    const bytes = server.served.get(pathname + search);
    assert.ok(bytes instanceof Buffer, url);
    return bytes;
  },
};

function errorOf(step: () => unknown): KustomizeError {
  try {
    step();
  } catch (error) {
    if (error instanceof KustomizeError) return error;
    throw error;
  }
  return assert.fail('no error');
}

test('a URL that is not vendored is refused wherever it stands, with file, line and field', () => {
  for (const [field, directory] of folders) {
    const error = errorOf(() => build({ directory }));
    const top = field.replace(/\W.*$/u, '');
    assert.deepEqual([error.code, error.file], ['REMOTE_NOT_ALLOWED', join(directory, 'kustomization.yaml')], field);
    assert.ok(error.field?.startsWith(top === 'bases' ? 'resources' : top), `${field}: ${error.field}`);
    assert.ok(error.line !== undefined || top === 'bases', field);
    assert.match(error.hint ?? '', /kfctl vendor/u);
  }
});

test('every field that names a file takes a URL, vendored and offline, with what a local file gives', async () => {
  for (const [field, directory] of folders) {
    const vendorDirectory = join(directory, 'vendor');
    const lock = await vendorRemotes({ directory, vendorDirectory, fetcher });
    assert.equal(Object.keys(lock).length, 1, field);
    const remote = renderYaml(build({ directory, remotes: openVendorDirectory(vendorDirectory) }).nodes);
    const local = `${directory}-local`;
    mkdirSync(local);
    writeFileSync(join(local, 'own.yaml'), ownFile);
    for (const [path, content] of Object.entries(remoteFiles)) writeFileSync(join(local, path), content);
    writeFileSync(
      join(local, 'kustomization.yaml'),
      (fields[field] ?? '').replaceAll('?ref=v1', '').replaceAll('URL', '.'),
    );
    assert.equal(remote, renderYaml(build({ directory: local }).nodes), field);
  }
});

test(
  'kubectl takes a URL in the same fields, with the same result',
  { skip: !available && 'no kubectl with kustomize 5.5' },
  async () => {
    for (const [field, directory] of folders) {
      const expected = await new Promise<string>((resolve) => {
        const env = { ...process.env, SSL_CERT_FILE: server.certificate };
        execFile('kubectl', ['kustomize', directory], { env, encoding: 'utf8' }, (error, out, err) =>
          resolve(error === null ? out : `${field}: ${err}`),
        );
      });
      const vendorDirectory = join(directory, 'vendor');
      await vendorRemotes({ directory, vendorDirectory, fetcher });
      assert.equal(
        renderYaml(build({ directory, remotes: openVendorDirectory(vendorDirectory) }).nodes),
        expected,
        field,
      );
    }
  },
);

test('remotes that cannot be had are refused with what to do instead', () => {
  const directory = join(root, 'refused');
  mkdirSync(directory);
  const refused = (fields: string): KustomizeError => {
    writeFileSync(join(directory, 'kustomization.yaml'), fields);
    return errorOf(() => build({ directory, remotes: { get: () => Buffer.alloc(100) }, maxFileBytes: 99 }));
  };
  for (const [text, reason, hint] of [
    ['patches: [{path: "http://example.org/p.yaml"}]\n', /must be read over https/u, /keep a copy/u],
    ['crds: ["https://user:word@example.org/c.json"]\n', /without credentials/u, /keep a copy/u],
    ['configurations: ["HTTPS://example.org/c.yaml"]\n', /more than the 99 allowed/u, undefined],
    ['components: ["https://example.org/c.yaml"]\n', /a component is a directory/u, /\/\/path\?ref=/u],
    ['resources: ["https://git.example.org/org/repo.git//top"]\n', /needs a version/u, /add \?ref=/u],
    ['resources: ["git@example.org:org/repo"]\n', /only https can be used/u, /write https/u],
  ] as const) {
    const error = refused(text);
    assert.match(error.message, reason);
    assert.doesNotMatch(error.message, /word/u);
    if (hint !== undefined) assert.match(error.hint ?? '', hint);
  }
});
