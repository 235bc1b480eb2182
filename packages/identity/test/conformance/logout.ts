/** Owns the rows about ending login sessions. */
import assert from 'node:assert/strict';
import { CookieBrowser } from '../cookie-browser.ts';
import { locationOf, loginForTokens, redeem, USERS } from '../test-identity.ts';
import type { Tokens } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';
import type { Servers } from './servers.ts';

const SESSIONS = { more: 'sessions: {}\n' };
const LATER = { dex: '2.45 has no logout; later versions as here.', follows: 'head' } as const;
const END = 'src/session/end-session.attack.test.ts';
const UPSTREAM = 'src/logout/upstream-logout.test.ts';

interface LoggedIn {
  readonly browser: CookieBrowser;
  readonly hint: string;
}

async function loggedIn(servers: Servers, options = SESSIONS): Promise<LoggedIn> {
  const identity = await servers.at(options);
  const browser = new CookieBrowser(identity);
  const code = locationOf(await browser.logIn()).searchParams.get('code') ?? '';
  const tokens = (await (await redeem(identity, code)).json()) as Tokens;
  return { browser, hint: tokens.id_token };
}

function logout({ browser }: LoggedIn, query: Record<string, string>): Promise<Response> {
  return browser.open(`/dex/logout?${new URLSearchParams(query).toString()}`);
}

function kept(id: string, fact: string, proof: Row['proof']): Row {
  return { id, fact, stand: 'kept', ...LATER, proof };
}

function heldRow(id: string, fact: string, ...by: readonly HeldBy[]): Row {
  return held({ id, fact, stand: 'kept', ...LATER, by });
}

