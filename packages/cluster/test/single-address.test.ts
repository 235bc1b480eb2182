/** A machine whose loopback interface has 127.0.0.1 alone, and no mount namespaces: the cluster's addresses are carried by an overlay. */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { resources } from '@kfctl/kube';
import type { KubeObject } from '@kfctl/kube';
import { localPods } from '../src/node/pod/pod-spec.ts';
import type { LocalPod } from '../src/node/pod/pod-spec.ts';
import { startTestCluster, until } from './running-cluster.ts';
import type { TestCluster } from './running-cluster.ts';

const SERVER = `
  require('node:http').createServer((request, response) => {
    const { remoteAddress, localAddress, localPort } = request.socket;
    response.end([process.env.HOSTNAME, remoteAddress, localAddress, localPort].join(' '));
  }).listen(8080);`;
const CALLER = `
  const call = () => fetch('http://web.default.svc.cluster.local/')
    .then((answer) => answer.text()).then(console.log, () => setTimeout(call, 50));
  call();`;

let cluster: TestCluster;
before(async () => {
  cluster = await startTestCluster(undefined, { loopback: 'single', sandboxes: ['none'] });
});
after(() => cluster.stop());

interface PodParts {
  readonly image: string;
  readonly command?: readonly string[];
  readonly port?: number;
  readonly probe?: object;
}

async function runPod(t: TestContext, name: string, { image, command, port, probe }: PodParts): Promise<void> {
  const container = {
    name: 'main',
    image,
    ...(command === undefined ? {} : { command }),
    ...(port === undefined ? {} : { ports: [{ containerPort: port }] }),
    ...(probe === undefined ? {} : { readinessProbe: probe }),
  };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: name } },
    spec: { containers: [container], terminationGracePeriodSeconds: 0, restartPolicy: 'OnFailure' },
  };
  await cluster.client.create(resources.pods, pod);
  t.after(() => cluster.client.delete(resources.pods, name, { namespace: 'default', gracePeriodSeconds: 0 }));
}

async function createService(t: TestContext, name: string, spec: object): Promise<void> {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec };
  await cluster.client.create(resources.services, service as KubeObject as never);
  t.after(() => cluster.client.delete(resources.services, name, { namespace: 'default' }));
}

const podIs = (name: string, is: (pod: LocalPod) => boolean): Promise<LocalPod | undefined> =>
  until(cluster.client, localPods, {
    place: { name, namespace: 'default' },
    is: (pod) => pod !== undefined && is(pod),
  });

const isReady = (pod: LocalPod): boolean => pod.status?.containerStatuses?.[0]?.ready === true;

async function kubectl(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('kubectl', ['--kubeconfig', cluster.kubeconfigFile, ...args]);
  return stdout;
}

/** The event that tells a pod's owner what this machine cannot do. */
async function limitsOf(pod: string): Promise<{ readonly type?: string; readonly message?: string }> {
  const signal = AbortSignal.timeout(20_000);
  const fieldSelector = `involvedObject.name=${pod},reason=SingleAddress`;
  const { items } = await cluster.client.list(resources.events, { namespace: 'default', fieldSelector });
  if (items[0] !== undefined) return items[0];
  for await (const event of cluster.client.watch(resources.events, { namespace: 'default', fieldSelector, signal })) {
    if (event.kind === 'added') return event.object;
  }
  throw new Error(`no event about ${pod}`);
}

/** A body by `kubectl port-forward`. */
async function forwarded(t: TestContext, pod: string, port: number): Promise<string> {
  const args = ['--kubeconfig', cluster.kubeconfigFile, 'port-forward', `pod/${pod}`, `:${port}`];
  const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const local = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
  const [response] = (await once(request({ host: '127.0.0.1', port: local }).end(), 'response')) as [
    AsyncIterable<Buffer>,
  ];
  let text = '';
  for await (const chunk of response) text += chunk.toString();
  return text;
}

