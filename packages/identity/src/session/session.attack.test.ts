import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { CookieBrowser } from '../../test/cookie-browser.ts';
import {
  AUTH,
  authUrl,
  basic,
  claimsOf,
  CLIENTS,
  configText,
  locationOf,
  redeem,
  startTestIdentity,
  USERS,
} from '../../test/test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from '../../test/test-identity.ts';

const SHARED = CLIENTS.replace('name: "The <b>App</b>"', 'name: App, ssoSharedWith: [other]');
const config = (sessions = '{}', clients = SHARED): string => `sessions: ${sessions}\n${USERS}${clients}`;

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity({ config: config() });
});
after(() => identity.stop());

class Browser extends CookieBrowser {
  constructor(at: TestIdentity = identity) {
    super(at);
  }
}

const start = async (t: TestContext, options: TestOptions): Promise<TestIdentity> => {
  const started = await startTestIdentity(options);
  t.after(() => started.stop());
  return started;
};

test('without the section there are no cookies and no box on the page', async (t) => {
  const plain = await start(t, {});
  const browser = new Browser(plain);
  await browser.logIn();
  assert.equal(browser.cookies.size, 0);
  assert.equal(await browser.isKnown(), false);
  const page = await plain.fetch(locationOf(await plain.fetch(authUrl())).href.replace('http://browser.test', ''));
  assert.doesNotMatch(await page.text(), /Remember me/);
});

test('a second login asks nobody, at the first client and at one it shares with', async () => {
  const browser = new Browser();
  const first = await browser.logIn();
  assert.equal(first.status, 303);
  assert.ok(await browser.isKnown());
  assert.ok(await browser.isKnown({ client_id: 'other', redirect_uri: '/other' }));
  // Not the other way round, and not at others.
  assert.equal(await browser.isKnown({ client_id: 'spa', redirect_uri: 'https://spa.example.com/' }), false);
  const other = new Browser();
  await other.logIn({ client_id: 'other', redirect_uri: '/other' });
  assert.equal(await other.isKnown(), false);
});

test('ssoSharedWithDefault: all shares with everybody, and a client that shares with nobody stays alone', async (t) => {
  const clients = CLIENTS.replace('name: Other', 'name: Other, ssoSharedWith: []');
  const browser = new Browser(await start(t, { config: config('{ssoSharedWithDefault: all}', clients) }));
  await browser.logIn();
  assert.ok(await browser.isKnown({ client_id: 'spa', redirect_uri: 'https://spa.example.com/' }));
  const alone = new Browser(browser.at);
  await alone.logIn({ client_id: 'other', redirect_uri: '/other' });
  assert.equal(await alone.isKnown(), false);
});

test('the cookie is for the issuer alone, unreadable, and ends with the browser unless the person is remembered', async () => {
  const browser = new Browser();
  await browser.logIn();
  assert.equal(browser.attributes.get('dex_session'), 'Path=/dex; HttpOnly; SameSite=Lax; Max-Age=86400');
  const shy = new Browser();
  await shy.logIn({}, false);
  assert.equal(shy.attributes.get('dex_session'), 'Path=/dex; HttpOnly; SameSite=Lax');
  const secure = new Browser();
  secure.headers['x-forwarded-proto'] = 'https';
  await secure.logIn();
  assert.match(secure.attributes.get('dex_session') ?? '', /; Secure/);
  assert.match(secure.attributes.get('dex_session_login') ?? '', /SameSite=None; Secure/);
});

test('tokens made up, cut short, doubled or of a past session open nothing', async () => {
  const browser = new Browser();
  await browser.logIn();
  const token = browser.session;
  for (const value of [
    '',
    'x',
    token.slice(1),
    `${token}A`,
    'A'.repeat(43),
    '../../keys',
    `${token}; dex_session=${token}`,
  ]) {
    const thief = new Browser();
    thief.cookies.set('dex_session', value);
    assert.equal(await thief.isKnown(), false, value);
  }
});

test('the stored session does not give its token away', async () => {
  const browser = new Browser();
  await browser.logIn();
  assert.ok(!identity.log.some((line) => line.includes(browser.session)));
});

test('a login gets a token of its own, and the one before is worth nothing (fixation)', async () => {
  const browser = new Browser();
  await browser.logIn();
  const planted = browser.session;
  await browser.logIn({ prompt: 'login' }, true, 'zoe@example.com');
  assert.notEqual(browser.session, planted);
  const thief = new Browser();
  thief.cookies.set('dex_session', planted);
  assert.equal(await thief.isKnown(), false);
});

