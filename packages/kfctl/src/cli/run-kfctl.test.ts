import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listen } from '@kfctl/core';
import { runKfctl } from './run-kfctl.ts';

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let home = '';
beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'kfctl-'));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

async function kfctl(argv: string[], more: { env?: Record<string, string>; below?: string } = {}): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  const code = await runKfctl({
    argv,
    env: { HOME: home, ...more.env },
    directory: path.join(home, more.below ?? ''),
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

const file = (name: string): string => readFileSync(path.join(home, name), 'utf8');
const lines = (name: string): string[] => file(name).split('\n');

async function makeApp(env: Record<string, string> = {}): Promise<void> {
  assert.equal((await kfctl(['init', 'app', '--config=existing_arrikto'], { env })).code, 0);
}

async function generate(env: Record<string, string> = {}): Promise<Outcome> {
  const outcome = await kfctl(['generate', 'all', '-V'], { below: 'app', env });
  assert.equal(outcome.code, 0, outcome.stderr);
  return outcome;
}

test('help teaches the sequence and lists every command', async () => {
  const { code, stdout } = await kfctl(['--help']);
  assert.equal(code, 0);
  for (const word of ['init', 'generate', 'apply', 'delete', 'up', 'kfctl apply all', 'KUBEFLOW_PASSWORD']) {
    assert.ok(stdout.includes(word), word);
  }
});

test('prints its version', async () => {
  assert.deepEqual(await kfctl(['version']), { code: 0, stdout: 'kfctl v0.1.0\n', stderr: '' });
});

test('init writes app.yaml with the name, the user and the comments of the preset', async () => {
  const { code, stderr } = await kfctl(['init', 'app', '--config=existing_arrikto', '-V'], {
    env: { KUBEFLOW_USER_EMAIL: "o'neill+a@example.org", KUBEFLOW_PASSWORD: 'very-secret' },
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(path.join(home, 'app')), ['app.yaml']);
});

test('init records the user, never the password', async () => {
  await makeApp({ KUBEFLOW_USER_EMAIL: 'ada+x@example.org', KUBEFLOW_PASSWORD: 'very-secret' });
  await generate({ KUBEFLOW_USER_EMAIL: 'ada+x@example.org', KUBEFLOW_PASSWORD: 'very-secret' });
  assert.ok(lines('app/app.yaml').includes('  name: app'));
  assert.match(file('app/app.yaml'), /^# Multi-user/);
  assert.match(file('app/app.yaml'), /name: static_email\n {8}value: ada\+x@example\.org/);
  assert.ok(lines('app/kustomize/dex/base/params.env').includes('static_email=ada+x@example.org'));
  assert.ok(lines('app/kustomize/dex/base/params.env').includes('static_username=ada+x'));
  for (const name of readdirSync(path.join(home, 'app'), { recursive: true, withFileTypes: true })) {
    if (name.isFile()) assert.ok(!readFileSync(path.join(name.parentPath, name.name), 'utf8').includes('very-secret'));
  }
});

test('init makes nothing when something is wrong', async () => {
  writeFileSync(path.join(home, 'bad.yaml'), 'kind: ConfigMap\n');
  writeFileSync(path.join(home, 'no.yaml'), 'a: b: c\n');
  for (const [argv, message, env] of [
    [['init', 'a/b'], /is a path; give the name of the directory alone/],
    [['init', 'Kubeflow'], /has upper-case letters/],
    [['init', 'k'.repeat(26)], /has 26 characters; at most 25/],
    [['init', 'app', '--config=bad.yaml'], /bad\.yaml:1:7: kind: is ConfigMap, not KfDef/],
    [['init', 'app', '--config=no.yaml'], /no\.yaml:1:4: not YAML/],
    [['init', 'app', '--config=nothing'], /no such file, and no preset of that name\nhint: .*existing_arrikto, local/],
    [['init', 'app', '--config=http://127.0.0.1:1/x'], /cannot fetch http:\/\/127\.0\.0\.1:1\/x/],
    [['init', 'app', '--config=s3://bucket/x'], /only http, https and files/],
    [['init', 'app'], /KUBEFLOW_USER_EMAIL: "admin" is not an e-mail address/, { KUBEFLOW_USER_EMAIL: 'admin' }],
    [['init', 'app'], /KUBEFLOW_USER_EMAIL: "a@b\\nx" is not/, { KUBEFLOW_USER_EMAIL: 'a@b\nx' }],
    [['init', 'app'], /KUBEFLOW_PASSWORD cannot be hashed/, { KUBEFLOW_PASSWORD: 'x'.repeat(73) }],
    [['init'], /missing required argument 'name'/],
    [['init', 'a', 'b'], /too many arguments/],
    [['inti', 'app'], /Did you mean init\?/],
  ] as const) {
    const { code, stderr } = await kfctl([...argv], env === undefined ? {} : { env });
    assert.equal(code, 1, argv.join(' '));
    assert.match(stderr, message);
    assert.ok(!stderr.includes('Usage:'), 'a mistake is no reason for the whole help');
    assert.deepEqual(readdirSync(home).toSorted(), ['bad.yaml', 'no.yaml']);
  }
});

test('init refuses an existing app and leaves it alone', async () => {
  await makeApp();
  writeFileSync(path.join(home, 'app/app.yaml'), 'mine');
  const { code, stderr } = await kfctl(['init', 'app']);
  assert.equal(code, 1);
  assert.match(stderr, /app\/app\.yaml already exists/);
  assert.equal(file('app/app.yaml'), 'mine');
});

test('init takes a directory that is already there', async () => {
  mkdirSync(path.join(home, 'app'));
  writeFileSync(path.join(home, 'app/notes'), 'mine');
  await makeApp();
  assert.deepEqual(readdirSync(path.join(home, 'app')).toSorted(), ['app.yaml', 'notes']);
});

test('init reads a configuration from an address, and refuses error pages and endless bodies', async () => {
  const preset = readFileSync(path.resolve(import.meta.dirname, '../../../manifests/presets/kfctl_local.yaml'));
  const server = createServer((request, response) => {
    if (request.url === '/good') response.end(preset);
    else if (request.url === '/endless') response.end(Buffer.alloc(2 * 1024 * 1024, 32));
    else response.writeHead(404).end('<html>');
  });
  const root = `http://127.0.0.1:${await listen(server, 0, '127.0.0.1')}`;
  try {
    assert.match((await kfctl(['init', 'app', `--config=${root}/missing`])).stderr, /the server answered 404/);
    assert.match((await kfctl(['init', 'app', `--config=${root}/endless`])).stderr, /larger than 1 MiB/);
    assert.deepEqual(readdirSync(home), []);
    assert.equal((await kfctl(['init', 'app', `--config=${root}/good`])).code, 0);
  } finally {
    server.close();
  }
});

for (const argv of [['generate'], ['apply'], ['delete'], ['diff'], ['show']]) {
  test(`${argv.join(' ')} outside an app directory says so`, async () => {
    const { code, stderr } = await kfctl(argv);
    assert.equal(code, 1);
    assert.match(stderr, /is no application directory: it has no app\.yaml\nhint: .*kfctl init NAME/);
  });
}

test('an unknown argument is refused with the known ones', async () => {
  await makeApp();
  const { code, stderr } = await kfctl(['generate', 'everything'], { below: 'app' });
  assert.equal(code, 1);
  assert.match(stderr, /Allowed choices are all, k8s, platform/);
});

test('apply before generate, and without a cluster, says what to do', async () => {
  await makeApp();
  assert.match((await kfctl(['apply'], { below: 'app' })).stderr, /no cluster to talk to.*\nhint: Set KUBECONFIG/);
  writeFileSync(
    path.join(home, 'kubeconfig'),
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'x',
      contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
      clusters: [{ name: 'x', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'x', user: {} }],
    }),
  );
  const env = { KUBECONFIG: path.join(home, 'kubeconfig') };
  assert.match(
    (await kfctl(['apply'], { below: 'app', env })).stderr,
    /kustomize\/ has no files of: namespaces.*\nhint: Run: kfctl generate all/,
  );
  await generate();
  const { code, stderr } = await kfctl(['apply'], { below: 'app', env });
  assert.equal(code, 1);
  assert.match(stderr, /error: cannot reach the API server https:\/\/127\.0\.0\.1:1.*\nhint: /);
});

test('generate writes a copy of each package with the parameters, and again changes nothing', async () => {
  await makeApp();
  const first = await generate();
  assert.match(first.stderr, /Generated kustomize\/ for 8 applications/);
  assert.match(file('app/kustomize/dex/kustomization.yaml'), /^resources:\n- base$/m);
  assert.match((await generate()).stderr, /kustomize\/ is up to date: 8 applications/);
});

test('generate keeps edited files, says so, and follows changes of the others', async () => {
  await makeApp();
  await generate();
  const edited = path.join(home, 'app/kustomize/dex/base/service.yaml');
  writeFileSync(edited, '# mine\n');
  const app = path.join(home, 'app/app.yaml');
  writeFileSync(app, readFileSync(app, 'utf8').replace('value: /dex/auth', 'value: /other/auth'));
  const { stderr } = await generate();
  assert.match(stderr, /warning: kept your changes in kustomize\/dex\/base\/service\.yaml/);
  assert.equal(readFileSync(edited, 'utf8'), '# mine\n');
  assert.ok(lines('app/kustomize/oidc-authservice/base/params.env').includes('oidc_auth_url=/other/auth'));
});

test('generate removes an application that is gone, but not what was edited in it', async () => {
  await makeApp();
  await generate();
  writeFileSync(path.join(home, 'app/kustomize/centraldashboard/base/service.yaml'), '# mine\n');
  const app = path.join(home, 'app/app.yaml');
  const text = readFileSync(app, 'utf8');
  writeFileSync(app, text.slice(0, text.indexOf('  - name: centraldashboard')));
  await generate();
  assert.deepEqual(readdirSync(path.join(home, 'app/kustomize/centraldashboard/base')), ['service.yaml']);
});

test('a damaged record of what was generated makes kfctl careful, not destructive', async () => {
  await makeApp();
  await generate();
  writeFileSync(path.join(home, 'victim'), 'x');
  writeFileSync(
    path.join(home, 'app/.kfctl/generated.json'),
    JSON.stringify({
      applications: { dex: { '../../../victim': '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' } },
    }),
  );
  await generate();
  assert.equal(file('victim'), 'x');
});

test('generate takes a user that is named later, and changes it only loudly', async () => {
  await makeApp();
  await generate({ KUBEFLOW_USER_EMAIL: 'ada@example.org' });
  assert.ok(lines('app/kustomize/dex/base/params.env').includes('static_email=ada@example.org'));
  const { stderr } = await generate({ KUBEFLOW_USER_EMAIL: 'bob@example.org' });
  assert.match(stderr, /the first user changes from ada@example\.org to bob@example\.org/);
});

for (const shell of ['bash', 'zsh', 'fish']) {
  test(`completion ${shell} knows the commands`, async () => {
    const { stdout } = await kfctl(['completion', shell]);
    for (const word of ['init', 'generate', 'platform', 'data-dir']) assert.ok(stdout.includes(word), word);
  });
}

test('status without a local cluster ends with 1 and says how to start one', async () => {
  const { code, stdout } = await kfctl(['status']);
  assert.equal(code, 1);
  assert.match(stdout, /No local cluster runs on .*\/\.local\/share\/kfctl\. Start it: kfctl up/);
  assert.deepEqual(JSON.parse((await kfctl(['status', '-o', 'json'])).stdout), {
    running: false,
    ready: false,
    deployments: [],
  });
});

test('doctor without a local cluster ends with 1 and says what to do; its help teaches', async () => {
  const { code, stdout } = await kfctl(['doctor']);
  assert.equal(code, 1);
  assert.match(stdout, /No local cluster runs on .*kfctl up; or name a cluster: kfctl doctor --kubeconfig FILE/);
  assert.deepEqual(JSON.parse((await kfctl(['doctor', '-o', 'json'])).stdout), { healthy: false, reports: [] });
  const help = await kfctl(['doctor', '--help']);
  for (const word of ['load balancer', 'certificate', 'Exit code 1', 'kfctl doctor --context']) {
    assert.ok(help.stdout.includes(word), word);
  }
});

test('down without a local cluster is no failure', async () => {
  assert.equal((await kfctl(['down', '--purge'])).code, 0);
});

const trailing = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: "v\\n\\n"}\n';

test('kustomize prints every byte, by both ways into it, and takes the flags of kubectl', async () => {
  mkdirSync(path.join(home, 'dir'));
  writeFileSync(path.join(home, 'dir/kustomization.yaml'), 'resources: [a.yaml]\n');
  writeFileSync(path.join(home, 'dir/a.yaml'), trailing);
  const expected = 'apiVersion: v1\ndata:\n  k: |+\n    v\n\nkind: ConfigMap\nmetadata:\n  name: a\n';
  assert.deepEqual(await kfctl(['kustomize', 'dir']), { code: 0, stdout: expected, stderr: '' });
  const program = path.join(import.meta.dirname, '../../bin/kfctl');
  const env = { PATH: process.env['PATH'] ?? '', HOME: home };
  const quick = spawnSync(program, ['kustomize', 'dir'], { cwd: home, env, encoding: 'utf8' });
  assert.deepEqual([quick.status, quick.stdout, quick.stderr], [0, expected, '']);
  assert.equal((await kfctl(['kustomize', 'dir', '-o', 'out.yaml'])).code, 0);
  assert.equal(file('out.yaml'), expected);
  const { code, stderr } = await kfctl(['kustomize', '--enable-helm', 'dir']);
  assert.equal(code, 1);
  assert.match(stderr, /--enable-helm is not supported\nhint: render the chart/u);
  assert.match((await kfctl(['kustomize', '--help'])).stdout, /kfctl kustomize \[DIR\]/u);
});

test('vendor says when there is nothing to fetch, and names what cannot be fetched', async () => {
  await makeApp();
  await kfctl(['generate', 'all'], { below: 'app' });
  assert.match((await kfctl(['vendor'], { below: 'app' })).stderr, /no remote resources: it builds offline/u);
  const dex = path.join(home, 'app/kustomize/dex/kustomization.yaml');
  writeFileSync(dex, readFileSync(dex, 'utf8').replace('resources:\n', 'resources:\n- https://127.0.0.1:1/x.yaml\n'));
  const { code, stderr } = await kfctl(['vendor'], { below: 'app' });
  assert.equal(code, 1);
  assert.match(stderr, /cannot vendor application dex: cannot fetch https:\/\/127\.0\.0\.1:1\/x\.yaml/u);
  assert.match((await kfctl(['show'], { below: 'app' })).stderr, /x\.yaml is not vendored\nhint: .*kfctl vendor/u);
});
