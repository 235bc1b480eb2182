/** The life of a deployment on the local API server with its controllers, by the command line and by an independent client. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { defineResource, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { startApiServer } from '../../../cluster/src/index.ts';
import type { ApiServer } from '../../../cluster/src/index.ts';
import { startControllers } from '../../../cluster/src/controllers/start-controllers.ts';
import { runKfctl } from './run-kfctl.ts';

const home = mkdtempSync(path.join(tmpdir(), 'kfctl-apply-'));
const abort = new AbortController();
let server: ApiServer;
let client: KubeClient;
let controllers: { readonly stopped: Promise<void> };

before(async () => {
  const dataDirectory = path.join(home, 'cluster');
  const options = { dataDirectory, host: '127.0.0.1', port: 0, serviceCidr: '10.96.0.0/16', log: silentLogger };
  server = await startApiServer({ ...options, volatile: true });
  client = server.createClient('test');
  const { caCertificate } = server;
  controllers = startControllers({ client, dataDirectory, caCertificate, log: silentLogger, signal: abort.signal });
  await kfctl(home, ['init', 'demo']);
  await kfctl(path.join(home, 'demo'), ['generate']);
});
after(async () => {
  abort.abort();
  await controllers.stopped;
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function kfctl(directory: string, argv: string[], env: Record<string, string> = {}): Promise<Outcome> {
  let [stdout, stderr] = ['', ''];
  const code = await runKfctl({
    argv,
    env: {
      HOME: home,
      KUBECONFIG: server.kubeconfigFile,
      KUBEFLOW_USER_EMAIL: 'ada@example.org',
      KUBEFLOW_PASSWORD: '12341234',
      ...env,
    },
    directory,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    signal: abort.signal,
  });
  return { code, stdout, stderr };
}

/** kfctl in the app's directory; it must succeed. */
async function run(argv: string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await kfctl(path.join(home, 'demo'), argv, env);
  assert.equal(code, 0, `${argv.join(' ')}\n${stdout}${stderr}`);
  return stdout + stderr;
}

const dexVersion = async (): Promise<string | undefined> =>
  (await client.get(resources.deployments, 'dex', { namespace: 'kubeflow' }))?.metadata.resourceVersion;

test('a dry run makes nothing', async () => {
  assert.match(await run(['apply', 'all', '--dry-run']), /\d+ would be created, 0 would be changed/);
  assert.equal(await client.get(resources.namespaces, 'kubeflow'), undefined);
});

test('apply creates everything, and the second time writes nothing', async () => {
  assert.match(await run(['apply', 'all', '--no-wait']), /8\d created, 0 changed, 0 unchanged/);
  const before = await dexVersion();
  assert.match(await run(['apply', 'all', '--no-wait']), /Nothing changed: all 8\d objects are as they should be/);
  assert.equal(await dexVersion(), before);
  assert.match(await run(['diff']), /Nothing would change/);
});

test('a dry run and diff see a change of an object that exists', async () => {
  const file = path.join(home, 'demo/kustomize/centraldashboard/base/deployment.yaml');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('replicas: 1', 'replicas: 2'));
  assert.match(await run(['apply', '--dry-run']), /0 would be created, 1 would be changed/);
  const { code, stdout } = await kfctl(path.join(home, 'demo'), ['diff']);
  assert.equal(code, 1);
  assert.match(stdout, /\+ +replicas: 2/);
  writeFileSync(file, text);
  assert.match(await run(['diff']), /Nothing would change/);
});

test('the result as JSON names every object and holds no secret', async () => {
  const { stdout } = await kfctl(path.join(home, 'demo'), ['apply', '--no-wait', '-o', 'json']);
  const result = JSON.parse(stdout) as { changed: number; user: string; objects: { kind: string; action: string }[] };
  assert.deepEqual([result.changed, result.user], [0, 'ada@example.org']);
  assert.ok(result.objects.some(({ kind }) => kind === 'Secret'));
  assert.ok(!stdout.includes('$2'));
});

test('the installing user has a Profile that is theirs', async () => {
  const { items } = await client.list(
    defineResource('kubeflow.org/v1', 'Profile', { plural: 'profiles', namespaced: false }),
  );
  assert.deepEqual(
    items.map(({ metadata, spec }) => [metadata.name, spec]),
    [['kubeflow-ada', { owner: { kind: 'User', name: 'ada@example.org' } }]],
  );
});

test('users that were added to the dex ConfigMap stay, and dex restarts for them', async () => {
  const map = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
  assert.ok(map?.data !== undefined);
  const config = `${map.data['config.yaml'] ?? ''}\n# a second user\n`;
  await client.patch(resources.configMaps, 'dex', {
    namespace: 'kubeflow',
    fieldManager: 'kubectl-client-side-apply',
    patch: { kind: 'merge', body: { data: { 'config.yaml': config } } },
  });
  const text = await run(['apply', '--no-wait']);
  assert.match(text, /ConfigMap kubeflow\/dex: kept \.data\.config\.yaml as kubectl-client-side-apply set it/);
  assert.match(text, /0 created, 1 changed/);
  const kept = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
  assert.equal(kept?.data?.['config.yaml'], config);
  assert.match(await run(['apply', '--no-wait']), /Nothing changed/);
});

test('a new password and rotated credentials take effect, each once', async () => {
  assert.match(await run(['apply', '--no-wait'], { KUBEFLOW_PASSWORD: '43214321' }), /0 created, 2 changed/);
  assert.match(await run(['apply', '--no-wait'], { KUBEFLOW_PASSWORD: '43214321' }), /Nothing changed/);
  const rotated = await run(['rotate', 'client-secret', 'certificate', '--no-wait'], { KUBEFLOW_PASSWORD: '43214321' });
  assert.match(rotated, /0 created, 5 changed/);
});