test('a login that began in another browser leaves no session behind (login by somebody else)', async () => {
  const attacker = new Browser();
  const form = locationOf(await attacker.open(authUrl()));
  const victim = new Browser();
  await victim.open(authUrl());
  const fields = new URLSearchParams({ login: 'zoe@example.com', password: 'password', remember: 'true' });
  const response = await victim.open(form.pathname + form.search, { method: 'POST', body: fields });
  assert.equal(response.status, 303);
  assert.equal(victim.session, '');
  // Nor in one without any cookie, as scripts are.
  const script = new Browser();
  await script.open(form.pathname + form.search, { method: 'POST', body: fields });
  assert.equal(script.session, '');
});

test('prompt=login and select_account ask; max_age asks when the login is older; auth_time says when it was', async () => {
  const browser = new Browser();
  const started = identity.now;
  await browser.logIn();
  assert.equal(await browser.isKnown({ prompt: 'login' }), false);
  assert.equal(await browser.isKnown({ prompt: 'select_account' }), false);
  identity.now += 120_000;
  assert.ok(await browser.isKnown({ max_age: '300' }));
  assert.equal(await browser.isKnown({ max_age: '60' }), false);
  assert.equal(await browser.isKnown({ max_age: '0' }), false);
  const code = locationOf(await browser.open(authUrl({ max_age: '300' }))).searchParams.get('code') ?? '';
  const { id_token } = (await (await redeem(identity, code)).json()) as Tokens;
  assert.equal(claimsOf(id_token)['auth_time'], Math.floor(started / 1000));
  for (const max_age of ['-1', 'x', '1.5', '99999999999']) {
    const problem = locationOf(await browser.open(authUrl({ max_age }))).searchParams;
    assert.equal(problem.get('error'), 'invalid_request', max_age);
  }
  const mixed = locationOf(await browser.open(authUrl({ prompt: 'none login' }))).searchParams;
  assert.equal(mixed.get('error'), 'invalid_request');
});

test('prompt=none: a login page as proxies want it, or login_required in strict mode', async (t) => {
  assert.equal(await new Browser().isKnown({ prompt: 'none' }), false);
  const strict = await start(t, { config: config(), oauth2: 'skipApprovalScreen: true, strictPromptNone: true' });
  const browser = new Browser(strict);
  const errorOf = async (changes: Record<string, string> = {}): Promise<string | null> =>
    locationOf(await browser.open(authUrl({ prompt: 'none', ...changes }))).searchParams.get('error');
  assert.equal(await errorOf(), 'login_required');
  await browser.logIn();
  assert.equal(await errorOf(), null);
  assert.equal(await errorOf({ approval_prompt: 'force' }), 'interaction_required');
});

test('id_token_hint: another person, or no token of ours, is no pass', async () => {
  const browser = new Browser();
  const code = locationOf(await browser.logIn()).searchParams.get('code') ?? '';
  const { id_token } = (await (await redeem(identity, code)).json()) as Tokens;
  assert.ok(await browser.isKnown({ id_token_hint: id_token }));
  assert.equal(await browser.isKnown({ id_token_hint: `${id_token.slice(0, -4)}AAAA` }), false);
  const other = new Browser();
  const otherCode = locationOf(await other.logIn({}, true, 'zoe@example.com')).searchParams.get('code') ?? '';
  const hint = ((await (await redeem(identity, otherCode)).json()) as Tokens).id_token;
  assert.equal(await browser.isKnown({ id_token_hint: hint }), false);
});

test('the approval page is shown as after any login', async (t) => {
  const asking = await start(t, { config: config(), oauth2: 'skipApprovalScreen: false' });
  const browser = new Browser(asking);
  await browser.logIn();
  assert.match(locationOf(await browser.open(authUrl())).pathname, /approval$/);
});

test('a session ends when idle, at its end, and never later than the login allows', async (t) => {
  const short = await start(t, { config: config('{validIfNotUsedFor: 30m, absoluteLifetime: 2h}') });
  const idle = new Browser(short);
  await idle.logIn();
  short.now += 31 * 60_000;
  assert.equal(await idle.isKnown(), false);
  const busy = new Browser(short);
  await busy.logIn();
  for (let minutes = 0; minutes < 100; minutes += 20) {
    short.now += 20 * 60_000;
    assert.ok(await busy.isKnown(), String(minutes));
  }
  short.now += 21 * 60_000;
  assert.equal(await busy.isKnown(), false);
});

test('the token is exchanged as it ages; the old one lives half a minute longer, for other tabs', async () => {
  const browser = new Browser();
  await browser.logIn();
  const old = browser.session;
  identity.now += 11 * 60_000;
  const all = await Promise.all(Array.from({ length: 10 }, async () => await browser.open(authUrl())));
  assert.ok(all.every((response) => locationOf(response).searchParams.has('code')));
  assert.equal(
    all.flatMap((response) => response.headers.getSetCookie()).filter((line) => line.startsWith('dex_session=')).length,
    1,
  );
  assert.notEqual(browser.session, old);
  assert.ok(await browser.isKnown());
  const tab = new Browser();
  tab.cookies.set('dex_session', old);
  assert.ok(await tab.isKnown());
  identity.now += 31_000;
  assert.equal(await tab.isKnown(), false);
  assert.ok(await browser.isKnown());
});

