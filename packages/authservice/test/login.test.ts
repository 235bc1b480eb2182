import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startProvider, startService, untilReady } from './harness.ts';

const ANN = { email: 'ann@example.com', email_verified: true, groups: ['admins', 'people, all'] };

test('a person logs in, is known to upstreams, and logs out', async (t) => {
  const provider = await startProvider(t);
  provider.accounts.set('ann', ANN);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);

  const start = await browser.fetch(`${PUBLIC_ORIGIN}/pipeline/?id=1`);
  assert.equal(start.status, 302);
  assert.match(
    start.headers.location ?? '',
    /^http:\/\/127\.0\.0\.1:\d+\/auth\?client_id=kubeflow-authservice-oidc&redirect_uri=https%3A%2F%2Fkubeflow\.test%2Flogin%2Foidc&response_type=code&scope=openid\+profile\+email\+groups&state=[^&]+&nonce=[^&]+&code_challenge=[^&]+&code_challenge_method=S256$/,
  );
  assert.match(
    start.cookies[0] ?? '',
    /^__Host-as_flow_[\w-]+=[\w-]{22}; Path=\/; Max-Age=1200; HttpOnly; Secure; SameSite=Lax$/,
  );

  const page = await browser.login('/pipeline/?id=1', 'ann');
  assert.equal(page.url, `${PUBLIC_ORIGIN}/pipeline/?id=1`);
  assert.equal(page.status, 200);
  assert.equal(page.headers['kubeflow-userid'], 'ann@example.com');
  assert.equal(page.headers['kubeflow-groups'], 'admins,people%2C all');
  assert.deepEqual(
    browser.cookieNames().filter((name) => name === 'authservice_session'),
    ['authservice_session'],
  );

  const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, {
    method: 'POST',
    headers: { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
  });
  assert.equal(logout.status, 201);
  const { afterLogoutURL } = JSON.parse(logout.body) as { readonly afterLogoutURL: string };
  const asked = await browser.open(afterLogoutURL);
  assert.equal(new URL(asked.url).pathname, '/session/end');
  assert.equal(asked.status, 200);
  assert.equal(browser.cookie('authservice_session'), undefined);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 302);
  assert.equal((await send({ port: service.port, path: '/pipeline/' })).status, 302);
});
