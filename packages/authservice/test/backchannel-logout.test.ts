import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { signJwt } from '@kfctl/oidc';
import { Browser } from './browser.ts';
import { CLIENT_ID, PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { RawResponse, ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

interface Bed {
  readonly provider: HostileProvider;
  readonly service: ServiceUnderTest;
  /** Logs in; gives the session's token. */
  login(sub: string, sid?: string): Promise<string>;
  isIn(token: string): Promise<boolean>;
  /** Claims over those of an honest logout token. */
  claims(more: Record<string, unknown>): Record<string, unknown>;
  tell(logoutToken: string): Promise<RawResponse>;
}

async function setUp(t: TestContext): Promise<Bed> {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const post = (body: string): Promise<RawResponse> =>
    send({
      port: service.port,
      path: '/authservice/backchannel-logout',
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body,
    });
  return {
    provider,
    service,
    login: async (sub, sid) => {
      provider.answers.claims = { sub, email: `${sub}@example.com`, ...(sid === undefined ? {} : { sid }) };
      provider.answers.userinfo = () => ({ body: { sub } });
      const browser = new Browser(service.port);
      assert.equal((await loginAt(provider, browser)).status, 302);
      return browser.cookie('authservice_session') ?? '';
    },
    isIn: async (token) => {
      const headers = { cookie: `authservice_session=${token}`, 'sec-fetch-mode': 'cors' };
      return (await send({ port: service.port, path: '/', headers })).status === 200;
    },
    claims: (more) => {
      const iat = Math.floor(Date.now() / 1000);
      const events = { [EVENT]: {} };
      return { iss: provider.issuer, aud: CLIENT_ID, iat, exp: iat + 120, jti: 'x', events, ...more };
    },
    tell: (logoutToken) => post(new URLSearchParams({ logout_token: logoutToken }).toString()),
  };
}

test('the provider ends the sessions that began in one of its own, or all of a person', async (t) => {
  const { provider, service, login, isIn, claims, tell } = await setUp(t);
  const [here, there, other] = [await login('ann', 'a'), await login('ann', 'b'), await login('bob', 'c')];
  const { answers } = provider;
  assert.equal((await tell(answers.idToken(claims({ sub: 'ann', sid: 'a' })))).status, 204);
  assert.deepEqual([await isIn(here), await isIn(there), await isIn(other)], [false, true, true]);
  // A name of a session that is another person's.
  assert.equal((await tell(answers.idToken(claims({ sub: 'ann', sid: 'c' })))).status, 204);
  assert.equal(await isIn(other), true);
  assert.equal((await tell(answers.idToken(claims({ sid: 'c' })))).status, 204);
  assert.equal(await isIn(other), false);
  const again = await login('ann');
  const made = await send({
    port: service.port,
    path: '/authservice/api/tokens',
    method: 'POST',
    headers: { cookie: `authservice_session=${again}`, 'content-type': 'application/json' },
    body: '{"name":"ci"}',
  });
  const { token } = JSON.parse(made.body) as { readonly token: string };
  assert.equal((await tell(answers.idToken(claims({ sub: 'ann' })))).status, 204);
  assert.deepEqual([await isIn(there), await isIn(again)], [false, false]);
  // Made to outlive sessions.
  assert.equal(
    (await send({ port: service.port, path: '/', headers: { authorization: `Bearer ${token}` } })).status,
    200,
  );
  assert.match(service.logged(), /sessions ended by the provider/);
});

test('nobody else can end sessions', async (t) => {
  const { provider, service, login, isIn, claims, tell } = await setUp(t);
  const session = await login('ann', 'a');
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const sign = (more: Record<string, unknown>): string => provider.answers.idToken(claims({ sub: 'ann', ...more }));
  const tokens = [
    '',
    'garbage',
    signJwt(claims({ sub: 'ann' }), { kid: 'k1', alg: 'ES256', key: stranger }),
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(JSON.stringify(claims({ sub: 'ann' }))).toString('base64url')}.AA`,
    sign({ aud: 'other' }),
    sign({ iss: 'https://evil.example' }),
    sign({ exp: 1 }),
    sign({ exp: undefined }),
    sign({ iat: undefined }),
    sign({ iat: Math.floor(Date.now() / 1000) - 3_600 }),
    // An ID token of this very person.
    sign({ events: undefined, nonce: 'n' }),
    sign({ nonce: 'n' }),
    sign({ events: { other: {} } }),
    sign({ events: EVENT }),
    sign({ sub: undefined }),
    sign({ sub: '' }),
    sign({ sub: 7 }),
  ];
  for (const token of tokens) assert.equal((await tell(token)).status, 400, token);
  const path = '/authservice/backchannel-logout';
  const good = new URLSearchParams({ logout_token: sign({}) }).toString();
  for (const request of [
    { method: 'POST', body: `${good}&${good}` },
    { method: 'POST', body: `${good}&x=${'y'.repeat(70_000)}` },
    { method: 'POST' },
    { method: 'GET' },
  ])
    assert.ok([400, 405, 413].includes((await send({ port: service.port, path, ...request })).status));
  assert.equal((await send({ port: service.port, path: `${path}?${good}`, method: 'POST' })).status, 400);
  assert.equal(
    (await send({ port: service.port, path: '/', headers: { authorization: `Bearer ${sign({})}` } })).status,
    401,
  );
  assert.equal(await isIn(session), true);
  assert.equal(service.logged().includes(sign({}).slice(0, 40)), false);
  assert.equal((await new Browser(service.port).fetch(`${PUBLIC_ORIGIN}${path}/x`)).status, 302);
});
