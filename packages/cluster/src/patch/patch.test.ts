import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtInType } from '../schema/built-in-types.ts';
import { StatusError } from '../registry/status-error.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicPatch } from './strategic-patch.ts';

test('a JSON patch adds, removes, replaces, moves, copies and tests', () => {
  const document = { a: { b: [1, 2] }, 'x/y': 1 };
  const patch = [
    { op: 'test', path: '/a/b/1', value: 2 },
    { op: 'add', path: '/a/b/-', value: 3 },
    { op: 'add', path: '/a/b/0', value: 0 },
    { op: 'replace', path: '/x~1y', value: 2 },
    { op: 'copy', from: '/a/b', path: '/c' },
    { op: 'move', from: '/x~1y', path: '/d' },
    { op: 'remove', path: '/a/b/0' },
  ];
  assert.deepEqual(applyJsonPatch(document, patch), { a: { b: [1, 2, 3] }, c: [0, 1, 2, 3], d: 2 });
  assert.deepEqual(document, { a: { b: [1, 2] }, 'x/y': 1 });
});

test('a JSON patch that does not fit is refused', () => {
  const refused = [
    [{ op: 'remove', path: '/nope' }],
    [{ op: 'replace', path: '/a/nope/x', value: 1 }],
    [{ op: 'test', path: '/a', value: 2 }],
    [{ op: 'add', path: '/list/5', value: 1 }],
    [{ op: 'add', path: 'a', value: 1 }],
    [{ op: 'bogus', path: '/a' }],
    [{ op: 'remove' }],
  ];
  for (const patch of refused) assert.throws(() => applyJsonPatch({ a: 1, list: [] }, patch), StatusError);
});

test('a patch cannot reach a prototype', () => {
  const patched = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]) as object;
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  assert.deepEqual(Object.keys(patched), ['__proto__']);
  assert.throws(() => applyJsonPatch({}, [{ op: 'add', path: '/constructor/prototype/x', value: 1 }]), StatusError);
  applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'));
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

test('a merge patch merges maps, replaces lists and removes with null', () => {
  const document = { a: { b: 1, c: 2 }, list: [1, 2], x: 1 };
  assert.deepEqual(applyMergePatch(document, { a: { b: null, d: { e: null, f: 1 } }, list: [3], x: null }), {
    a: { c: 2, d: { f: 1 } },
    list: [3],
  });
});

const deployment = builtInType('V1Deployment');
const containers = (...list: unknown[]) => ({ spec: { template: { spec: { containers: list } } } });

test('a strategic patch merges lists by their key', () => {
  const live = containers({ name: 'a', image: 'x', env: [{ name: 'E', value: '1' }] }, { name: 'b', image: 'y' });
  const patch = containers({ name: 'a', env: [{ name: 'F', value: '2' }] }, { name: 'c', image: 'z' });
  assert.deepEqual(
    applyStrategicPatch(live, patch, deployment),
    containers(
      {
        name: 'a',
        image: 'x',
        env: [
          { name: 'E', value: '1' },
          { name: 'F', value: '2' },
        ],
      },
      { name: 'b', image: 'y' },
      { name: 'c', image: 'z' },
    ),
  );
});

test('strategic directives delete, replace, order and retain', () => {
  const live = containers({ name: 'a' }, { name: 'b' }, { name: 'c' });
  const deleted = applyStrategicPatch(live, containers({ name: 'b', $patch: 'delete' }), deployment);
  assert.deepEqual(deleted, containers({ name: 'a' }, { name: 'c' }));
  const replaced = applyStrategicPatch(live, containers({ $patch: 'replace' }, { name: 'z' }), deployment);
  assert.deepEqual(replaced, containers({ name: 'z' }));
  const ordered = applyStrategicPatch(
    live,
    { spec: { template: { spec: { '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }] } } } },
    deployment,
  );
  assert.deepEqual(ordered, containers({ name: 'c' }, { name: 'b' }, { name: 'a' }));
  const strategy = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } };
  const retained = applyStrategicPatch(
    strategy,
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    deployment,
  );
  assert.deepEqual(retained, { spec: { strategy: { type: 'Recreate' } } });
  const finalizers = applyStrategicPatch(
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'] } },
    deployment,
  );
  assert.deepEqual(finalizers, { metadata: { finalizers: ['b', 'c'] } });
});

test('an element without its merge key is refused', () => {
  assert.throws(() => applyStrategicPatch(containers(), containers({ image: 'x' }), deployment), /merge key: name/);
});
