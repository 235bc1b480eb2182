import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { assertionOf, startFixture } from '../test/dashboard-fixture.ts';
import { readConfig } from './config.ts';
import type { Binding } from '../test/dashboard-fixture.ts';

const ANN = 'ann@x.org';
const BEN = 'ben@x.org';
const BINDINGS: readonly Binding[] = [
  { user: ANN, namespace: 'ann', role: 'admin' },
  { user: BEN, namespace: 'ben', role: 'admin' },
  { user: ANN, namespace: 'ben', role: 'edit' },
];
const bindings = (): Binding[] => BINDINGS.map((one) => ({ ...one }));

test('env-info has the reference shape and the caller only', async (t) => {
  const { request } = await startFixture(t, { bindings: bindings() });
  const answer = await (await request('/api/workgroup/env-info', { user: ANN })).json();
  assert.deepEqual(answer, {
    user: ANN,
    platform: { provider: 'onprem://n1', providerName: 'onprem', kubeflowVersion: '0.1.0', logoutUrl: '/logout' },
    namespaces: [
      { namespace: 'ann', role: 'owner', user: ANN },
      { namespace: 'ben', role: 'contributor', user: ANN },
    ],
    isClusterAdmin: false,
  });
});

test('without exactly one identity nothing but the probe answers', async (t) => {
  const { request, base } = await startFixture(t, { bindings: bindings(), env: { USERID_PREFIX: 'p:' } });
  assert.equal((await request('/healthz')).status, 200);
  const paths = [
    '/',
    '/api/workgroup/env-info',
    '/api/workgroup/exists',
    '/api/namespaces',
    '/api/activities/ann',
    '/api/platform/health',
  ];
  for (const path of [...paths, '/api/dashboard-links', '/api/metrics', '/api/nothing', '/nothing', '/debug']) {
    assert.equal((await request(path)).status, 401, path);
    assert.equal((await request(path, { user: '' })).status, 401, path);
    assert.equal((await request(path, { user: ANN })).status, 401, `${path} without the prefix`);
    assert.equal((await request(path, { user: 'p:' })).status, 401, `${path} with the prefix only`);
  }
  const { port } = new URL(base);
  const status = await new Promise((resolve, reject) => {
    httpRequest(
      { port, path: '/api/namespaces', headers: { 'kubeflow-userid': [`p:${ANN}`, `p:${BEN}`] } },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    )
      .on('error', reject)
      .end();
  });
  assert.equal(status, 401, 'a repeated header names nobody');
});

test('a pod that writes the identity header itself is nobody', async (t) => {
  const { request } = await startFixture(t, { bindings: bindings() });
  const info = '/api/workgroup/env-info';
  const asAnn = async (path: string, assertion: string, init: RequestInit = {}): Promise<number> =>
    (await request(path, { ...init, user: ANN, assertion })).status;
  const genuine = assertionOf(ANN, 'GET', info);
  assert.equal(await asAnn(info, genuine), 200);
  assert.equal(await asAnn(`${info}?x=1`, genuine), 200, 'the query is not part of it');
  assert.equal(await asAnn(info, ''), 401, 'no assertion');
  assert.equal(await asAnn(info, `${genuine}, ${genuine}`), 401, 'two assertions');
  assert.equal(await asAnn(info, assertionOf(BEN, 'GET', info)), 401, 'of somebody else');
  assert.equal(await asAnn('/', genuine), 401, 'of another path');
  assert.equal(await asAnn(info, assertionOf(ANN, 'GET', '/notebook/ben/trap/')), 401, 'of a visit to a notebook');
  const post = { method: 'POST', body: '{}' };
  assert.equal(await asAnn('/api/workgroup/create', assertionOf(ANN, 'GET', '/api/workgroup/create'), post), 401);
  const withGroups = { headers: { 'kubeflow-groups': 'admins' } };
  assert.equal(await asAnn(info, genuine, withGroups), 401, 'groups added on the way');
  assert.equal(await asAnn(info, assertionOf(ANN, 'GET', info, 'admins'), withGroups), 200);
});

test('without the key of the assertions the dashboard does not start, unless it is told to believe the network', () => {
  assert.throws(() => readConfig({}), /IDENTITY_ASSERTION_KEY: is required/);
  assert.throws(() => readConfig({ IDENTITY_ASSERTION_KEY: 'short' }), /less than 32 characters/);
  assert.equal(readConfig({ IDENTITY_ASSERTION: 'off' }).assertionKeys, undefined);
});

