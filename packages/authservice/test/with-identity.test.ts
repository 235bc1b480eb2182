import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { CLIENT_SECRET, PASSWORD, startIdentity, USER } from '../../testkit/src/front-door/platform.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';

/** The AuthService in front of our own identity provider, both below one origin. */
async function setUp(t: TestContext, sections = '', settings: Record<string, string> = {}): Promise<Browser> {
  const identityPort = await startIdentity(t, sections);
  const service = await startService(t, {
    OIDC_PROVIDER: `http://127.0.0.1:${identityPort}/dex`,
    OIDC_AUTH_URL: '/dex/auth',
    REDIRECT_URL: '/login/oidc',
    CLIENT_SECRET,
    ...settings,
  });
  await untilReady(service);
  return new Browser(service.port, { '/dex/': identityPort });
}

test('our own identity provider behind the same origin, with paths only', async (t) => {
  const browser = await setUp(t);
  const start = await browser.fetch(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.match(
    start.headers.location ?? '',
    /^\/dex\/auth\?client_id=kubeflow-authservice-oidc&redirect_uri=%2Flogin%2Foidc&response_type=code&scope=openid\+profile\+email\+groups&state=/,
  );
  const form = await browser.open(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(form.status, 200);
  const refused = await browser.submitLogin(form, USER, 'wrong');
  assert.doesNotMatch(refused.headers.location ?? '', /login\/oidc/);
  const callback = await browser.untilCallback(await browser.submitLogin(form, USER, PASSWORD));
  const page = await browser.open(callback);
  assert.equal(page.url, `${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(page.status, 200);
  assert.equal(page.headers['kubeflow-userid'], USER);
});

test('a logout ends the login session of the provider too, and leads back to a login form', async (t) => {
  const sessions = 'sessions: {absoluteLifetime: 24h, validIfNotUsedFor: 1h}\n';
  const browser = await setUp(t, sessions, { OIDC_LOGOUT_URL: '/dex/logout', AFTER_LOGOUT_URL: '/' });
  const logIn = async (): Promise<void> => {
    const form = await browser.open(`${PUBLIC_ORIGIN}/`);
    await browser.open(await browser.untilCallback(await browser.submitLogin(form, USER, PASSWORD)));
  };
  await logIn();
  // Without our session the provider's logs in again at once: what a logout here alone would lead to.
  browser.forget('authservice_session');
  assert.equal((await browser.open(`${PUBLIC_ORIGIN}/`)).headers['kubeflow-userid'], USER);
  const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, {
    method: 'POST',
    headers: { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
  });
  const { afterLogoutURL } = JSON.parse(logout.body) as { readonly afterLogoutURL: string };
  const end = await browser.open(new URL(afterLogoutURL, PUBLIC_ORIGIN).href);
  assert.match(end.url, /\/dex\/auth\/local/);
  assert.match(end.body, /<form/);
});
