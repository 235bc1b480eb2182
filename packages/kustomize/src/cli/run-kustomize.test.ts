import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { hasKubectl } from '../../test/differential/oracle.ts';
import { runKustomize } from './run-kustomize.ts';

const skip = (await hasKubectl()) ? false : 'no kubectl with kustomize 5.5 on the PATH';
const root = mkdtempSync(join(tmpdir(), 'kustomize-command-'));
after(() => rmSync(root, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

const object = (apiVersion: string, kind: string, metadata: string): string =>
  `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {${metadata}}\n`;

write({
  'outside.yaml': object('v1', 'Service', 'name: outside'),
  'app/kustomization.yaml': 'resources: [all.yaml]\n',
  'app/all.yaml': [
    object('apps/v1', 'Deployment', 'name: web, namespace: shop'),
    object('v1', 'Service', 'name: Web.x'),
    object('rbac.authorization.k8s.io/v1', 'ClusterRole', 'name: "system:reader"'),
    object('x.io/v1', 'Foo', 'name: a'),
  ].join('---\n'),
  'one/kustomization.yaml': 'resources: [../outside.yaml]\n',
  'default/kustomization.yaml': 'resources: [all.yaml]\n',
  'default/all.yaml': [
    object('v1', 'Service', 'name: a'),
    object('v1', 'ConfigMap', 'name: b, namespace: default'),
    object('v1', 'Namespace', 'name: c'),
  ].join('---\n'),
  'twins/kustomization.yaml': 'resources: [all.yaml]\n',
  'twins/all.yaml': [object('v1', 'Service', 'name: a'), object('v1', 'Service', 'name: A')].join('---\n'),
  'slash/kustomization.yaml': 'resources: [all.yaml]\n',
  'slash/all.yaml': object('v1', 'Service', 'name: ../../up'),
  'deprecated/kustomization.yaml': 'bases: [../default]\n',
});

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runKustomize({
    argv,
    directory: root,
    program: 'kustomize-js',
    stdout: (text) => (out += text),
    stderr: (text) => (err += text),
  });
  return { code, out, err };
}

function kubectl(...argv: string[]): { code: number | null; out: string } {
  const { status, stdout } = spawnSync('kubectl', ['kustomize', ...argv], { encoding: 'utf8', cwd: root });
  return { code: status, out: stdout };
}

/** Command lines that kubectl accepts. */
const accepted: readonly (readonly string[])[] = [
  ['app'],
  ['./app/'],
  ['--', 'app'],
  ['app', '--load-restrictor', 'LoadRestrictionsRootOnly'],
  ['one', '--load-restrictor=LoadRestrictionsNone'],
  ['app', '-o', ''],
  ['app', '--network', '--network-name', 'x', '--mount', 'type=bind', '-e', 'A=b', '--as-current-user'],
  ['-eA=b', 'app', '--network=false', '--enable-helm=false', '--enable-alpha-plugins=false'],
];

/** Command lines that kubectl refuses. */
const refused: readonly (readonly string[])[] = [
  ['one'],
  ['app', 'default'],
  [''],
  ['nowhere'],
  ['app/all.yaml'],
  ['app', '--bogus'],
  ['app', '--load-restrictor=none'],
  ['app', '--load-restrictor=LOADRESTRICTIONSNONE'],
  ['app', '--load-restrictor'],
  ['app', '-o', 'no/such.yaml'],
  ['app', '-o', 'nodir/'],
  ['app', '--network=maybe'],
];

test('what kubectl accepts is printed as by kubectl', { skip }, async () => {
  for (const argv of accepted) {
    const ours = await run(...argv);
    assert.deepEqual([ours.code, ours.out], [0, kubectl(...argv).out], argv.join(' '));
  }
});

test('what kubectl refuses is refused, with a hint or a place', { skip }, async () => {
  for (const argv of refused) {
    const ours = await run(...argv);
    assert.notEqual(kubectl(...argv).code, 0, argv.join(' '));
    assert.deepEqual([ours.code, ours.out], [1, ''], argv.join(' '));
    assert.match(ours.err, /^error: .+\n/u);
  }
});

test('a file or a directory of files is written as by kubectl', { skip }, async () => {
  for (const app of ['app', 'default']) {
    for (const folder of ['ours', 'theirs']) mkdirSync(join(root, app, folder));
    await run(app, '-o', `${app}/ours`);
    kubectl(app, `--output=${app}/theirs`);
    const names = readdirSync(join(root, app, 'theirs'));
    assert.deepEqual(readdirSync(join(root, app, 'ours')), names);
    for (const name of names)
      assert.equal(
        readFileSync(join(root, app, 'ours', name), 'utf8'),
        readFileSync(join(root, app, 'theirs', name), 'utf8'),
      );
    await run(app, `-o${app}.ours`);
    kubectl(app, `-o${app}.theirs`);
    assert.equal(readFileSync(join(root, `${app}.ours`), 'utf8'), readFileSync(join(root, `${app}.theirs`), 'utf8'));
  }
});

test('no object is written over another, or outside the directory', async () => {
  mkdirSync(join(root, 'out/deep'), { recursive: true });
  assert.match((await run('twins', '-o', 'out')).err, /v1_service_a\.yaml: two objects .*\nhint: write everything/u);
  assert.match((await run('slash', '-o', 'out/deep')).err, /its name holds a slash/u);
  assert.equal(existsSync(join(root, 'up.yaml')), false);
});

test('Helm, plugins and the old order are refused with what to do instead', async () => {
  for (const flag of ['--enable-helm', '--helm-command=x', '--helm-debug', '--enable-alpha-plugins', '--reorder=none'])
    assert.match((await run('app', flag)).err, /^error: --[\w-]+ is not supported\nhint: .{20,}\n$/u, flag);
});

test('a remote directory is refused before anything is fetched', async () => {
  const { code, err } = await run('https://example.org/org/repo//top?ref=v1');
  assert.equal(code, 1);
  assert.match(err, /is a remote directory\nhint: list it under resources/u);
});

test('deprecated fields are warned about on standard error only', async () => {
  const { code, out, err } = await run('deprecated');
  assert.deepEqual([code, out], [0, (await run('default')).out]);
  assert.match(err, /^warning: 'bases' is deprecated/u);
});

test('help names every flag that has an effect', async () => {
  const { out } = await run('--help');
  for (const flag of ['--output', '--load-restrictor', '--vendor', '--version', '--help'])
    assert.ok(out.includes(flag));
});

test('a reader that goes away ends the command quietly', async () => {
  write({
    'large/kustomization.yaml': 'resources: [all.yaml]\n',
    'large/all.yaml': Array.from({ length: 3000 }, (_, at) => object('v1', 'Service', `name: s${at}`)).join('---\n'),
  });
  const main = join(import.meta.dirname, 'main.ts');
  const child = spawn(process.execPath, [main, join(root, 'large')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  child.stdout.destroy();
  const [code] = (await once(child, 'exit')) as [number];
  assert.deepEqual([code, errors], [0, '']);
});
