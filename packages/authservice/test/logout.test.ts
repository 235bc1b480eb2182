import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

describe('logout', () => {
  const cleanUp: (() => unknown)[] = [];
  let provider: HostileProvider;
  let service: ServiceUnderTest;

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startHostileProvider(context);
    provider.answers.metadata = {
      revocation_endpoint: `${provider.issuer}/revoke`,
      end_session_endpoint: `${provider.issuer}/end`,
    };
    service = await startService(context, {
      OIDC_PROVIDER: provider.issuer,
      OIDC_LOGOUT_URL: '/dex/logout',
      AFTER_LOGOUT_URL: `${PUBLIC_ORIGIN}/bye`,
    });
    await untilReady(service);
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });

  const login = async (): Promise<Browser> => {
    const browser = new Browser(service.port);
    await loginAt(provider, browser);
    return browser;
  };
  const isIn = async (token: string): Promise<boolean> =>
    (await send({ port: service.port, path: '/', headers: { cookie: `authservice_session=${token}` } })).status === 200;
  const fromPage = { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' };

  test('tells the provider, and where to go', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    const answer = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method: 'POST', headers: fromPage });
    assert.equal(answer.status, 201);
    const { afterLogoutURL } = JSON.parse(answer.body) as { afterLogoutURL: string };
    const url = new URL(afterLogoutURL, PUBLIC_ORIGIN);
    assert.equal(url.pathname, '/dex/logout');
    assert.match(url.searchParams.get('id_token_hint') ?? '', /^eyJ/);
    assert.equal(url.searchParams.get('post_logout_redirect_uri'), `${PUBLIC_ORIGIN}/bye`);
    assert.ok(provider.requests.includes('/revoke'));
    assert.equal(await isIn(token), false);
    assert.equal(browser.cookie('authservice_session'), undefined);
  });

  test('other sites cannot log a person out', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    const foreign: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site', origin: PUBLIC_ORIGIN },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'https://kubeflow.test.evil.example' },
      { origin: 'https://kubeflow.test:8443' },
      { referer: 'https://evil.example/kubeflow.test' },
    ];
    for (const headers of foreign) {
      for (const path of ['/logout', '/authservice/logout']) {
        assert.equal((await browser.fetch(PUBLIC_ORIGIN + path, { method: 'POST', headers })).status, 403);
      }
      const link = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { headers });
      assert.equal(link.status, 403);
      assert.match(link.body, /<form method="post" action="\/logout\?from=page">/);
      assert.equal(await isIn(token), true, JSON.stringify(headers));
    }
    const image = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, {
      headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    });
    assert.equal(image.status, 403);
    assert.equal(await isIn(token), true);
  });

  test('our pages, forms, links and scripts can', async () => {
    const own: [string, Record<string, string>, number][] = [
      ['POST', { origin: PUBLIC_ORIGIN, accept: 'application/json', 'sec-fetch-mode': '' }, 201],
      ['POST', { origin: PUBLIC_ORIGIN, 'sec-fetch-site': 'same-origin' }, 303],
      ['POST', { accept: '*/*', 'sec-fetch-mode': '' }, 201],
      ['GET', { 'sec-fetch-site': 'same-origin' }, 303],
      ['GET', { 'sec-fetch-site': 'none' }, 303],
      ['GET', { referer: `${PUBLIC_ORIGIN}/_/` }, 303],
    ];
    for (const [method, headers, status] of own) {
      const browser = await login();
      const token = browser.cookie('authservice_session') ?? '';
      const answer = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method, headers });
      assert.equal(answer.status, status, JSON.stringify(headers));
      assert.equal(await isIn(token), false);
      assert.equal(browser.cookie('authservice_session'), undefined);
    }
  });

  test('behind a gateway that hands on the cookie alone, a link leads to a button, and the button to a page', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    const headers = { cookie: `authservice_session=${token}` };
    const link = await send({ port: service.port, path: '/logout', headers });
    assert.equal(link.status, 403);
    assert.doesNotMatch(link.body, /Another page/);
    const [, action = ''] = /action="([^"]*)"/.exec(link.body) ?? [];
    const left = await send({ port: service.port, path: action, method: 'POST', headers });
    assert.equal(left.status, 303);
    assert.match(left.headers.location ?? '', /^\/dex\/logout\?/);
    assert.equal(await isIn(token), false);
  });

  test('newer dashboards send a bearer that is empty where scripts cannot read the cookie', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    const headers = { ...fromPage, authorization: 'Bearer ' };
    const answer = await browser.fetch(`${PUBLIC_ORIGIN}/authservice/logout`, { method: 'POST', headers });
    assert.equal(answer.status, 201);
    assert.equal(await isIn(token), false);
  });

  test('the page after a logout is there for everybody, and lets no request pass', async () => {
    const path = '/authservice/site/after_logout';
    const page = await send({ port: service.port, path });
    assert.equal(page.status, 401);
    assert.match(page.body, /You are logged out/);
    assert.equal((await send({ port: service.port, path, method: 'POST' })).status, 405);
    assert.equal((await send({ port: service.port, path: `${path}/x` })).status, 302);
  });

  test('older dashboards send the token as a bearer', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    const answer = await send({
      port: service.port,
      path: '/authservice/logout',
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
    });
    assert.equal(answer.status, 201);
    assert.equal(await isIn(token), false);
  });

  test('who is not logged in gets 401, or the way out when it is a page', async () => {
    assert.equal((await send({ port: service.port, path: '/logout', method: 'POST' })).status, 401);
    const page = await new Browser(service.port).fetch(`${PUBLIC_ORIGIN}/logout`, {
      headers: { 'sec-fetch-site': 'none' },
    });
    assert.equal(page.status, 303);
    for (const method of ['PUT', 'DELETE', 'OPTIONS', 'HEAD']) {
      assert.equal((await send({ port: service.port, path: '/logout', method })).status, 405);
    }
  });

  test('a provider that will not revoke does not keep a session alive', async () => {
    const { revoke } = provider.answers;
    for (const answer of [
      { status: 400, body: { error: 'unsupported_token_type' } },
      { status: 503, body: {} },
    ]) {
      const browser = await login();
      const token = browser.cookie('authservice_session') ?? '';
      provider.answers.revoke = () => answer;
      const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method: 'POST', headers: fromPage });
      assert.equal(logout.status, 201);
      assert.equal(await isIn(token), false);
    }
    provider.answers.revoke = revoke;
    assert.match(service.logged(), /token not revoked/);
  });

  test('a provider that does not answer keeps nobody waiting', async () => {
    const { revoke } = provider.answers;
    const held = Promise.withResolvers<void>();
    provider.holdRevocation = held.promise;
    const browser = await login();
    const answer = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method: 'POST', headers: fromPage });
    assert.equal(answer.status, 201);
    assert.doesNotMatch(service.logged(), /tokens not revoked/);
    held.resolve();
    provider.answers.revoke = revoke;
  });

  test('a provider that fails does not keep a session alive', async () => {
    const browser = await login();
    const token = browser.cookie('authservice_session') ?? '';
    await provider.close();
    const answer = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { method: 'POST', headers: fromPage });
    assert.equal(answer.status, 201);
    assert.equal(await isIn(token), false);
    assert.match(service.logged(), /tokens not revoked/);
  });
});

