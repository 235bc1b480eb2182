/** Documents tell the truth: links lead somewhere, commands exist, every setting is in the reference and the reverse. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { createProgram } from '../packages/kfctl/src/cli/program.ts';

const root = path.join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const documents = ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...globSync('docs/**/*.md', { cwd: root })];

test('every relative link leads to a file', () => {
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = '']) => target.split('#')[0] ?? '')
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .filter((target) => !existsSync(path.join(root, path.dirname(file), target)))
      .map((target) => `${file}: ${target}`),
  );
  assert.deepEqual(broken, []);
});

test('every kfctl command in code exists', () => {
  const program = createProgram(() => assert.fail('nothing is run'));
  const known = new Set(['help', ...program.commands.map((command) => command.name())]);
  const unknown = documents.flatMap((file) =>
    [...read(file).matchAll(/```[\s\S]*?```|`[^`\n]+`/g)]
      .flatMap(([code]) => [...code.matchAll(/(?:^|[`;&|(] *)(?:npm run (?:-s )?)?kfctl (?:-- )?([a-z]+)/gm)])
      .map(([, name = '']) => name)
      .filter((name) => !known.has(name))
      .map((name) => `${file}: kfctl ${name}`),
  );
  assert.deepEqual(unknown, []);
});

/** Names that a source file reads: calls of an EnvReader, `env['X']`, and the capital names of files that hold settings. */
function namesRead(source: string): string[] {
  const prefix = /const NAME = '([A-Z_]+)'/.exec(source)?.[1] ?? '';
  const text = source.replaceAll(/`\$\{NAME\}(\w+)`/g, `'${prefix}$1'`).replaceAll(/const NAME = .*/g, '');
  const patterns = [/\b(?:reader|read)\s*\.\w+\(\s*'([A-Z][A-Z0-9_]+)'/g, /env\['([A-Z][A-Z0-9_]+)'\]/g];
  const settings = /EnvReader/.test(text)
    ? [/(?<!AppError\(\s*)'([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)'/g, /: '(PORT)'/g]
    : [];
  return [...patterns, ...settings].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name));
}

test('the reference names every setting that is read, and no other', () => {
  const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(
    (file) => !/\.test\.ts$|^packages\/testkit\/|^packages\/\w+\/src\/rig\/|^packages\/core\/src\/config\//.test(file),
  );
  const wanted = [...new Set(sources.flatMap((file) => namesRead(read(file))))].toSorted();
  const rows = read('docs/reference/settings.md')
    .split('\n')
    .flatMap((line) => /^\| (`[^|]*`) \|/.exec(line)?.[1] ?? []);
  const listed = [...new Set(rows.flatMap((row) => [...row.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name = '']) => name)))];
  assert.deepEqual(listed.toSorted(), wanted);
});
