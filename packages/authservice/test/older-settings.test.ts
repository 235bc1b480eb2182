import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

interface Bed {
  readonly provider: HostileProvider;
  readonly service: ServiceUnderTest;
  readonly browser: Browser;
  /** The session's token. */
  readonly token: string;
}

async function setUp(t: TestContext, env: Record<string, string>): Promise<Bed> {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, ...env });
  await untilReady(service);
  const browser = new Browser(service.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  return { provider, service, browser, token: browser.cookie('authservice_session') ?? '' };
}

const asProgram = { accept: 'application/json', 'sec-fetch-mode': 'cors' };

test('STRICT_SESSION_VALIDATION: the provider is asked each time; its no ends the session, its silence is 503', async (t) => {
  const { provider, browser } = await setUp(t, { STRICT_SESSION_VALIDATION: 'true' });
  const ask = async (): Promise<number> => (await browser.fetch(`${PUBLIC_ORIGIN}/`, { headers: asProgram })).status;
  const honest = provider.answers.userinfo;
  const before = provider.requests.filter((path) => path === '/userinfo').length;
  assert.deepEqual([await ask(), await ask()], [200, 200]);
  assert.equal(provider.requests.filter((path) => path === '/userinfo').length, before + 2);
  provider.answers.userinfo = () => ({ status: 500, body: {} });
  assert.equal(await ask(), 503);
  provider.answers.userinfo = honest;
  assert.equal(await ask(), 200);
  provider.answers.userinfo = () => ({ status: 401, body: {} });
  assert.equal(await ask(), 401);
  provider.answers.userinfo = honest;
  assert.equal(await ask(), 401);
});

