/** Back-channel logout with a client that is a real server and checks tokens with `jose`, and what an attacker makes of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { createLocalJWKSet, jwtVerify } from 'jose';
import type { JSONWebKeySet, JWTPayload } from 'jose';
import { CookieBrowser } from '../../test/cookie-browser.ts';
import {
  basic,
  claimsOf,
  ISSUER,
  locationOf,
  openLogin,
  redeem,
  startTestIdentity,
  USERS,
} from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

interface Client {
  readonly address: string;
  readonly heard: string[];
  /** What it answers; the last one stays. */
  statuses: number[];
}

async function startClient(t: TestContext): Promise<Client> {
  const client = { heard: [] as string[], statuses: [200] };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      client.heard.push(new URLSearchParams(body).get('logout_token') ?? '');
      const status = client.statuses.length > 1 ? client.statuses.shift() : client.statuses[0];
      response.writeHead(status ?? 200, { location: 'http://127.0.0.1:1/' }).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(client, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/out?a=b` });
}

interface Setting {
  readonly identity: TestIdentity;
  readonly app: Client;
  readonly other: Client;
}

/** `app` shares its sessions with `other`, whose refresh tokens live by themselves. */
async function start(t: TestContext): Promise<Setting> {
  const [app, other] = [await startClient(t), await startClient(t)];
  const identity = await startTestIdentity({
    config: `sessions: {absoluteLifetime: 10h}
${USERS}staticClients:
- {id: app, name: App, secret: s3cret, redirectURIs: [/login/oidc], ssoSharedWith: ["*"], postLogoutRedirectURIs: [/bye], backchannelLogoutURI: "${app.address}", refreshTokenLifetime: session}
- {id: other, name: Other, secret: "o:th er%", redirectURIs: [/other], backchannelLogoutURI: "${other.address}"}
- {id: silent, name: Silent, public: true, redirectURIs: [/silent]}
`,
  });
  t.after(() => identity.stop());
  return { identity, app, other };
}

const OFFLINE = { scope: 'openid offline_access' };
const OTHER = { client_id: 'other', redirect_uri: '/other', ...OFFLINE };

async function tokensOf(identity: TestIdentity, done: Response): Promise<Tokens> {
  return (await (await redeem(identity, locationOf(done).searchParams.get('code') ?? '')).json()) as Tokens;
}

async function tokensOfOther(browser: CookieBrowser): Promise<Tokens> {
  const done = await browser.open(
    `/dex/auth/local?${new URLSearchParams({ ...OTHER, response_type: 'code', state: 's' }).toString()}`,
  );
  const code = locationOf(done).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/other' };
  return (await (await browser.at.post('/dex/token', form, basic('other', 'o:th er%'))).json()) as Tokens;
}

const refresh = (identity: TestIdentity, token: string, client = basic('app', 's3cret')): Promise<Response> =>
  identity.post('/dex/token', { grant_type: 'refresh_token', refresh_token: token }, client);

async function verify(identity: TestIdentity, token: string, audience: string): Promise<JWTPayload> {
  const keys = (await (await identity.fetch('/dex/keys')).json()) as JSONWebKeySet;
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    issuer: ISSUER,
    audience,
    typ: 'logout+jwt',
    maxTokenAge: 120,
  });
  return payload;
}

const logOut = (browser: CookieBrowser, hint: string): Promise<Response> =>
  browser.open(`/dex/logout?id_token_hint=${hint}&post_logout_redirect_uri=/bye&state=s`);

test('a logout is told to each client of the session, in a token that jose verifies', async (t) => {
  const { identity, app, other } = await start(t);
  const document = (await (await identity.fetch('/dex/.well-known/openid-configuration')).json()) as Record<
    string,
    unknown
  >;
  assert.equal(document['backchannel_logout_supported'], true);
  assert.equal(document['backchannel_logout_session_supported'], true);
  const browser = new CookieBrowser(identity);
  const mine = await tokensOf(identity, await browser.logIn(OFFLINE));
  const theirs = await tokensOfOther(browser);
  const { sid, sub } = claimsOf(mine.id_token);
  assert.match(String(sid), /^[\w-]{22}$/);
  assert.equal(claimsOf(theirs.id_token)['sid'], sid);
  assert.equal(locationOf(await logOut(browser, mine.id_token)).pathname, '/bye');
  for (const [client, id] of [
    [app, 'app'],
    [other, 'other'],
  ] as const) {
    assert.equal(client.heard.length, 1);
    const claims = await verify(identity, client.heard[0] ?? '', id);
    assert.deepEqual([claims['sid'], claims.sub, claims.aud], [sid, sub, id]);
    assert.deepEqual(claims['events'], { 'http://schemas.openid.net/event/backchannel-logout': {} });
    assert.equal('nonce' in claims, false);
    assert.notEqual(claims.jti, undefined);
  }
  assert.notEqual(claimsOf(app.heard[0] ?? '')['jti'], claimsOf(other.heard[0] ?? '')['jti']);
});

test('refresh tokens end with the session where the client wants that, and carry its sid until then', async (t) => {
  const { identity } = await start(t);
  const browser = new CookieBrowser(identity);
  const first = await tokensOf(identity, await browser.logIn(OFFLINE));
  const theirs = await tokensOfOther(browser);
  const mine = (await (await refresh(identity, first.refresh_token ?? '')).json()) as Tokens;
  assert.equal(claimsOf(mine.id_token)['sid'], claimsOf(first.id_token)['sid']);
  // Of another login of the same person, in another browser.
  const elsewhere = await tokensOf(identity, await new CookieBrowser(identity).logIn(OFFLINE));
  await logOut(browser, mine.id_token);
  const refused = await refresh(identity, mine.refresh_token ?? '');
  assert.equal(refused.status, 400);
  assert.equal((await refresh(identity, theirs.refresh_token ?? '', basic('other', 'o:th er%'))).status, 200);
  const kept = (await (await refresh(identity, elsewhere.refresh_token ?? '')).json()) as Tokens;
  assert.notEqual(kept.refresh_token, undefined);
  identity.now += 10 * 3_600_000 + 1000;
  const late = await refresh(identity, kept.refresh_token ?? '');
  assert.equal(late.status, 400);
  assert.match(await late.text(), /Refresh token expired/);
});

test('the same person again keeps the session’s name; another person ends the session before', async (t) => {
  const { identity, app } = await start(t);
  const browser = new CookieBrowser(identity);
  const first = await tokensOf(identity, await browser.logIn());
  const again = await tokensOf(identity, await browser.logIn({ prompt: 'login' }));
  assert.equal(claimsOf(again.id_token)['sid'], claimsOf(first.id_token)['sid']);
  assert.deepEqual(app.heard, []);
  const zoe = await tokensOf(identity, await browser.logIn({ prompt: 'login' }, true, 'zoe@example.com'));
  assert.notEqual(claimsOf(zoe.id_token)['sid'], claimsOf(first.id_token)['sid']);
  assert.equal((await verify(identity, app.heard[0] ?? '', 'app'))['sid'], claimsOf(first.id_token)['sid']);
});

test('a client that fails is told again later, and a redirect of it is not followed; the person is logged out all the same', async (t) => {
  const { identity, app } = await start(t);
  app.statuses = [500, 302, 200];
  const browser = new CookieBrowser(identity);
  const { id_token: hint } = await tokensOf(identity, await browser.logIn());
  assert.equal((await logOut(browser, hint)).status, 302);
  assert.equal(await browser.isKnown(), false);
  assert.equal(app.heard.length, 1);
  const said = (text: string): boolean =>
    identity.log.some((line) => line.includes('cannot be told of a logout yet') && line.includes(text));
  assert.ok(said('answered 500'));
  // The provider looks every few seconds for what is due by its clock.
  for (identity.now += 7000; app.heard.length < 2;) await delay(20);
  for (identity.now += 13_000; app.heard.length < 3;) await delay(20);
  assert.ok(said('redirect'));
  const tokens = app.heard.map(claimsOf);
  assert.equal(new Set(tokens.map((claims) => claims['jti'])).size, 3);
  assert.equal(new Set(tokens.map((claims) => claims['sid'])).size, 1);
  for (const token of app.heard) assert.ok(!identity.log.some((line) => line.includes(token)));
});

test('a logout ends the token before the last exchange too, whichever of the two is brought', async (t) => {
  const { identity, app } = await start(t);
  for (const brought of ['old', 'new']) {
    const browser = new CookieBrowser(identity);
    const { id_token: hint } = await tokensOf(identity, await browser.logIn());
    const old = browser.session;
    identity.now += 11 * 60_000;
    assert.equal(await browser.isKnown(), true);
    assert.notEqual(browser.session, old);
    const tokens = [old, browser.session].map((token) => ({ cookie: `dex_session=${token}` }));
    const headers = brought === 'old' ? tokens[0] : tokens[1];
    await identity.fetch(`/dex/logout?id_token_hint=${hint}`, { headers: headers ?? {} });
    const asked = new URLSearchParams({
      client_id: 'app',
      redirect_uri: '/login/oidc',
      response_type: 'code',
      scope: 'openid',
    });
    for (const each of tokens) {
      const answer = await identity.fetch(`/dex/auth/local?${asked.toString()}`, { headers: each });
      assert.match(answer.headers.get('location') ?? '', /\/login\?/, brought);
    }
  }
  assert.equal(app.heard.length, 2);
});

test('of 50 logouts at once one is told', async (t) => {
  const { identity, app } = await start(t);
  const browser = new CookieBrowser(identity);
  const { id_token: hint } = await tokensOf(identity, await browser.logIn());
  const cookie = `dex_session=${browser.session}`;
  const all = await Promise.all(
    Array.from({ length: 50 }, () => identity.fetch(`/dex/logout?id_token_hint=${hint}`, { headers: { cookie } })),
  );
  assert.ok(all.every(({ status }) => status === 200));
  assert.equal(app.heard.length, 1);
});

test('a logout token is no bearer token, no hint and not alive', async (t) => {
  const { identity, app } = await start(t);
  const browser = new CookieBrowser(identity);
  const { id_token: hint } = await tokensOf(identity, await browser.logIn());
  await logOut(browser, hint);
  const [token = ''] = app.heard;
  assert.equal((await identity.fetch('/dex/userinfo', { headers: { authorization: `Bearer ${token}` } })).status, 403);
  assert.equal((await identity.post('/dex/token/introspect', { token })).status, 401);
  assert.equal((await identity.fetch(`/dex/logout?id_token_hint=${token}`)).status, 400);
  await browser.logIn();
  assert.equal(await browser.isKnown({ id_token_hint: token }), false);
});

test('without sessions nothing is promised and no token names one', async (t) => {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const document = (await (await identity.fetch('/dex/.well-known/openid-configuration')).json()) as object;
  assert.equal('backchannel_logout_supported' in document, false);
  const done = await identity.post(await openLogin(identity), { login: 'zoe@example.com', password: 'password' });
  assert.equal('sid' in claimsOf((await tokensOf(identity, done)).id_token), false);
});
