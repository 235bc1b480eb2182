/** Login sessions and people through the management API with grpc-js, with browsers that hold the sessions and a client that is told. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { CookieBrowser } from '../../test/cookie-browser.ts';
import { createDexApiClients, refused } from '../../test/dex-api-client.ts';
import type { Call, Json } from '../../test/dex-api-client.ts';
import {
  basic,
  claimsOf,
  HASH,
  locationOf,
  openLogin,
  redeem,
  startTestIdentity,
  USERS,
} from '../../test/test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from '../../test/test-identity.ts';

const clients = createDexApiClients();
after(() => clients.close());

const ADMIN = '08a8684b-db88-4b73-90a9-3cd1661f5466';
const GRPC = 'grpc: {addr: "127.0.0.1:0", insecureWithoutClientCertificates: true}';
const ON = { DEX_API_SESSIONS_IDENTITIES_CRUD: 'true' };

interface Setting {
  readonly identity: TestIdentity;
  readonly call: Call;
  /** The logout tokens that the application got. */
  readonly heard: string[];
}

async function start(t: TestContext, options: TestOptions = {}): Promise<Setting> {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      heard.push(new URLSearchParams(body).get('logout_token') ?? '');
      response.end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const config = `sessions: {absoluteLifetime: 10h, validIfNotUsedFor: 1h}
${USERS}connectors: [{type: mockCallback, id: mock, name: Mock}]
staticClients:
- {id: app, name: App, secret: s3cret, redirectURIs: [/login/oidc], backchannelLogoutURI: "${uri}", refreshTokenLifetime: session}
`;
  const identity = await startTestIdentity({ config, more: GRPC, env: ON, ...options });
  t.after(() => identity.stop());
  return { identity, call: clients.at(identity.grpc), heard };
}

const OFFLINE = { scope: 'openid offline_access' };
const ZOE = 'zoe@example.com';

async function tokensOf(identity: TestIdentity, done: Response): Promise<Tokens> {
  return (await (await redeem(identity, locationOf(done).searchParams.get('code') ?? '')).json()) as Tokens;
}

async function loggedIn(
  identity: TestIdentity,
  login = 'admin@kubeflow.org',
): Promise<{ browser: CookieBrowser; sid: string; tokens: Tokens }> {
  const browser = new CookieBrowser(identity);
  const tokens = await tokensOf(identity, await browser.logIn(OFFLINE, true, login));
  return { browser, tokens, sid: String(claimsOf(tokens.id_token)['sid']) };
}

async function sessionsOf(call: Call, filter: Json = {}): Promise<readonly Json[]> {
  return (await call('ListAuthSessions', filter))['sessions'] as readonly Json[];
}

const refresh = (identity: TestIdentity, token: string | undefined): Promise<Response> =>
  identity.post('/dex/token', { grant_type: 'refresh_token', refresh_token: token ?? '' }, basic('app', 's3cret'));

test('with Dex’s switch off every method answers as Dex does', async (t) => {
  const { call } = await start(t, { env: {} });
  const key = { user_id: ADMIN, connector_id: 'local' };
  const calls: readonly (readonly [string, Json])[] = [
    ['GetAuthSession', { id: 'x' }],
    ['ListAuthSessions', {}],
    ['DeleteAuthSession', { id: 'x' }],
    ['TerminateSessionsByConnector', key],
    ['TerminateSessionsByUser', key],
    ['GetUserIdentity', key],
    ['ListUserIdentities', {}],
    ['DeleteUserIdentity', key],
    ['RevokeConsent', { ...key, client_id: 'app' }],
  ];
  for (const [name, request] of calls)
    await refused(call(name, request), 2, /^api_sessions_identities_crud feature flag is not enabled$/);
});

