import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KustomizeError, build, createMemoryFileSystem, toObjects } from '../index.ts';

const generated = 'configMapGenerator: [{name: a, literals: [x=z]}]\n';
const target = 'target: {version: v1, kind: ConfigMap, name: a}';

function patched(fields: string): unknown {
  const fileSystem = createMemoryFileSystem({ '/app/kustomization.yaml': generated + fields });
  const [object] = toObjects(build({ directory: '/app', fileSystem }).nodes);
  return object;
}

function json(field: string, annotations: string): string {
  return `${field}: [{${target}, patch: '[{"op": "add", "path": "/metadata/annotations", "value": ${annotations}}]'}]\n`;
}

function named(name: string, extra: object = {}): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...extra }, data: { x: 'z' } };
}

test('a list in the place of annotations is read as keys and values in turn', () => {
  const annotations = { api: 'cache' };
  for (const field of ['patches', 'patchesJson6902'])
    assert.deepEqual(patched(json(field, '["api", "cache"]')), named('a-fkm59ghtbg', { annotations }));
});

test('annotations without a name are lost, and the hash with them; patchesJson6902 refuses them', () => {
  assert.deepEqual(patched(json('patches', '["", "cache"]')), named('a'));
  assert.throws(() => patched(json('patchesJson6902', '["", "cache"]')), KustomizeError);
});

test('half a pair is refused', () => {
  assert.throws(() => patched(json('patches', '["api"]')), KustomizeError);
});

test('a patch that replaces the annotations takes the hash away; one of the whole object does nothing', () => {
  const patch = (fields: string): unknown =>
    patched(`patches: [{patch: "{apiVersion: v1, kind: ConfigMap, ${fields}}"}]`);
  assert.deepEqual(patch('metadata: {name: a, annotations: {$patch: delete}}'), named('a'));
  assert.deepEqual(patch('$patch: replace, metadata: {name: a}'), named('a-fkm59ghtbg'));
});
