import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { version } from '../src/cli/version.ts';

const root = mkdtempSync(join(tmpdir(), 'kustomize-package-'));
const empty = join(root, 'empty');
const app = join(root, 'app');
const cache = join(root, 'cache');
after(() => rmSync(root, { recursive: true, force: true }));

const service = 'apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n';
const expected = service.replace('web', 'a-web');
let packed: { filename: string; size: number; unpackedSize: number; files: { path: string }[] };

before(() => {
  execFileSync(process.execPath, [join(import.meta.dirname, '../scripts/build-package.ts'), join(root, 'dist')]);
  const pack = ['pack', join(root, 'dist/package'), '--json', '--pack-destination', root];
  [packed] = JSON.parse(execFileSync('npm', pack, { encoding: 'utf8', cwd: root })) as [typeof packed];
  mkdirSync(empty);
  writeFileSync(join(empty, 'package.json'), '{"private": true, "type": "module"}');
  const install = ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', '--cache', join(root, 'npm')];
  execFileSync('npm', [...install, join(root, packed.filename)], { cwd: empty, stdio: 'pipe' });
  mkdirSync(app);
  writeFileSync(join(app, 'kustomization.yaml'), 'resources: [s.yaml]\nnamePrefix: a-\n');
  writeFileSync(join(app, 's.yaml'), service);
});

const command = join(empty, 'node_modules/.bin/kustomize-js');

function run(
  args: readonly string[],
  env: Record<string, string> = {},
): { status: number | null; out: string; err: string } {
  const all = { PATH: process.env['PATH'] ?? '', HOME: root, XDG_CACHE_HOME: cache, ...env };
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], {
    encoding: 'utf8',
    cwd: empty,
    env: all,
  });
  return { status, out: stdout, err: stderr };
}

test('the package weighs less than 1 MB and holds no source, test or foreign file', () => {
  assert.ok(packed.unpackedSize < 1_000_000, `${packed.unpackedSize} bytes`);
  const odd = packed.files
    .map(({ path }) => path)
    .filter(
      (path) => !/^(?:bin\/[\w-]+\.cjs|index\.js|types\/.+\.d\.ts|package\.json|README\.md|LICENSE)$/u.test(path),
    );
  assert.deepEqual(odd, []);
});

test('the installed command builds a directory, silent but for the result', () => {
  for (const which of ['first', 'second'])
    assert.deepEqual(run([app]), { status: 0, out: expected, err: '' }, `${which} run`);
});

test('compiled code is kept where only the user can write, and used again', () => {
  run([app]);
  const directory = join(cache, 'kustomize-js');
  const [name = ''] = readdirSync(directory);
  assert.match(name, /^program-[0-9a-f]{16}\.cjs-v\d/u);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
  const before = statSync(join(directory, name));
  run([app]);
  assert.deepEqual(statSync(join(directory, name)).ino, before.ino);
});

test('compiled code that is damaged, or that others could have written, is not used', () => {
  run([app]);
  const directory = join(cache, 'kustomize-js');
  const file = join(directory, readdirSync(directory)[0] ?? '');
  const size = statSync(file).size;
  writeFileSync(file, 'nonsense');
  assert.equal(run([app]).out, expected);
  assert.equal(statSync(file).size > 8, true, `written anew, as the ${size} bytes before`);
  chmodSync(directory, 0o777);
  writeFileSync(file, 'nonsense');
  assert.equal(run([app]).out, expected);
  assert.equal(readFileSync(file, 'utf8'), 'nonsense');
  chmodSync(directory, 0o700);
});

test('without a home it builds all the same', () => {
  assert.equal(run([app], { HOME: '', XDG_CACHE_HOME: '' }).out, expected);
  assert.equal(run([app], { XDG_CACHE_HOME: '/dev/null/nowhere' }).out, expected);
});

test('the installed library builds, and its types are found by a strict compiler', () => {
  const script = `import { buildToYaml } from '@kfctl/kustomize';\nconst text: string = buildToYaml(${JSON.stringify(app)});\nprocess.stdout.write(text);\n`;
  writeFileSync(join(empty, 'use.ts'), script);
  assert.equal(execFileSync(process.execPath, ['use.ts'], { cwd: empty, encoding: 'utf8' }), expected);
  const compiler = join(import.meta.dirname, '../../../node_modules/.bin/tsc');
  const types = ['--typeRoots', join(import.meta.dirname, '../../../node_modules/@types'), '--types', 'node'];
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', ...types];
  const done = spawnSync(compiler, [...flags, 'use.ts'], { cwd: empty, encoding: 'utf8' });
  assert.equal(done.stdout, '');
  assert.equal(done.status, 0);
});

test('the command tells the version of the package', () => {
  const { version: declared } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string;
  };
  assert.equal(declared, version);
  assert.equal(run(['--version']).out, `${version}\n`);
});