test('each browser is one session, by the sid of its tokens, with nothing in it that would open it', async (t) => {
  const { identity, call } = await start(t);
  const [one, two, zoe] = [await loggedIn(identity), await loggedIn(identity), await loggedIn(identity, ZOE)];
  const nowSeconds = Math.floor(identity.now / 1000);
  const { session } = await call('GetAuthSession', { id: one.sid });
  assert.deepEqual(session, {
    user_id: ADMIN,
    connector_id: 'local',
    client_states: [{ client_id: 'app' }],
    created_at: nowSeconds,
    last_activity: nowSeconds,
    ip_address: '127.0.0.1',
    user_agent: 'node',
    absolute_expiry: nowSeconds + 36_000,
    idle_expiry: nowSeconds + 3600,
    id: one.sid,
  });
  const all = await sessionsOf(call);
  assert.deepEqual(new Set(all.map(({ id }) => id)), new Set([one.sid, two.sid, zoe.sid]));
  assert.equal((await sessionsOf(call, { user_id: ADMIN })).length, 2);
  assert.equal((await sessionsOf(call, { connector_id: 'mock' })).length, 0);
  assert.ok(!JSON.stringify(all).includes(one.browser.session));
  const odd = new CookieBrowser(identity);
  odd.headers['user-agent'] = `<script>${'x'.repeat(5000)}`;
  odd.headers['x-forwarded-for'] = '6.6.6.6';
  await odd.logIn({}, true, ZOE);
  const [strange] = (await sessionsOf(call, { user_id: '2' })).filter(({ id }) => id !== zoe.sid);
  assert.deepEqual([String(strange?.['user_agent']).length, strange?.['ip_address']], [200, '127.0.0.1']);
  for (const id of ['nothing', one.browser.session]) await refused(call('GetAuthSession', { id }), 5, /not found/);
  await refused(call('GetAuthSession'), 3, /no id/);
  identity.now += 3_601_000;
  assert.deepEqual(await sessionsOf(call), [], 'what has expired is not there');
});

test('a session is ended as a logout in its browser would: others stay, the client is told, its tokens end', async (t) => {
  const { identity, call, heard } = await start(t);
  const [one, two] = [await loggedIn(identity), await loggedIn(identity)];
  identity.now += 11 * 60_000;
  const before = one.browser.session;
  assert.equal(await one.browser.isKnown(), true);
  assert.notEqual(one.browser.session, before, 'the token was exchanged');
  assert.equal((await sessionsOf(call)).length, 2, 'an exchange makes no second session');
  assert.deepEqual(await call('DeleteAuthSession', { id: one.sid }), { not_found: false });
  assert.equal(await one.browser.isKnown(), false);
  one.browser.cookies.set('dex_session', before);
  assert.equal(await one.browser.isKnown(), false);
  assert.equal(await two.browser.isKnown(), true);
  assert.deepEqual(
    heard.map((token) => claimsOf(token)['sid']),
    [one.sid],
  );
  assert.equal((await refresh(identity, one.tokens.refresh_token)).status, 400);
  assert.equal((await refresh(identity, two.tokens.refresh_token)).status, 200);
  assert.deepEqual(await call('DeleteAuthSession', { id: one.sid }), { not_found: true });
  assert.ok(identity.log.some((line) => line.includes('"msg":"sessions ended"') && line.includes(one.sid)));
});

test('all sessions of a person or of a connector end; of callers at once each is counted by one', async (t) => {
  const { identity, call, heard } = await start(t);
  const browsers = [await loggedIn(identity), await loggedIn(identity), await loggedIn(identity)];
  const zoe = await loggedIn(identity, ZOE);
  const callers = Array.from({ length: 5 }, () => call('TerminateSessionsByUser', { user_id: ADMIN }));
  const counts = (await Promise.all(callers)).map((answer) => Number(answer['sessions_terminated']));
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    3,
  );
  assert.equal(heard.length, 3);
  for (const { browser } of browsers) assert.equal(await browser.isKnown(), false);
  assert.equal(await zoe.browser.isKnown(), true);
  assert.deepEqual(await call('TerminateSessionsByConnector', { connector_id: 'mock' }), { sessions_terminated: 0 });
  assert.deepEqual(await call('TerminateSessionsByConnector', { connector_id: 'local' }), { sessions_terminated: 1 });
  assert.equal(await zoe.browser.isKnown(), false);
  // An empty field never means everybody.
  await refused(call('TerminateSessionsByUser'), 3, /no user_id/);
  await refused(call('TerminateSessionsByConnector'), 3, /no connector_id/);
});