export const LOGOUT: Section = {
  id: '2.15',
  title: 'Logout',
  rows: [
    kept('hint', 'An ID token of the person as id_token_hint ends the session without asking.', async (servers) => {
      const who = await loggedIn(servers);
      assert.ok(await who.browser.isKnown());
      await expectPage(await logout(who, { id_token_hint: who.hint }), 200, /You are logged out/);
      assert.equal(await who.browser.isKnown(), false);
    }),
    kept('hint-expired', 'An ID token whose time is over is as good.', async (servers) => {
      const identity = await servers.fresh({ more: 'sessions: {}\nexpiry: {idTokens: 10m}\n' });
      const browser = new CookieBrowser(identity);
      const code = locationOf(await browser.logIn()).searchParams.get('code') ?? '';
      const { id_token: hint } = (await (await redeem(identity, code)).json()) as Tokens;
      identity.now += 20 * 60_000;
      await expectPage(await logout({ browser, hint }, { id_token_hint: hint }), 200, /You are logged out/);
      assert.equal(await browser.isKnown(), false);
    }),
    kept(
      'hint-forged',
      'A hint that is no token of this server is a page with 400, and the session stays.',
      async (servers) => {
        const who = await loggedIn(servers);
        const [head, body] = who.hint.split('.');
        for (const id_token_hint of ['x', `${head}.${body}.AAAA`, `${who.hint}x`])
          await expectPage(await logout(who, { id_token_hint }), 400, /Invalid id_token_hint\./);
        assert.ok(await who.browser.isKnown());
      },
    ),
    kept(
      'confirm',
      'Without a hint the person is asked, and the form that is sent back ends the session.',
      async (servers) => {
        const who = await loggedIn(servers);
        await expectPage(await logout(who, {}), 200, /Do you want to log out\?/);
        assert.ok(await who.browser.isKnown());
        const body = new URLSearchParams({ logout: 'yes' });
        await expectPage(await who.browser.open('/dex/logout', { method: 'POST', body }), 200, /You are logged out/);
        assert.equal(await who.browser.isKnown(), false);
      },
    ),
    kept('other-person', 'The hint of somebody else asks, and ends nothing by itself.', async (servers) => {
      const who = await loggedIn(servers);
      const other = new CookieBrowser(who.browser.at);
      const code = locationOf(await other.logIn({}, true, 'zoe@example.com')).searchParams.get('code') ?? '';
      const tokens = (await (await redeem(who.browser.at, code)).json()) as Tokens;
      await expectPage(await logout(who, { id_token_hint: tokens.id_token }), 200, /Do you want to log out\?/);
      assert.ok(await who.browser.isKnown());
    }),
    kept(
      'target',
      'With a hint, a registered post_logout_redirect_uri is gone to by 302, with state where the request had one.',
      async (servers) => {
        const who = await loggedIn(servers);
        const query = { id_token_hint: who.hint, post_logout_redirect_uri: '/bye', state: 'a b' };
        const response = await logout(who, query);
        assert.equal(response.status, 302);
        assert.equal(response.headers.get('location'), '/bye?state=a+b');
        const again = await loggedIn(servers);
        const plain = await logout(again, { id_token_hint: again.hint, post_logout_redirect_uri: '/bye' });
        assert.equal(plain.headers.get('location'), '/bye');
      },
    ),
    kept('post', 'The request may come as a posted form.', async (servers) => {
      const who = await loggedIn(servers);
      const body = new URLSearchParams({ id_token_hint: who.hint, post_logout_redirect_uri: '/bye' });
      const response = await who.browser.open('/dex/logout', { method: 'POST', body });
      assert.equal(`${response.status} ${response.headers.get('location')}`, '302 /bye');
      assert.equal(await who.browser.isKnown(), false);
    }),
    kept(
      'target-unregistered',
      'A post_logout_redirect_uri that is not registered to the letter, or comes without a hint, is a page with 400, and the session stays.',
      async (servers) => {
        const who = await loggedIn(servers);
        const hint = { id_token_hint: who.hint };
        for (const query of [
          { ...hint, post_logout_redirect_uri: 'https://evil.example/' },
          { ...hint, post_logout_redirect_uri: '/bye/' },
          { ...hint, post_logout_redirect_uri: '/login/oidc' },
          { post_logout_redirect_uri: '/bye' },
          { client_id: 'app', post_logout_redirect_uri: '/bye' },
        ])
          await expectPage(
            await logout(who, query as Record<string, string>),
            400,
            /Unregistered post_logout_redirect_uri\./,
          );
        assert.ok(await who.browser.isKnown());
      },
    ),
    kept('client', 'A client_id that is not that of the hint is a page with 400.', async (servers) => {
      const who = await loggedIn(servers);
      const query = { id_token_hint: who.hint, client_id: 'other' };
      await expectPage(await logout(who, query), 400, /client_id does not match id_token_hint\./);
      assert.equal((await logout(who, { ...query, client_id: 'app' })).status, 200);
    }),
    kept('methods', 'Methods other than GET and POST are a page with 400.', async (servers) => {
      const { browser } = await loggedIn(servers);
      for (const method of ['PUT', 'DELETE'])
        await expectPage(await browser.open('/dex/logout', { method }), 400, /Unsupported request method\./);
    }),
    {
      id: 'without-sessions',
      fact: 'Without sessions /logout goes to a registered target all the same, and otherwise says "You are logged out".',
      stand: 'more',
      ...LATER,
      dex: '2.45 has no logout; later versions have it where sessions are on.',
      why: 'Clients need not know how the server is set up.',
      proof: async (servers) => {
        const identity = await servers.at({ config: USERS });
        const { id_token } = await loginForTokens(identity);
        const query = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri: '/bye' });
        assert.equal((await identity.fetch(`/dex/logout?${query.toString()}`)).headers.get('location'), '/bye');
        await expectPage(await identity.fetch('/dex/logout'), 200, /You are logged out/);
      },
    },
    {
      id: 'foreign-site',
      fact: 'A confirmed logout that a page of another site sends is refused with 403.',
      stand: 'safer',
      dex: 'Later versions take it.',
      why: 'Nobody is logged out by looking at a page.',
      proof: async (servers) => {
        const { browser } = await loggedIn(servers);
        const body = new URLSearchParams({ logout: 'yes' });
        const headers = { 'sec-fetch-site': 'cross-site' };
        assert.equal((await browser.open('/dex/logout', { method: 'POST', body, headers })).status, 403);
        assert.ok(await browser.isKnown());
      },
    },
    heldRow(
      'upstream',
      'A session of the connector oidc is ended at its provider too, which sends the browser to /logout/callback and on to the client.',
      [
        UPSTREAM,
        'the browser goes to the provider with its own ID token as hint, and from there back to the client',
        'the callback sends nobody where no client is: invented, foreign and old states end at our page',
      ],
    ),
    heldRow('back-channel', 'Each client of the session that has a backchannelLogoutURI gets a logout token by POST.', [
      END,
      'a logout is told to each client of the session, in a token that jose verifies',
    ]),
    heldRow(
      'refresh-tokens',
      'Refresh tokens of clients with refreshTokenLifetime session end with the session, others live on.',
      [END, 'refresh tokens end with the session where the client wants that, and carry its sid until then'],
    ),
  ],
};