test('whoever is removed from the file has no session any more, and changed groups count at once', async (t) => {
  const changing = await start(t, { config: config() });
  const browser = new Browser(changing);
  await browser.logIn();
  const reloaded = async (text: string): Promise<void> => {
    const count = (): number => changing.log.filter((line) => line.includes('configuration changed')).length;
    const seen = count();
    writeFileSync(changing.file, text);
    await t.waitFor(() => assert.ok(count() > seen), { timeout: 10_000 });
  };
  await reloaded(configText({ config: config().replace('groups: [admins]', 'groups: [guests]') }));
  const code = locationOf(await browser.open(authUrl())).searchParams.get('code') ?? '';
  assert.deepEqual(claimsOf(((await (await redeem(changing, code)).json()) as Tokens).id_token)['groups'], ['guests']);
  await reloaded(configText({ config: config().replace('Admin@Kubeflow.org', 'somebody@kubeflow.org') }));
  assert.equal(await browser.isKnown(), false);
});

test('logout by the client’s hint ends the session; without one the person is asked first', async () => {
  const browser = new Browser();
  const code = locationOf(await browser.logIn()).searchParams.get('code') ?? '';
  const { id_token } = (await (await redeem(identity, code)).json()) as Tokens;
  const token = browser.session;
  const asked = await browser.open('/dex/logout');
  assert.match(await asked.text(), /Do you want to log out\?/);
  assert.ok(await browser.isKnown());
  const crossSite = await browser.open('/dex/logout', {
    method: 'POST',
    body: new URLSearchParams({ logout: 'yes' }),
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  assert.equal(crossSite.status, 403);
  assert.ok(await browser.isKnown());
  const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: '/bye', state: 's' });
  const gone = await browser.open(`/dex/logout?${query.toString()}`);
  assert.equal(gone.headers.get('location'), '/bye?state=s');
  assert.equal(browser.session, '');
  const thief = new Browser();
  thief.cookies.set('dex_session', token);
  assert.equal(await thief.isKnown(), false);
});

test('a logout that may not send the browser anywhere ends nothing; another person’s hint asks', async () => {
  const browser = new Browser();
  await browser.logIn();
  const other = new Browser();
  const code = locationOf(await other.logIn({}, true, 'zoe@example.com')).searchParams.get('code') ?? '';
  const { id_token } = (await (await redeem(identity, code)).json()) as Tokens;
  const evil = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: 'https://evil.example/' });
  assert.equal((await browser.open(`/dex/logout?${evil.toString()}`)).status, 400);
  const foreign = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: '/bye' });
  assert.match(await (await browser.open(`/dex/logout?${foreign.toString()}`)).text(), /Do you want to log out/);
  assert.ok(await browser.isKnown());
  const body = new URLSearchParams({ logout: 'yes' });
  assert.match(await (await browser.open('/dex/logout', { method: 'POST', body })).text(), /You are logged out/);
  assert.equal(await browser.isKnown(), false);
});

test('several connectors: the session’s own is taken without a choice, another one asks', async (t) => {
  const two = await start(t, {
    config: `${config('{}')}connectors:\n- {type: mockCallback, id: mock, name: Mock}\n- {type: mockPassword, id: pw, name: Pw, config: {username: a, password: b}}\n`,
  });
  const browser = new Browser(two);
  assert.equal((await browser.open(authUrl({}, '/dex/auth'))).status, 200);
  const sent = locationOf(await browser.open(authUrl({}, '/dex/auth/mock')));
  await browser.open(sent.pathname + sent.search);
  assert.notEqual(browser.session, '');
  const chosen = await browser.open(authUrl({}, '/dex/auth'));
  assert.match(chosen.headers.get('location') ?? '', /^\/dex\/auth\/mock\?/);
  assert.ok(locationOf(await browser.open(chosen.headers.get('location') ?? '')).searchParams.has('code'));
  assert.equal((await browser.open(authUrl({ prompt: 'select_account' }, '/dex/auth'))).status, 200);
  assert.match(locationOf(await browser.open(authUrl({}, '/dex/auth/pw'))).pathname, /login$/);
});

test('offline access out of a session gives a refresh token of its own', async () => {
  const browser = new Browser();
  await browser.logIn();
  const scope = 'openid groups offline_access';
  const code = locationOf(await browser.open(authUrl({ scope }))).searchParams.get('code') ?? '';
  const tokens = (await (await redeem(identity, code)).json()) as Tokens;
  const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
  assert.equal((await identity.post('/dex/token', form, basic(AUTH.client_id, 's3cret'))).status, 200);
});