test('only the API server is bound on the machine; pods and services keep addresses of their own', async (t) => {
  assert.match(cluster.cluster.api.url, /^https:\/\/127\.0\.0\.1:\d+$/);
  await runPod(t, 'web', {
    image: 'node',
    command: ['node', '-e', SERVER],
    probe: { httpGet: { port: 8080 }, periodSeconds: 1 },
  });
  await createService(t, 'web', { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] });
  const address = (await podIs('web', isReady))?.status?.podIP ?? '';
  assert.ok(address.startsWith(`127.${cluster.cluster.addresses.block}.128.`), address);
  await runPod(t, 'caller', { image: 'node', command: ['node', '-e', CALLER] });
  await podIs('caller', ({ status }) => status?.phase === 'Succeeded');
  const answer = `web 127.0.0.1 ${address} 8080`;
  assert.equal((await kubectl('logs', 'caller')).trim(), answer);
  assert.equal((await forwarded(t, 'web', 8080)).trim(), answer);
  const said = await kubectl('exec', 'web', '--', 'node', '-e', CALLER);
  assert.equal(said.trim(), answer);
});

test('a pod that is gone leaves no socket', async (t) => {
  const sockets = (): string[] => readdirSync(join(cluster.dataDirectory, 'net'));
  await runPod(t, 'gone', { image: 'node', command: ['node', '-e', SERVER], probe: { tcpSocket: { port: 8080 } } });
  const pod = await podIs('gone', isReady);
  const name = `${pod?.status?.podIP?.split('.').slice(2).join('.')}.8080`;
  assert.ok(sockets().includes(name));
  await cluster.client.delete(resources.pods, 'gone', { namespace: 'default', gracePeriodSeconds: 0 });
  await until(cluster.client, localPods, { place: { name: 'gone', namespace: 'default' }, is: (p) => p === undefined });
  await runPod(t, 'next', { image: 'node', command: ['node', '-e', SERVER], probe: { tcpSocket: { port: 8080 } } });
  await podIs('next', isReady);
  assert.ok(!sockets().includes(name));
});

test('nginx listens on a port of the machine, and its pod’s address leads there', async (t) => {
  if (spawnSync('nginx', ['-v']).error !== undefined) return t.skip('nginx is not installed here');
  await runPod(t, 'nginx', { image: 'nginx', port: 80, probe: { httpGet: { port: 80 }, periodSeconds: 1 } });
  await createService(t, 'web', { selector: { app: 'nginx' }, ports: [{ port: 80 }] });
  await podIs('nginx', isReady);
  assert.match(await forwarded(t, 'nginx', 80), /Welcome to nginx/);
  await runPod(t, 'caller', { image: 'node', command: ['node', '-e', CALLER] });
  await podIs('caller', ({ status }) => status?.phase === 'Succeeded');
  assert.match(await kubectl('logs', 'caller'), /Welcome to nginx/);
});

test('other programs serve a declared port at 127.0.0.1, one pod at a time, and an event says so', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const { port } = holder.address() as AddressInfo;
  await new Promise((resolve) => holder.close(resolve));
  // It reads before it ends: bytes that nobody read would cut the connection, and the answer with it.
  const answer = `(s) => s.once('data', () => s.end('HTTP/1.0 200 OK\\r\\n\\r\\nforeign'))`;
  const script = `require('node:net').createServer(${answer}).listen(${port}, '127.0.0.1')`;
  const parts = { image: 'busybox', command: ['node', '-e', script], port, probe: { tcpSocket: { port } } };
  await runPod(t, 'first', parts);
  await podIs('first', isReady);
  const told = await limitsOf('first');
  assert.equal(told.type, 'Normal');
  assert.match(told.message ?? '', /only the address 127\.0\.0\.1/);
  assert.equal(await forwarded(t, 'first', port), 'foreign');
  await runPod(t, 'second', parts);
  const refused = await limitsOf('second');
  assert.equal(refused.type, 'Warning');
  assert.match(refused.message ?? '', new RegExp(`Not available there: ${port} \\(the pod at 127\\.`));
});

test('a load balancer’s port that somebody has is told on the service', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.after(() => holder.close());
  const { port } = holder.address() as AddressInfo;
  await createService(t, 'balanced', { type: 'LoadBalancer', selector: { app: 'none' }, ports: [{ port }] });
  const body = { status: { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } } };
  const patch = { kind: 'merge', body } as const;
  await cluster.client.patch(resources.services, 'balanced', { namespace: 'default', subresource: 'status', patch });
  const service = await until(cluster.client, resources.services, {
    place: { name: 'balanced', namespace: 'default' },
    is: (found) => found?.metadata.annotations?.['kfctl.kubeflow.org/unbound-ports'] !== undefined,
  });
  const text = service?.metadata.annotations?.['kfctl.kubeflow.org/unbound-ports'] ?? '{}';
  assert.match((JSON.parse(text) as Record<string, string>)[port] ?? '', /EADDRINUSE/);
});