test('people are known by their sessions and refresh tokens, and forgotten with everything that lets them in', async (t) => {
  const { identity, call } = await start(t);
  const password = { email: 'new@example.com', hash: Buffer.from(HASH), username: 'new', user_id: 'n1' };
  await call('CreatePassword', { password });
  const one = await loggedIn(identity, 'new@example.com');
  const zoe = await loggedIn(identity, ZOE);
  const pending = locationOf(await new CookieBrowser(identity).logIn({}, true, 'new@example.com'));
  const key = { user_id: 'n1', connector_id: 'local' };
  const nowSeconds = Math.floor(identity.now / 1000);
  const claims = { email: 'new@example.com', email_verified: true, username: 'new', groups: [] };
  const times = { created_at: nowSeconds, last_login: nowSeconds };
  assert.deepEqual((await call('GetUserIdentity', key))['identity'], { ...key, ...claims, ...times });
  // A refresh token alone is enough to be known.
  await call('TerminateSessionsByUser', { user_id: '2' });
  const known = (await call('ListUserIdentities'))['identities'] as readonly Json[];
  assert.deepEqual(
    known.map(({ user_id }) => user_id),
    ['n1'],
  );
  assert.deepEqual(await call('DeleteUserIdentity', { ...key, connector_id: 'mock' }), { not_found: true });
  assert.deepEqual(await call('DeleteUserIdentity', key), { not_found: false });
  assert.equal(await one.browser.isKnown(), false);
  assert.equal((await refresh(identity, one.tokens.refresh_token)).status, 400);
  assert.equal((await redeem(identity, pending.searchParams.get('code') ?? '')).status, 400);
  const typed = { login: 'new@example.com', password: 'password' };
  assert.equal((await identity.post(await openLogin(identity), typed)).status, 401);
  assert.deepEqual(await call('DeleteUserIdentity', key), { not_found: true });
  await refused(call('GetUserIdentity', key), 5, /not found/);
  assert.equal((await identity.post(await openLogin(identity), { ...typed, login: ZOE })).status, 303);
  assert.equal(await zoe.browser.isKnown(), false);
  for (const wrong of [{ user_id: 'n1' }, { connector_id: 'local' }]) {
    await refused(call('GetUserIdentity', wrong), 3, /no (user|connector)_id/);
    await refused(call('DeleteUserIdentity', wrong), 3, /no (user|connector)_id/);
  }
});

test('somebody of an upstream is forgotten without the password of ours that has the same address', async (t) => {
  const { identity, call } = await start(t);
  const password = { email: 'kilgore@kilgore.trout', hash: Buffer.from(HASH), username: 'k', user_id: 'k1' };
  await call('CreatePassword', { password });
  const begun = locationOf(
    await identity.fetch(
      '/dex/auth/mock?client_id=app&redirect_uri=/login/oidc&response_type=code&scope=openid+offline_access',
    ),
  );
  await tokensOf(identity, await identity.fetch(begun.pathname + begun.search));
  const key = { user_id: '0-385-28089-0', connector_id: 'mock' };
  assert.equal(((await call('GetUserIdentity', key))['identity'] as Json)['email'], 'kilgore@kilgore.trout');
  assert.deepEqual(await call('DeleteUserIdentity', key), { not_found: false });
  assert.deepEqual(await call('ListUserIdentities'), { identities: [] });
  assert.match(JSON.stringify(await call('ListPasswords')), /kilgore@kilgore\.trout/);
});

test('what is not kept is said: no approval is remembered, and there is no second factor', async (t) => {
  const { identity, call } = await start(t);
  await loggedIn(identity);
  const consent = { user_id: ADMIN, connector_id: 'local', client_id: 'app' };
  assert.deepEqual(await call('RevokeConsent', consent), { not_found: true });
  await refused(call('RevokeConsent', { ...consent, client_id: '' }), 3, /no client_id/);
  for (const name of ['ResetMFA', 'ListMFADevices', 'DeleteWebAuthnCredential', 'DeleteMFASecret']) {
    const answer = await clients.raw(identity.grpc, `/api.Dex/${name}`);
    assert.deepEqual([answer.status, /second factors/.test(answer.message)], ['12', true], name);
  }
});
