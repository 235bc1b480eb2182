import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createCertificateAuthority, issueCertificate } from '../src/auth/certificates.ts';
import type { ApiServer } from '../src/index.ts';
import { runServer } from './running-server.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Record<string, unknown>;
}

interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly cert?: string;
  readonly key?: string;
  readonly body?: string;
}

function call(
  server: ApiServer,
  path: string,
  { method = 'GET', headers = {}, body, ...tls }: Call = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: server.port,
      path,
      method,
      headers,
      ca: server.caCertificate,
      agent: false as const,
      ...tls,
    };
    const request = httpsRequest(options, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text, headers: response.headers }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

interface Fixture {
  readonly server: ApiServer;
  readonly dataDirectory: string;
  /** A token of service account default/NAME, made when needed. */
  token(name: string, request?: object): Promise<string>;
  bind(name: string, role: object[]): Promise<void>;
}

async function setUp(t: TestContext): Promise<Fixture> {
  const server = await runServer(t);
  const api = server.createClient('test');
  const post = async (path: string, body: object): Promise<unknown> =>
    (await api.request({ method: 'POST', path, body })).body;
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  return {
    server,
    dataDirectory: join(server.kubeconfigFile, '..'),
    async token(name, request = {}) {
      const path = '/api/v1/namespaces/default/serviceaccounts';
      await post(path, { metadata: { name } });
      const answer = (await post(`${path}/${name}/token`, { spec: request })) as { status: { token: string } };
      return answer.status.token;
    },
    async bind(name, rules) {
      await post(`${rbac}/roles`, { metadata: { name }, rules });
      const subjects = [{ kind: 'ServiceAccount', name, namespace: 'default' }];
      await post(`${rbac}/rolebindings`, { metadata: { name }, roleRef: { kind: 'Role', name }, subjects });
    },
  };
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

const PODS = '/api/v1/namespaces/default/pods';

test('without credentials only health and version are answered', async (t) => {
  const { server } = await setUp(t);
  for (const path of ['/healthz', '/livez', '/readyz', '/version'])
    assert.equal((await call(server, path)).status, 200, path);
  for (const path of [
    '/',
    '/api',
    '/apis',
    PODS,
    '/openapi/v3',
    '/metrics',
    '/healthz/../api',
    '/readyz%2f..%2fapi',
    '//api/v1/pods',
  ]) {
    const { status, body } = await call(server, path);
    assert.ok([400, 403].includes(status), `${path} ${status}`);
    assert.doesNotMatch(body, /"items"/);
  }
  assert.match(
    (await call(server, PODS)).body,
    /User \\"system:anonymous\\" cannot list resource \\"pods\\" in API group \\"\\" in the namespace \\"default\\"/,
  );
});

test('keys and database are for their owner only', async (t) => {
  const { dataDirectory } = await setUp(t);
  for (const file of ['kubeconfig', 'pki/ca.pem', 'pki/admin.pem', 'pki/server.pem', 'pki/service-account.pem']) {
    assert.equal((await stat(join(dataDirectory, file))).mode & 0o777, 0o600, file);
  }
});

test('a certificate counts only when the cluster CA signed it for a client', async (t) => {
  const { server, dataDirectory } = await setUp(t);
  const now = new Date();
  const ca = { commonName: 'kfctl-local-cluster' };
  const admin = { commonName: 'kubernetes-admin', organizations: ['system:masters'] };
  const foreign = createCertificateAuthority(ca, { days: 1, now });
  const forged = issueCertificate({ ...foreign, subject: ca }, { subject: admin, usage: 'client', days: 1, now });
  const list = (pair: { certificate: string; key: string }) =>
    call(server, PODS, { cert: pair.certificate, key: pair.key });
  assert.equal((await list(forged)).status, 403);
  const split = async (name: string) => {
    const text = await readFile(join(dataDirectory, `pki/${name}.pem`), 'utf8');
    const mark = text.indexOf('-----BEGIN PRIVATE');
    return { certificate: text.slice(0, mark), key: text.slice(mark) };
  };
  assert.equal((await list(await split('server'))).status, 403);
  assert.equal((await list(await split('admin'))).status, 200);
  const real = await split('ca');
  const expired = issueCertificate({ ...real, subject: ca }, { subject: admin, usage: 'client', days: -1, now });
  assert.equal((await list(expired)).status, 403);
  const reader = issueCertificate(
    { ...real, subject: ca },
    { subject: { commonName: 'joe' }, usage: 'client', days: 1, now },
  );
  assert.match((await list(reader)).body, /User \\"joe\\" cannot list/);
  assert.ok(new X509Certificate(reader.certificate).verify(new X509Certificate(real.certificate).publicKey));
});

test('tokens that are wrong in any way are 401', async (t) => {
  const { server, token } = await setUp(t);
  const good = await token('bob');
  const [header = '', payload = '', signature = ''] = good.split('.');
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const wrong = [
    'nonsense', '..', `${header}.${payload}.`, `${header}.${payload}`,
    `${encode({ alg: 'none' })}.${payload}.`,
    `${encode({ alg: 'HS256' })}.${payload}.${signature}`,
    `${header}.${encode({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`,
    `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`,
    'x'.repeat(20_000),
  ]; // oxfmt-ignore
  for (const text of wrong) {
    const { status } = await call(server, PODS, { headers: bearer(text) });
    assert.ok(status === 401 || status === 431, `${text.slice(0, 40)} ${status}`);
  }
  assert.equal((await call(server, PODS, { headers: { authorization: `Basic ${good}` } })).status, 401);
  assert.equal((await call(server, PODS, { headers: bearer(good) })).status, 403);
});

test('a token dies with its audience, its account and its pod', async (t) => {
  const { server, token } = await setUp(t);
  const api = server.createClient('test');
  const status = async (text: string) => (await call(server, PODS, { headers: bearer(text) })).status;
  assert.equal(await status(await token('elsewhere', { audiences: ['vault'] })), 401);
  await api.request({
    method: 'POST',
    path: PODS,
    body: { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x' }] } },
  });
  const bound = await token('bob', { boundObjectRef: { kind: 'Pod', name: 'p' } });
  const free = await token('bob');
  assert.equal(await status(bound), 403);
  await api.request({ method: 'DELETE', path: `${PODS}/p` });
  assert.equal(await status(bound), 401);
  assert.equal(await status(free), 403);
  await api.request({ method: 'DELETE', path: '/api/v1/namespaces/default/serviceaccounts/bob' });
  assert.equal(await status(free), 401);
});

test('a role allows what it says and nothing beside it', async (t) => {
  const { server, token, bind } = await setUp(t);
  const text = await token('bob');
  await bind('bob', [
    { apiGroups: [''], resources: ['pods', 'pods/log'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['mine'], verbs: ['get'] },
  ]);
  const ask = async (path: string, method = 'GET') =>
    (await call(server, path, { headers: bearer(text), method })).status;
  assert.equal(await ask(PODS), 200);
  assert.equal(await ask(`${PODS}?watch=false`), 200);
  for (const [path, method] of [
    [`${PODS}?watch=true`], [`${PODS}?watch=1`], [PODS, 'DELETE'], [`${PODS}/p`, 'DELETE'], ['/api/v1/pods'], ['/api/v1/namespaces/kube-system/pods'],
    ['/api/v1/namespaces/default/secrets'], ['/api/v1/namespaces/default/configmaps'], ['/api/v1/namespaces/default/configmaps/other'],
    ['/apis/apps/v1/namespaces/default/deployments'], [`${PODS}/p/exec`], [`${PODS}/p/exec`, 'POST'], [`${PODS}/p/status`],
  ] as [string, string?][]) assert.equal(await ask(path, method), 403, `${method} ${path}`); // oxfmt-ignore
  assert.equal(await ask('/api/v1/namespaces/default/configmaps/mine'), 404);
});

test('nobody can hand out rights that they do not have', async (t) => {
  const { server, token, bind } = await setUp(t);
  const text = await token('bob');
  const rbacRules = {
    apiGroups: ['rbac.authorization.k8s.io'],
    resources: ['roles', 'rolebindings'],
    verbs: ['get', 'create', 'update'],
  };
  await bind('bob', [rbacRules, { apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
  const rbac = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const post = (path: string, body: object) =>
    call(server, `${rbac}/${path}`, {
      method: 'POST',
      headers: { ...bearer(text), 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const own = { metadata: { name: 'own' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] };
  assert.equal((await post('roles', own)).status, 201);
  const more = { metadata: { name: 'more' }, rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }] };
  const refused = await post('roles', more);
  assert.equal(refused.status, 403);
  assert.match(refused.body, /attempting to grant RBAC permissions not currently held/);
  const admin = {
    metadata: { name: 'a' },
    roleRef: { kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'bob' }],
  };
  assert.equal((await post('rolebindings', admin)).status, 403);
  assert.equal((await post('rolebindings', { ...admin, roleRef: { kind: 'Role', name: 'own' } })).status, 201);
});

test('acting as somebody else needs the right to', async (t) => {
  const { server, token, bind } = await setUp(t);
  const text = await token('bob');
  const asAdmin = { ...bearer(text), 'impersonate-user': 'x', 'impersonate-group': 'system:masters' };
  assert.equal((await call(server, PODS, { headers: asAdmin })).status, 403);
  assert.equal(
    (await call(server, PODS, { headers: { ...bearer(text), 'impersonate-group': 'system:masters' } })).status,
    400,
  );
  await bind('bob', [
    { apiGroups: [''], resources: ['serviceaccounts'], resourceNames: ['carol'], verbs: ['impersonate'] },
  ]);
  const asCarol = await call(server, PODS, {
    headers: { ...bearer(text), 'impersonate-user': 'system:serviceaccount:default:carol' },
  });
  assert.match(asCarol.body, /User \\"system:serviceaccount:default:carol\\" cannot list/);
  const asDave = await call(server, PODS, {
    headers: { ...bearer(text), 'impersonate-user': 'system:serviceaccount:default:dave' },
  });
  assert.match(asDave.body, /cannot impersonate resource \\"serviceaccounts\\"/);
});

test('reviews answer for the user that they name', async (t) => {
  const { server, token, bind } = await setUp(t);
  const text = await token('bob');
  await bind('bob', [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }]);
  const api = server.createClient('test');
  const review = async (user: string, verb: string) => {
    const spec = { user, resourceAttributes: { namespace: 'default', verb, resource: 'pods' } };
    const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
    return ((await api.request({ method: 'POST', path, body: { spec } })).body as { status: { allowed: boolean } })
      .status.allowed;
  };
  assert.equal(await review('system:serviceaccount:default:bob', 'get'), true);
  assert.equal(await review('system:serviceaccount:default:bob', 'delete'), false);
  assert.equal(await review('joe', 'get'), false);
  const tokenReview = async (token: string) => {
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    return (
      (await api.request({ method: 'POST', path, body: { spec: { token } } })).body as {
        status: { authenticated?: boolean; user: { username?: string } };
      }
    ).status;
  };
  assert.equal((await tokenReview(text)).user.username, 'system:serviceaccount:default:bob');
  assert.equal((await tokenReview(`${text}x`)).authenticated, undefined);
});

test('bodies that are too large, no JSON or of an unknown type are refused', async (t) => {
  const { server, token, bind } = await setUp(t);
  const text = await token('bob');
  await bind('bob', [{ apiGroups: [''], resources: ['configmaps'], verbs: ['*'] }]);
  const path = '/api/v1/namespaces/default/configmaps';
  const post = (body: string, type = 'application/json') =>
    call(server, path, { method: 'POST', headers: { ...bearer(text), 'content-type': type }, body });
  const big = JSON.stringify({ metadata: { name: 'b' }, data: { x: 'y'.repeat(4 * 1024 * 1024) } });
  assert.equal((await post(big)).status, 413);
  for (const body of ['{', '[]', '"x"', 'null', '{"metadata":[]}']) assert.equal((await post(body)).status, 400, body);
  assert.equal((await post('<a/>', 'text/xml')).status, 415);
  assert.equal((await post('k8s\0garbage', 'application/vnd.kubernetes.protobuf')).status, 400);
  let deep = '1';
  for (let depth = 0; depth < 300; depth += 1) deep = `{"a":${deep}}`;
  assert.equal((await post(`{"metadata":{"name":"d"},"data":${deep}}`)).status, 400);
  assert.equal((await post('{"metadata":{"name":"proto","annotations":{"__proto__":"x"}}}')).status, 422);
  assert.equal(({} as { polluted?: string }).polluted, undefined);
  assert.equal(
    (await call(server, `${path}?labelSelector=${encodeURIComponent('a in (')}`, { headers: bearer(text) })).status,
    400,
  );
});
