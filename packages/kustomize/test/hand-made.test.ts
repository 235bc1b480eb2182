import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KustomizeError, build, createMemoryFileSystem, renderYaml } from '../src/index.ts';
import type { Case } from './differential/case.ts';
import { handMade, stricter } from './hand-made/cases.ts';

const [, ...recorded] = readFileSync(join(import.meta.dirname, '../testdata/hand-made.txt'), 'utf8').split(
  /^-- (.+) --\n/mu,
);
const expected = new Map<string, string>();
for (let at = 0; at < recorded.length; at += 2) expected.set(recorded[at] ?? '', recorded[at + 1] ?? '');

function buildCase({ files, directory }: Case): string {
  const rooted = Object.entries(files).map(([path, content]) => [`/${path}`, content]);
  const fileSystem = createMemoryFileSystem(Object.fromEntries(rooted));
  return renderYaml(build({ directory: `/${directory}`, fileSystem }).nodes);
}

test('what kubectl made of the hand-made cases was written down for every one', () => {
  assert.deepEqual([...expected.keys()], Object.keys(handMade));
});

for (const [name, one] of Object.entries(handMade)) {
  const output = expected.get(name);
  if (output !== 'refused\n' && !stricter.has(name)) {
    test(`prints what kubectl prints: ${name}`, () => assert.equal(buildCase(one), output));
    continue;
  }
  test(`refuses, and says where: ${name}`, () => {
    assert.throws(
      () => buildCase(one),
      (error) => {
        assert.ok(error instanceof KustomizeError, String(error));
        // A directory can be wrong before there is a file to name, and a finished object that cannot be written has none.
        const unplaced =
          error.code === 'KUSTOMIZATION_AMBIGUOUS' || (error.code === 'YAML_VALUE' && error.field !== undefined);
        assert.ok(error.file !== undefined || unplaced, error.message);
        return true;
      },
    );
  });
}
