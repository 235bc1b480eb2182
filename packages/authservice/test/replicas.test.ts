import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { createKubeClient, loadKubeConfig } from '@kfctl/kube';
import { CHECK_LEASE_NAME } from '@kfctl/oidc';
import type { ApiServerOptions } from '../../cluster/src/index.ts';
import { kubectl, runServer } from '../../cluster/test/running-server.ts';
import { noRedis, REDIS_PASSWORD, startRedis } from '../../testkit/src/redis.ts';
import { sampleSession, Told } from '../../testkit/src/session-store.ts';
import { temporaryDirectory } from '../../testkit/src/front-door/programs.ts';
import { createKubernetesStore } from '../src/session/kubernetes-store.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { RawResponse, ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';
import { rotateTokens, untilDue } from './rotating-provider.ts';

const CRD = path.join(import.meta.dirname, '../../manifests/oidc-authservice/base/crd.yaml');

interface Place {
  readonly name: string;
  readonly skip: string | false;
  /** The settings that lead every replica to the same sessions. */
  open(t: TestContext): Promise<Record<string, string>>;
}

const redis: Place = {
  name: 'Redis',
  skip: noRedis,
  open: async (t) => {
    const { port } = await startRedis(t);
    return {
      SESSION_STORE_TYPE: 'redis',
      SESSION_STORE_REDIS_ADDR: `127.0.0.1:${port}`,
      SESSION_STORE_REDIS_PWD: REDIS_PASSWORD,
    };
  },
};

const kubernetes: Place = {
  name: 'Kubernetes objects',
  skip: false,
  open: async (t) => {
    const { kubeconfigFile } = await openApiServer(t);
    return { SESSION_STORE_TYPE: 'kubernetes', KUBECONFIG: kubeconfigFile };
  },
};

/** With the namespace and the kind of objects that hold sessions. */
async function openApiServer(t: TestContext, options: Partial<ApiServerOptions> = {}): ReturnType<typeof runServer> {
  const server = await runServer(t, options);
  for (const args of [
    ['create', 'namespace', 'istio-system'],
    ['apply', '-f', CRD],
    ['wait', '--for=condition=Established', 'crd/authservicesessions.auth.kubeflow.org'],
  ]) {
    const { code, stderr } = await kubectl(server, args);
    // The API server makes some namespaces itself.
    assert.ok(code === 0 || stderr.includes('already exists'), stderr);
  }
  return server;
}

interface Replicas {
  readonly provider: HostileProvider;
  readonly one: ServiceUnderTest;
  readonly other: ServiceUnderTest;
  start(): Promise<ServiceUnderTest>;
  /** Logs in at the first; gives the cookie. */
  login(): Promise<string>;
}

async function startReplicas(t: TestContext, place: Place, more: Record<string, string> = {}): Promise<Replicas> {
  const provider = await startHostileProvider(t);
  const env = { OIDC_PROVIDER: provider.issuer, ...(await place.open(t)), ...more };
  const start = async (): Promise<ServiceUnderTest> => {
    const service = await startService(t, env);
    await untilReady(service);
    return service;
  };
  const [one, other] = [await start(), await start()];
  const login = async (): Promise<string> => {
    const browser = new Browser(one.port);
    assert.equal((await loginAt(provider, browser)).status, 302);
    return `authservice_session=${browser.cookie('authservice_session')}`;
  };
  return { provider, one, other, start, login };
}

const ask = ({ port }: ServiceUnderTest, cookie: string, pathname = '/'): Promise<RawResponse> =>
  send({ port, path: pathname, headers: { cookie, accept: 'application/json', 'sec-fetch-mode': 'cors' } });

for (const place of [redis, kubernetes]) {
  const { skip, name } = place;

  test(`fifty requests to two replicas cause one refresh, and nobody is logged out: ${name}`, { skip }, async (t) => {
    const { provider, one, other, login } = await startReplicas(t, place);
    const { used } = rotateTokens(provider, { lifetimeSeconds: 3_600, claims: { groups: ['new'] } });
    const cookie = await login();
    await untilDue();
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(index % 2 ? one : other, cookie)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.deepEqual(used, ['rt-1']);
    for (const service of [one, other]) assert.equal((await ask(service, cookie)).headers['kubeflow-groups'], 'new');
    assert.deepEqual(used, ['rt-1']);
  });

  test(`a logout at one replica ends the session at the other, and for good: ${name}`, { skip }, async (t) => {
    const { one, other, start, login } = await startReplicas(t, place);
    const cookie = await login();
    assert.equal((await ask(other, cookie)).status, 200);
    const logout = { port: one.port, path: '/logout', method: 'POST', headers: { cookie } };
    assert.equal((await send(logout)).status, 201);
    assert.equal((await ask(one, cookie)).status, 401);
    while ((await ask(other, cookie)).status !== 401) await new Promise((resolve) => setImmediate(resolve));
    await one.stop();
    assert.equal((await ask(await start(), cookie)).status, 401);
  });

  test(`sessions and API tokens outlive the restart of every replica: ${name}`, { skip }, async (t) => {
    const { one, other, start, login } = await startReplicas(t, place);
    const cookie = await login();
    const made = await send({
      port: one.port,
      path: '/authservice/api/tokens',
      method: 'POST',
      headers: { cookie, origin: PUBLIC_ORIGIN, host: 'kubeflow.test', 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'ci' }),
    });
    assert.equal(made.status, 201, made.body);
    const { token } = JSON.parse(made.body) as { readonly token: string };
    await one.stop();
    await other.stop();
    const again = await start();
    assert.equal((await ask(again, cookie)).headers['kubeflow-userid'], 'eve@example.com');
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await send({ port: again.port, path: '/', headers })).headers['kubeflow-userid'], 'eve@example.com');
  });
}

