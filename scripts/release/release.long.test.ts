/** The archive of a release does on a machine with neither Node nor the repository what the document's first steps say. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';

const root = path.dirname(path.dirname(import.meta.dirname));
const folder = mkdtempSync(path.join(tmpdir(), 'kfctl-release-test-'));
const dist = path.join(folder, 'dist');
const user = path.join(folder, 'user');

before(() => {
  mkdirSync(path.join(user, 'home'), { recursive: true });
  execFileSync(process.execPath, [path.join(root, 'scripts/release/main.ts'), `--output=${dist}`], { stdio: 'pipe' });
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** What a new user's shell would run, with the unpacked folder on PATH and no Node of its own. */
function shell(script: string): { status: number | null; stdout: string; stderr: string } {
  const env = { PATH: `/usr/bin:/bin:${user}`, HOME: path.join(user, 'home'), KUBEFLOW_USER_EMAIL: 'ada@example.com' };
  const bash = spawnSync('bash', ['-euc', script], { cwd: user, env, encoding: 'utf8' });
  return { status: bash.status, stdout: bash.stdout, stderr: bash.stderr };
}

test('the sums match what was made', () => {
  execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: dist });
});

test('unpacks to the command and one folder beside it, with no tests in it', () => {
  assert.equal(shell(`tar -xf ${dist}/kfctl_v*.tar.gz`).status, 0);
  const entries = globSync('*', { cwd: user }).toSorted();
  assert.deepEqual(
    entries.map((entry) => entry.replace(/-v.*/, '')),
    ['home', 'kfctl', 'kfctl'],
  );
  assert.deepEqual(globSync('kfctl-*/packages/**/*.test.ts', { cwd: user }), []);
});

test('init and generate work by the steps of the document', () => {
  const run = shell('kfctl init my-kubeflow --config=existing_arrikto -V && cd my-kubeflow && kfctl generate all -V');
  assert.equal(run.status, 0, run.stderr);
  assert.ok(existsSync(path.join(user, 'my-kubeflow/kustomize/dex')));
  assert.match(readFileSync(path.join(user, 'my-kubeflow/app.yaml'), 'utf8'), /ada@example\.com/);
});

test('works through a link to the command', () => {
  const run = shell('mkdir -p bin && ln -sf ../kfctl bin/kf && bin/kf version');
  assert.match(run.stdout, /^kfctl v\d+\.\d+\.\d+/);
});

test('says what is wrong when the command was moved without its folder', () => {
  const run = shell('mkdir -p moved && cp kfctl moved/ && moved/kfctl version');
  assert.equal(run.status, 1);
  assert.match(run.stderr, /keep the command and its folder together/);
});

test('the image holds what its programs need, and runs them as a user without rights', (context) => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return context.skip('needs root on Linux for chroot');
  const image = path.join(folder, 'image');
  const rootfs = path.join(image, 'rootfs');
  mkdirSync(rootfs, { recursive: true });
  const [archive = ''] = globSync('kfctl-platform_v*.tar.gz', { cwd: dist });
  execFileSync('tar', ['-xf', path.join(dist, archive), '-C', image]);
  const [{ Config, Layers, RepoTags }] = JSON.parse(readFileSync(path.join(image, 'manifest.json'), 'utf8')) as [
    { Config: string; Layers: string[]; RepoTags: string[] },
  ];
  assert.match(RepoTags[0] ?? '', /^kfctl\/platform:\d+\.\d+\.\d+$/);
  const { config, rootfs: layers } = JSON.parse(readFileSync(path.join(image, Config), 'utf8')) as {
    config: { User: string; Env: string[] };
    rootfs: { diff_ids: string[] };
  };
  assert.equal(config.User, '1001:1001');
  for (const [index, layer] of Layers.entries()) {
    const sum = execFileSync('sha256sum', [path.join(image, layer)], { encoding: 'utf8' }).slice(0, 64);
    assert.equal(layers.diff_ids[index], `sha256:${sum}`);
    execFileSync('tar', ['-xpf', path.join(image, layer), '-C', rootfs]);
  }
  const run = (...words: string[]) =>
    execFileSync('chroot', [`--userspec=${config.User}`, rootfs, 'env', '-i', ...config.Env, ...words], {
      encoding: 'utf8',
    });
  assert.match(run('kfctl', 'version'), /^kfctl v/);
  for (const name of ['sh', 'tar', 'ls', 'env', 'ps']) assert.match(run('which', name), new RegExp(`/bin/${name}`));
  const native =
    'await import("/app/node_modules/@node-rs/bcrypt/index.js"); await import("/app/node_modules/koffi/index.js")';
  run('node', '--input-type=module', '-e', native);
  // Compiled code comes with it: nothing has to be stripped of its types, although nothing can be written.
  const trace = spawnSync(
    'chroot',
    [
      `--userspec=${config.User}`,
      rootfs,
      'env',
      '-i',
      ...config.Env,
      'NODE_DEBUG_NATIVE=COMPILE_CACHE',
      'kfctl',
      'version',
    ],
    { encoding: 'utf8' },
  );
  assert.doesNotMatch(trace.stderr, /no transpile cache/);
  assert.match(trace.stderr, /retrieving transpile cache .*success/);
  assert.equal(execFileSync('find', [rootfs, '-perm', '/6000'], { encoding: 'utf8' }), '');
});

test('metallb.yaml holds the controller and the speaker and no pool of addresses', () => {
  const text = readFileSync(path.join(dist, 'metallb.yaml'), 'utf8');
  assert.match(text, /^kind: DaemonSet$/m);
  assert.match(text, /^kind: Deployment$/m);
  assert.doesNotMatch(text, /^kind: ConfigMap$/m);
});

test('a platform that there is not is refused with those that there are', () => {
  const run = spawnSync(process.execPath, [path.join(root, 'scripts/release/main.ts'), 'amiga'], { encoding: 'utf8' });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /no such platform: amiga; there are linux-amd64/);
});
