import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { build, createMemoryFileSystem, renderYaml } from '../src/index.ts';

const directory = join(import.meta.dirname, '../testdata/golden');

/** `build DIR`, then `-- path --` before each file; `expected.yaml` is what kubectl (kustomize 5.5) printed. */
function readArchive(path: string): { target: string; files: Record<string, string>; expected: string } {
  const [head = '', ...parts] = readFileSync(path, 'utf8').split(/^-- (.+) --\n/mu);
  const files: Record<string, string> = {};
  for (let at = 0; at < parts.length; at += 2) files[`/case/${parts[at]}`] = parts[at + 1] ?? '';
  const expected = files['/case/expected.yaml'] ?? '';
  delete files['/case/expected.yaml'];
  return { target: join('/case', head.trim().replace(/^build /u, '')), files, expected };
}

for (const name of readdirSync(directory)) {
  test(`prints what kubectl prints: ${name.replace('.txtar', '').replaceAll('-', ' ')}`, () => {
    const { target, files, expected } = readArchive(join(directory, name));
    const { nodes } = build({ directory: target, fileSystem: createMemoryFileSystem(files) });
    assert.equal(renderYaml(nodes), expected);
  });
}