test('kubectl tells sessions from the lease among them, which a replica of before renews as well', async (t) => {
  const server = await openApiServer(t);
  const provider = await startHostileProvider(t);
  const env = { OIDC_PROVIDER: provider.issuer, SESSION_STORE_TYPE: 'kubernetes', KUBECONFIG: server.kubeconfigFile };
  const service = await startService(t, env);
  await untilReady(service);
  assert.equal((await loginAt(provider, new Browser(service.port))).status, 302);
  const client = createKubeClient(await loadKubeConfig({ env }));
  const store = createKubernetesStore({ client, namespace: 'istio-system', log: silentLogger });
  t.after(() => store.close?.());
  const list = async (): Promise<string[][]> => {
    const { stdout } = await kubectl(server, ['get', 'authservicesessions', '-n', 'istio-system', '--no-headers']);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/).slice(0, 2));
  };
  const lease = { id: CHECK_LEASE_NAME, sealed: 'x', expiresAtMs: Date.now() };
  for (const renewed of [lease, { ...lease, sealed: 'y' }]) {
    await store.publish?.(renewed);
    assert.deepEqual(
      (await list()).map(([name = '', holds]) => [name.replace(/^[0-9a-f]{64}$/, 'ID'), holds]).toSorted(),
      [
        ['ID', 'session'],
        ['check-lease', 'check-lease'],
      ],
    );
  }
  const patch = JSON.stringify({ spec: { sealed: 'z', expiresAt: new Date().toISOString() } });
  await kubectl(server, [
    'patch',
    'authservicesessions',
    CHECK_LEASE_NAME,
    '-n',
    'istio-system',
    '--type=merge',
    '-p',
    patch,
  ]);
  assert.ok((await list()).some(([name, holds]) => name === 'check-lease' && holds === 'check-lease'));
});

test('more sessions than a list has on one page are all told, and then what changes', async (t) => {
  const server = await openApiServer(t);
  const client = createKubeClient(await loadKubeConfig({ env: { KUBECONFIG: server.kubeconfigFile } }));
  const store = createKubernetesStore({ client, namespace: 'istio-system', log: silentLogger });
  t.after(() => store.close?.());
  const seeds = Array.from({ length: 510 }, (_, index) => index);
  for (let from = 0; from < seeds.length; from += 50)
    await Promise.all(seeds.slice(from, from + 50).map((seed) => store.write(sampleSession(seed))));
  const [told, abort] = [new Told(), new AbortController()];
  t.after(() => abort.abort());
  await store.follow(told, abort.signal);
  assert.equal(told.sessions.size, seeds.length);
  await store.delete(sampleSession(7).id);
  await store.write(sampleSession(2_000));
  await told.until((sessions) => sessions.has(sampleSession(2_000).id));
  assert.equal(told.sessions.has(sampleSession(7).id), false);
  assert.equal(told.sessions.size, seeds.length);
});

test('a cluster that is not there at the start: 503 for everybody, and sessions with it, without a restart', async (t) => {
  const dataDirectory = await temporaryDirectory(t);
  const server = await openApiServer(t, { dataDirectory, volatile: false });
  const { kubeconfigFile } = server;
  const port = Number(new URL(server.url).port);
  const provider = await startHostileProvider(t);
  const env = { OIDC_PROVIDER: provider.issuer, SESSION_STORE_TYPE: 'kubernetes', KUBECONFIG: kubeconfigFile };
  const first = await startService(t, env);
  await untilReady(first);
  const browser = new Browser(first.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  await first.stop();
  await server.close();
  const service = await startService(t, env);
  const program = { accept: 'application/json', 'sec-fetch-mode': 'cors' };
  for (const headers of [program, { ...program, cookie }, { cookie }, { authorization: 'Bearer x' }] as Record<
    string,
    string
  >[])
    for (const path of ['/', '/authservice/verify/', '/authservice/api/sessions'])
      assert.equal(
        (await send({ port: service.port, path, headers })).status,
        503,
        `${path} ${JSON.stringify(headers)}`,
      );
  assert.equal((await send({ port: service.port, path: '/dex/auth' })).status, 200);
  await runServer(t, { dataDirectory, volatile: false, port });
  await untilReady(service);
  assert.equal((await ask(service, cookie)).status, 200);
  assert.equal((await ask(service, '')).status, 401);
});