test('status tells what is not ready, why nobody can reach it, and what to do next', async () => {
  const { code, stdout } = await kfctl(path.join(home, 'demo'), ['status']);
  assert.equal(code, 1);
  assert.match(stdout, /not ready {2}Deployment kubeflow\/dex: .*0 of 1 pods available\n/);
  assert.match(stdout, /\n {2}Dashboard {2}the gateway has no address yet\n {2}User {7}ada@example\.org\n/);
  assert.match(stdout, /Why, and what to do: kfctl doctor\n$/);
  const { stdout: json } = await kfctl(path.join(home, 'demo'), ['status', '-o', 'json']);
  const { running, ready, deployments } = JSON.parse(json) as Record<string, unknown> & { deployments: object[] };
  assert.deepEqual([running, ready, deployments.length], [true, false, 1]);
});

test('the certificate covers the address that the load balancer gave', async () => {
  const place = { namespace: 'istio-system' };
  await client.patch(resources.services, 'istio-ingressgateway', {
    ...place,
    subresource: 'status',
    patch: { kind: 'merge', body: { status: { loadBalancer: { ingress: [{ ip: '10.0.0.100' }] } } } },
  });
  assert.match(await run(['apply', '--no-wait']), /Dashboard: https:\/\/10\.0\.0\.100\//);
  const { stdout } = await kfctl(path.join(home, 'demo'), ['status']);
  assert.match(stdout, /\n {2}Dashboard {2}https:\/\/10\.0\.0\.100\/\n/);
  const secret = await client.get(resources.secrets, 'istio-ingressgateway-certs', place);
  const { X509Certificate } = await import('node:crypto');
  const certificate = new X509Certificate(Buffer.from(secret?.data?.['tls.crt'] ?? '', 'base64'));
  assert.equal(certificate.checkIP('10.0.0.100'), '10.0.0.100');
});

test('what is not ready in time is explained', async () => {
  const { code, stderr } = await kfctl(path.join(home, 'demo'), ['apply', '--timeout', '6s']);
  assert.equal(code, 1);
  assert.match(stderr, /not ready:\n(.*\n)*.*Deployment kubeflow\/dex: .*0 of 1 pods available/);
});

test('another deployment does not take over what is not its own', async () => {
  await kfctl(home, ['init', 'other']);
  await kfctl(path.join(home, 'other'), ['generate']);
  const { code, stderr } = await kfctl(path.join(home, 'other'), ['apply', '--no-wait']);
  assert.equal(code, 1);
  assert.match(stderr, /\d+ objects belong to another kfctl deployment: .*\(of demo\)/);
});

test('an application that left the app is removed from the cluster', async () => {
  const app = path.join(home, 'demo/app.yaml');
  const text = readFileSync(app, 'utf8');
  writeFileSync(app, text.slice(0, text.indexOf('  - name: centraldashboard')));
  await run(['generate']);
  assert.match(await run(['apply', '--no-wait']), /0 created, 0 changed, \d+ unchanged, 13 removed/);
  assert.equal(await client.get(resources.deployments, 'centraldashboard', { namespace: 'kubeflow' }), undefined);
});

test('a delete that something holds says what, and goes on when it is mended', async () => {
  const place = { namespace: 'istio-system' };
  const metadata = { name: 'held', finalizers: ['example.com/never'], ...place };
  await client.create(resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata });
  const { code, stderr } = await kfctl(path.join(home, 'demo'), ['delete', 'all', '--timeout', '3s']);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /still there:\n {2}- Namespace istio-system: .*finalizers remaining: example\.com\/never.*configmaps has 1 resource instances\nhint: .*finalizers.*continues where it stopped\./,
  );
  const patch = { kind: 'merge', body: { metadata: { finalizers: null } } } as const;
  await client.patch(resources.configMaps, 'held', { ...place, patch });
});

test('delete leaves the cluster as it was before the first apply', async () => {
  const text = await run(['delete', 'all', '--timeout', '30s']);
  assert.match(text, /\d+ objects deleted\./);
  const { items } = await client.list(resources.namespaces);
  assert.deepEqual(items.map(({ metadata }) => metadata.name).toSorted(), [
    'default',
    'kube-node-lease',
    'kube-public',
    'kube-system',
  ]);
  const roles = await client.list(resources.clusterRoles);
  assert.deepEqual(
    roles.items.filter(({ metadata }) => /kubeflow|istio|dashboard|profiles|metallb/.test(metadata.name ?? '')),
    [],
  );
  assert.match(await run(['delete', 'all']), /Nothing to delete/);
});

test('what kfctl up installed can be taken over by a deployment made by hand, and is then its own', async () => {
  await run(['apply', '--no-wait']);
  await client.patch(resources.configMaps, 'kfctl-inventory-demo', {
    namespace: 'kubeflow',
    patch: { kind: 'merge', body: { metadata: { labels: { 'kfctl.kubeflow.org/local': 'true' } } } },
  });
  const other = path.join(home, 'other');
  const taken = await kfctl(other, ['apply', '--no-wait']);
  assert.equal(taken.code, 0, taken.stderr);
  assert.match(taken.stderr, /other takes over what kfctl up installed as demo/);
  assert.match(
    (await kfctl(path.join(home, 'demo'), ['apply', '--no-wait'])).stderr,
    /belong to another kfctl deployment/,
  );
  assert.match((await kfctl(other, ['apply', '--no-wait'])).stdout, /Nothing changed/);
  assert.equal((await kfctl(other, ['delete'])).code, 0);
  assert.equal(await client.get(resources.namespaces, 'kubeflow'), undefined);
});