/** The address that a logout leads to under these settings, with a provider that announces its logout or does not. */
async function leadsTo(t: TestContext, env: Record<string, string>, announced = true): Promise<URL> {
  const provider = await startHostileProvider(t);
  if (announced) provider.answers.metadata = { end_session_endpoint: `${provider.issuer}/end` };
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, ...env });
  await untilReady(service);
  const browser = new Browser(service.port);
  if (env['OIDC_AUTH_URL'] === undefined) await loginAt(provider, browser);
  const headers = { 'sec-fetch-site': 'same-origin' };
  const answer = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, { headers });
  assert.equal(answer.status, 303);
  return new URL(answer.headers.location ?? '', PUBLIC_ORIGIN);
}

test('people are logged out at the provider where they logged in there, and its own page is known', async (t) => {
  const discovered = await leadsTo(t, {});
  assert.equal(discovered.pathname, '/end');
  assert.equal(discovered.searchParams.get('client_id'), 'kubeflow-authservice-oidc');
  assert.match(discovered.searchParams.get('id_token_hint') ?? '', /^eyJ/);
  // Nothing that might not be registered.
  assert.equal(discovered.searchParams.get('post_logout_redirect_uri'), null);
  const back = await leadsTo(t, { AFTER_LOGOUT_URL: '/bye' });
  assert.equal(back.searchParams.get('post_logout_redirect_uri'), `${PUBLIC_ORIGIN}/bye`);
  const byPath = await leadsTo(t, {
    REDIRECT_URL: '/login/oidc',
    OIDC_AUTH_URL: '/dex/auth',
    OIDC_LOGOUT_URL: '/dex/logout',
    AFTER_LOGOUT_URL: '/bye',
  });
  assert.equal(byPath.pathname, '/dex/logout');
  assert.equal(byPath.searchParams.get('post_logout_redirect_uri'), '/bye');
});

test('a provider that browsers reach by another origin has its logout page there', async (t) => {
  const byPath = await leadsTo(t, { REDIRECT_URL: '/login/oidc', OIDC_AUTH_URL: '/auth', AFTER_LOGOUT_URL: '/' });
  assert.equal(`${byPath.origin}${byPath.pathname}`, `${PUBLIC_ORIGIN}/end`);
  assert.equal(byPath.searchParams.get('post_logout_redirect_uri'), '/');
  const byOrigin = await leadsTo(t, { OIDC_AUTH_URL: 'https://login.example.com/auth' });
  assert.equal(`${byOrigin.origin}${byOrigin.pathname}`, 'https://login.example.com/end');
});

test('a provider whose logout page is not for browsers, or that has none, is left alone', async (t) => {
  assert.equal((await leadsTo(t, { OIDC_AUTH_URL: '/dex/auth' })).href, `${PUBLIC_ORIGIN}/`);
  assert.equal((await leadsTo(t, { OIDC_LOGOUT_URL: '/dex/logout' }, false)).href, `${PUBLIC_ORIGIN}/`);
});
