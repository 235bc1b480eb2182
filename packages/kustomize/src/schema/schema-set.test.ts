import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectSchema } from './merge-schema.ts';
import { SchemaSet } from './schema-set.ts';

const own: ObjectSchema = { kind: 'object', fields: {} };
const other: ObjectSchema = { kind: 'object', fields: {} };
const pod = { apiVersion: 'v1', kind: 'Pod' };

function isKnown(schemas: SchemaSet): boolean {
  return schemas.lookup(pod.apiVersion, pod.kind) !== undefined;
}

test('the first schema of a build stays: later ones change nothing', () => {
  const schemas = new SchemaSet();
  schemas.use(() => own);
  schemas.use(() => other);
  assert.equal(schemas.lookup('x.io/v1', 'Foo'), own);
});

test('a schema takes the place of the built-in one when nothing has asked for that before', () => {
  const schemas = new SchemaSet();
  schemas.see([pod]);
  schemas.use(() => undefined);
  assert.ok(!isKnown(schemas));
});

test('an object of a type with unknown scope brings the built-in schema in', () => {
  for (const seen of [
    { apiVersion: 'x.io/v1', kind: 'Foo' },
    { apiVersion: 'v1', kind: 'Binding' },
  ]) {
    const schemas = new SchemaSet();
    schemas.see([pod, seen]);
    schemas.use(() => undefined);
    assert.ok(isKnown(schemas), seen.kind);
  }
});

test('so does a merge before, and a version that is named', () => {
  const merged = new SchemaSet();
  merged.lookup('v1', 'Service');
  merged.use(() => undefined);
  assert.ok(isKnown(merged));
  const named = new SchemaSet();
  named.useBuiltIn();
  named.use(() => own);
  assert.ok(isKnown(named));
  assert.equal(named.lookup('x.io/v1', 'Foo'), undefined);
});