test('nobody sees the events or contributors of a namespace that is not theirs', async (t) => {
  const { request, kfam } = await startFixture(t, { bindings: bindings() });
  assert.equal((await request('/api/activities/ann', { user: ANN })).status, 200);
  assert.equal((await request('/api/activities/ben', { user: ANN })).status, 200);
  assert.equal((await request('/api/activities/ann', { user: BEN })).status, 403);
  assert.equal((await request('/api/activities/kube-system', { user: BEN })).status, 403);
  assert.equal((await request('/api/activities/ann', { user: 'root@x.org' })).status, 200);
  assert.equal((await request('/api/workgroup/get-contributors/ben', { user: ANN })).status, 403);
  assert.deepEqual(await (await request('/api/workgroup/get-contributors/ben', { user: BEN })).json(), [ANN]);
  assert.equal((await request('/api/workgroup/get-all-namespaces', { user: ANN })).status, 403);
  const all = await (await request('/api/workgroup/get-all-namespaces', { user: 'root@x.org' })).json();
  assert.deepEqual(all, [
    ['ann', ANN, ''],
    ['ben', BEN, ANN],
  ]);
  const names = (await (await request('/api/namespaces', { user: BEN })).json()) as { metadata: { name: string } }[];
  assert.deepEqual(
    names.map(({ metadata }) => metadata.name),
    ['ben'],
  );
  assert.ok(
    kfam.calls.every(({ user }) => user !== undefined),
    'every call carries who asks',
  );
});

test('bindings of others in an answer do not widen what a caller sees', async (t) => {
  const { request, kfam } = await startFixture(t, { bindings: bindings() });
  kfam.failure = {
    status: 200,
    text: JSON.stringify({
      bindings: [{ user: { name: BEN }, referredNamespace: 'ben', RoleRef: { name: 'admin' } }, { nonsense: 1 }, null],
    }),
  };
  const answer = (await (await request('/api/workgroup/env-info', { user: ANN })).json()) as { namespaces: unknown[] };
  assert.deepEqual(answer.namespaces, []);
});

test('a workspace is made for oneself, with a name of one’s own', async (t) => {
  const { request, kfam } = await startFixture(t);
  const post = (body: unknown, user = 'Eve.Long+x@x.org'): Promise<Response> =>
    request('/api/workgroup/create', { method: 'POST', user, body: JSON.stringify(body) });
  const first = await request('/api/workgroup/exists', { user: 'Eve.Long+x@x.org' });
  assert.deepEqual(await first.json(), {
    hasAuth: true,
    user: 'Eve.Long+x',
    hasWorkgroup: false,
    registrationFlowAllowed: true,
    suggestedNamespace: 'eve-long-x',
  });
  for (const namespace of [
    'kubeflow',
    'kube-system',
    'istio-system',
    'default',
    'Up',
    'a_b',
    '-a',
    'a'.repeat(64),
    '../x',
    7,
  ]) {
    assert.equal((await post({ namespace })).status, 400, String(namespace));
  }
  assert.equal((await post({ namespace: 'x', user: ANN })).status, 403);
  assert.equal((await post([])).status, 400);
  assert.deepEqual(await (await post({})).json(), { message: 'Created namespace eve-long-x' });
  assert.deepEqual(kfam.bindings, [{ user: 'Eve.Long+x@x.org', namespace: 'eve-long-x', role: 'admin' }]);
});

test('the registration flag holds on the server', async (t) => {
  const { request, kfam } = await startFixture(t, { env: { REGISTRATION_FLOW: 'false' } });
  const answer = await request('/api/workgroup/create', { method: 'POST', user: ANN, body: '{"namespace":"ann"}' });
  assert.equal(answer.status, 403);
  assert.deepEqual(kfam.bindings, []);
});