test('STRICT_SESSION_VALIDATION: userinfo of somebody else ends the session', async (t) => {
  const { provider, browser } = await setUp(t, { STRICT_SESSION_VALIDATION: 'true' });
  provider.answers.userinfo = () => ({ body: { sub: 'somebody-else', email: 'eve@example.com' } });
  for (let round = 0; round < 2; round += 1)
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`, { headers: asProgram })).status, 401);
});

test('AUTH_HEADER carries the session, and stays at the door', async (t) => {
  const { service, token } = await setUp(t, { AUTH_HEADER: 'X-Session', AUTH_METHOD_HEADER: 'Auth-Method' });
  for (const value of [token, `Bearer ${token}`]) {
    const { status, headers } = await send({ port: service.port, path: '/', headers: { 'x-session': value } });
    assert.equal(status, 200);
    assert.equal(headers['auth-method'], 'header');
    assert.match(String(headers['x-envoy-auth-headers-to-remove']), /,x-session/);
  }
  const cookie = await send({
    port: service.port,
    path: '/',
    headers: { cookie: `authservice_session=${token}`, 'auth-method': 'forged' },
  });
  assert.equal(cookie.headers['auth-method'], 'cookie');
  const exempt = await send({ port: service.port, path: '/dex/auth' });
  assert.match(String(exempt.headers['x-envoy-auth-headers-to-remove']), /auth-method,.*auth_method/);
  const logout = { port: service.port, path: '/authservice/logout', method: 'POST', headers: { 'x-session': token } };
  assert.equal((await send(logout)).status, 201);
  assert.equal((await send({ port: service.port, path: '/', headers: { 'x-session': token } })).status, 302);
});

test('ID_TOKEN_HEADER carries the other tokens, and Authorization does not then', async (t) => {
  const { service, provider } = await setUp(t, { ID_TOKEN_HEADER: 'X-Id-Token' });
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: provider.issuer, aud: 'kubeflow-authservice-oidc', sub: 's', exp: now + 60, iat: now };
  const idToken = provider.answers.idToken({ ...claims, email: 'bot@example.com' });
  const ask = (headers: Record<string, string>): ReturnType<typeof send> =>
    send({ port: service.port, path: '/', headers: { accept: 'application/json', ...headers } });
  assert.equal((await ask({ 'x-id-token': idToken })).headers['kubeflow-userid'], 'bot@example.com');
  assert.equal((await ask({ 'x-id-token': `Bearer ${idToken}` })).status, 200);
  assert.equal((await ask({ authorization: `Bearer ${idToken}` })).status, 401);
});

test('USERID_TOKEN_HEADER: what a client sends there does not pass', async (t) => {
  const { service, token } = await setUp(t, { USERID_TOKEN_HEADER: 'kubeflow-userid-token' });
  const headers = { cookie: `authservice_session=${token}`, 'kubeflow-userid-token': 'forged' };
  const answer = await send({ port: service.port, path: '/', headers });
  assert.match(String(answer.headers['x-envoy-auth-headers-to-remove']), /kubeflow-userid-token/);
});

test('VERIFY_AUTH_URL moves the route, and leaves none where it was', async (t) => {
  const { service, token } = await setUp(t, { VERIFY_AUTH_URL: '/check' });
  const headers = { cookie: `authservice_session=${token}` };
  assert.equal((await send({ port: service.port, path: '/check/pipeline/', headers })).status, 204);
  assert.equal((await send({ port: service.port, path: '/authservice/verify/pipeline/', headers })).status, 200);
});

test('AUTHSERVICE_URL_PREFIX with scheme and host: the routes are below its path, and nothing else is open', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, {
    OIDC_PROVIDER: provider.issuer,
    AUTHSERVICE_URL_PREFIX: `${PUBLIC_ORIGIN}/auth/`,
    REDIRECT_URL: '',
    AFTER_LOGIN_URL: '/home/',
  });
  await untilReady(service);
  const browser = new Browser(service.port);
  const start = new URL((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).headers.location ?? '');
  assert.equal(start.searchParams.get('redirect_uri'), `${PUBLIC_ORIGIN}/auth/oidc/callback`);
  provider.nonce = start.searchParams.get('nonce') ?? '';
  const back = new URLSearchParams({ code: 'c', state: start.searchParams.get('state') ?? '' });
  const end = await browser.fetch(`${PUBLIC_ORIGIN}/auth/oidc/callback?${back}`);
  assert.deepEqual([end.status, end.headers.location], [302, '/home/?next=%2Fpage']);
  const status = async (path: string, method = 'GET', headers: Record<string, string> = {}): Promise<number> =>
    (await send({ port: service.port, path, method, headers: { accept: 'application/json', ...headers } })).status;
  for (const method of ['GET', 'POST', 'OPTIONS'])
    for (const path of ['/auth/verify/pipeline/', '/auth/x', '/auth', '/authservice/verify/x', '/auth/oidc/callbackx'])
      assert.equal(await status(path, method), 401, `${method} ${path}`);
  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  assert.equal(await status('/auth/verify/pipeline/', 'GET', { cookie }), 204);
  assert.equal(await status('/auth/logout', 'POST', { cookie }), 201);
  assert.equal(await status('/auth/verify/pipeline/', 'GET', { cookie }), 401);
});

test('after a login: AFTER_LOGIN_URL is told the page, STATIC_DESTINATION_URL is not, and neither leads away', async (t) => {
  const leadsTo = async (env: Record<string, string>, path: string): Promise<string | undefined> => {
    const provider = await startHostileProvider(t);
    const service = await startService(t, { OIDC_PROVIDER: provider.issuer, ...env });
    await untilReady(service);
    const start = await send({ port: service.port, path });
    const { searchParams } = new URL(start.headers.location ?? '');
    provider.nonce = searchParams.get('nonce') ?? '';
    const back = new URLSearchParams({ code: 'c', state: searchParams.get('state') ?? '' });
    const [cookie = ''] = start.cookies[0]?.split(';') ?? [];
    const end = await send({ port: service.port, path: `/login/oidc?${back}`, headers: { cookie } });
    return end.headers.location;
  };
  const next = { AFTER_LOGIN_URL: '/home/?a=b' };
  assert.equal(await leadsTo(next, '/x/?y=1&z=%2F'), '/home/?a=b&next=%2Fx%2F%3Fy%3D1%26z%3D%252F');
  assert.equal(await leadsTo(next, '//evil.example/'), '/home/?a=b&next=%2F');
  assert.equal(await leadsTo(next, `/${'x'.repeat(1_495)}`), '/home/?a=b');
  assert.equal(await leadsTo({ STATIC_DESTINATION_URL: '/home/' }, '/x/'), '/home/');
});
