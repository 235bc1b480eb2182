import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import { startTraefik, traefik } from '../../testkit/src/front-door/traefik.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

const PATH = '/authservice/forward-auth';

test('judges the request that Traefik names, and begins the login for it', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, FORWARD_AUTH_ENABLED: 'true' });
  await untilReady(service);
  const browser = new Browser(service.port);
  await loginAt(provider, browser);
  const ask = (method: string, uri: string, headers: Record<string, string> = {}): ReturnType<typeof send> =>
    send({
      port: service.port,
      path: PATH,
      headers: { 'x-forwarded-method': method, 'x-forwarded-uri': uri, ...headers },
    });
  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  const known = await ask('POST', '/pipeline/?x=1', { cookie });
  assert.equal(known.status, 204);
  assert.equal(known.headers['kubeflow-userid'], 'eve@example.com');
  const page = await ask('GET', '/pipeline/?x=1');
  assert.equal(page.status, 302);
  assert.equal(page.cookies.length, 1);
  assert.equal((await ask('POST', '/pipeline/')).status, 401);
  assert.equal((await ask('OPTIONS', '/pipeline/')).status, 401);
  assert.equal((await ask('GET', '/dex/auth')).status, 204);
  assert.equal((await ask('GET', '/dex/../pipeline', { accept: 'application/json' })).status, 401);
  for (const [method, uri] of [
    ['', '/'],
    ['get', '/'],
    ['GET', ''],
    ['GET', 'http://evil.example/'],
    ['GET POST', '/'],
  ] as const) {
    assert.equal((await ask(method, uri, { cookie })).status, 400, `${method} ${uri}`);
  }
  assert.equal((await send({ port: service.port, path: PATH, headers: { cookie } })).status, 400);
});

test('where it is not switched on, it is a path like any other', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const headers = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/dex/auth' };
  assert.equal((await send({ port: service.port, path: PATH, headers })).status, 302);
  assert.equal((await new Browser(service.port).fetch(`${PUBLIC_ORIGIN}${PATH}`, { headers })).status, 302);
});

for (const trustForwardHeader of [false, true]) {
  const fact = trustForwardHeader
    ? 'lets everybody in: the client names the path that is judged'
    : 'does not believe what clients say of their path';
  test(`Traefik with trustForwardHeader: ${trustForwardHeader} ${fact}`, { skip: traefik.skip }, async (t) => {
    const provider = await startHostileProvider(t);
    const service = await startService(t, { OIDC_PROVIDER: provider.issuer, FORWARD_AUTH_ENABLED: 'true' });
    await untilReady(service);
    const application = await startApplication(t);
    const backends = { identity: application.port, authservice: service.port, application: application.port };
    const port = await startTraefik(t, backends, { trustForwardHeader });
    const headers = { 'x-forwarded-uri': '/dex/auth', 'x-forwarded-method': 'GET', accept: 'application/json' };
    const { status } = await send({ port, path: '/pipeline/', method: 'DELETE', headers });
    assert.equal(status, trustForwardHeader ? 200 : 401);
    assert.equal(application.seen.length, trustForwardHeader ? 1 : 0);
  });
}