test('owners add and remove contributors; others may not', async (t) => {
  const { request } = await startFixture(t, { bindings: bindings() });
  const change = (method: string, user: string, contributor: unknown): Promise<Response> =>
    request(`/api/workgroup/${method === 'POST' ? 'add' : 'remove'}-contributor/ann`, {
      method,
      user,
      body: JSON.stringify({ contributor }),
    });
  assert.deepEqual(await (await change('POST', ANN, 'new@x.museum')).json(), ['new@x.museum']);
  assert.equal((await change('POST', BEN, BEN)).status, 403);
  assert.deepEqual(await (await change('DELETE', ANN, 'new@x.museum')).json(), []);
  for (const bad of ['', 'x', 'a b@x.org', 'a@x.org,b@x.org', '"a"@x.org', { $ne: 1 }]) {
    assert.equal((await change('POST', ANN, bad)).status, 400, String(bad));
  }
});

test('another site cannot change anything with the user’s session', async (t) => {
  const { request, kfam } = await startFixture(t, { bindings: bindings() });
  const attempt = async (headers: Record<string, string>): Promise<number> =>
    (
      await request('/api/workgroup/create', {
        method: 'POST',
        user: 'eve@x.org',
        body: '{"namespace":"eve"}',
        headers,
      })
    ).status;
  assert.equal(await attempt({ 'sec-fetch-site': 'cross-site' }), 403);
  assert.equal(await attempt({ 'sec-fetch-site': 'same-site' }), 403);
  assert.equal(await attempt({ origin: 'https://evil.example' }), 403);
  assert.equal(await attempt({ origin: 'null' }), 403);
  assert.equal(await attempt({ 'content-type': 'text/plain' }), 415);
  assert.equal(await attempt({ 'content-type': 'application/x-www-form-urlencoded' }), 415);
  assert.deepEqual(kfam.bindings, bindings());
  assert.equal(
    await attempt({ origin: 'https://10.0.0.1', 'x-forwarded-host': '10.0.0.1', 'sec-fetch-site': 'same-origin' }),
    200,
  );
});

test('failures of access management are passed on, and its absence is 503', async (t) => {
  const { request, kfam } = await startFixture(t, { bindings: bindings() });
  kfam.failure = { status: 403, text: 'A bad thing happened' };
  const refused = await request('/api/workgroup/env-info', { user: ANN });
  assert.equal(refused.status, 403);
  assert.deepEqual(await refused.json(), { error: 'A bad thing happened' });
  kfam.failure = { status: 200, text: '<html>' };
  assert.equal((await request('/api/workgroup/env-info', { user: ANN })).status, 502);
  const lonely = await startFixture(t, { env: { PROFILES_KFAM_SERVICE_PORT: '1' } });
  const down = await lonely.request('/api/workgroup/exists', { user: ANN });
  assert.equal(down.status, 503);
  assert.deepEqual(await down.json(), { error: 'Unable to contact Profile Controller' });
});

test('health, links and unknown routes answer in the reference’s forms', async (t) => {
  const { request } = await startFixture(t);
  const health = (await (await request('/api/platform/health', { user: ANN })).json()) as {
    components: { name: string; state: string }[];
  };
  assert.deepEqual(
    health.components.map(({ name, state }) => `${name} ${state}`),
    ['istio-ingressgateway down', 'centraldashboard starting', 'dex ready'],
  );
  const links = (await (await request('/api/dashboard-links', { user: ANN })).json()) as { menuLinks: unknown[] };
  assert.equal(links.menuLinks.length, 1);
  const settings = await request('/api/dashboard-settings', { user: ANN });
  assert.equal(settings.status, 500);
  assert.deepEqual(await settings.json(), { error: 'Cannot load dashboard settings' });
  assert.equal((await request('/api/metrics', { user: ANN })).status, 405);
  assert.deepEqual(await (await request('/api/x', { user: ANN })).json(), {
    error: `Could not find the route you're looking for`,
  });
});

test('oversized bodies are refused', async (t) => {
  const { request } = await startFixture(t);
  const body = JSON.stringify({ namespace: 'x'.repeat(70_000) });
  assert.equal((await request('/api/workgroup/create', { method: 'POST', user: ANN, body })).status, 413);
});

test('a client’s own Authorization header is not handed on', async (t) => {
  const { request, kfam } = await startFixture(t);
  await request('/api/workgroup/exists', { user: ANN, headers: { authorization: 'Bearer of-a-client' } });
  assert.deepEqual(
    kfam.calls.map(({ authorization }) => authorization),
    ['Bearer own-token'],
  );
});
