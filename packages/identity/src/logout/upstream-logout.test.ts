/** A logout that goes on to the provider at which the person logged in, and comes back; the other provider is oidc-provider. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CookieBrowser } from '../../test/cookie-browser.ts';
import { LOGGED_OUT, REDIRECT, startOidcUpstream, walkUpstream } from '../../test/oidc-upstream.ts';
import type { OidcUpstream } from '../../test/oidc-upstream.ts';
import { authUrl, claimsOf, locationOf, redeem, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

let upstream: OidcUpstream;
let identity: TestIdentity;
before(async () => {
  upstream = await startOidcUpstream();
  const settings = (more = ''): string =>
    `{issuer: "${upstream.issuer}", clientID: dex, clientSecret: upstream-secret, redirectURI: "${REDIRECT}", getUserInfo: true${more}}`;
  const gone = ', providerDiscoveryOverrides: {endSessionURL: "https://elsewhere.example.com/end"}';
  identity = await startTestIdentity({
    config: `sessions: {}\nconnectors:\n- {type: oidc, id: up, name: Up, config: ${settings()}}\n- {type: oidc, id: other, name: Other, config: ${settings(gone)}}\n`,
  });
});
after(async () => {
  await identity.stop();
  upstream.close();
});

interface LoggedIn {
  readonly browser: CookieBrowser;
  readonly tokens: Tokens;
  /** The browser's cookies at the upstream. */
  readonly jar: Map<string, string>;
}

async function logIn(connector = 'up'): Promise<LoggedIn> {
  const browser = new CookieBrowser(identity);
  const jar = new Map<string, string>();
  const begun = await browser.open(authUrl({}, `/dex/auth/${connector}`));
  const back = await walkUpstream(locationOf(begun).href, jar);
  const done = await browser.open(`/dex/callback${back.search}`);
  const code = locationOf(done).searchParams.get('code') ?? '';
  return { browser, jar, tokens: (await (await redeem(identity, code)).json()) as Tokens };
}

const cookieOf = (jar: Map<string, string>): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');

/** What a person does at the upstream: its page asks, they say yes. */
async function confirmThere(location: URL, jar: Map<string, string>): Promise<URL> {
  const page = await fetch(location, { headers: { cookie: cookieOf(jar) } });
  for (const line of page.headers.getSetCookie()) {
    const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? [];
    jar.set(name, value);
  }
  const xsrf = /name="xsrf" value="([^"]*)"/.exec(await page.text())?.[1] ?? '';
  assert.notEqual(xsrf, '', 'the provider accepted the request');
  const response = await fetch(`${upstream.issuer}/session/end/confirm`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookieOf(jar), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ xsrf, logout: 'yes' }),
  });
  return locationOf(response);
}

test('the browser goes to the provider with its own ID token as hint, and from there back to the client', async () => {
  const { browser, jar, tokens } = await logIn();
  const target = '/dex/logout?post_logout_redirect_uri=/bye&state=of-the-client';
  const there = locationOf(await browser.open(`${target}&id_token_hint=${tokens.id_token}`));
  assert.equal(there.origin + there.pathname, `${upstream.issuer}/session/end`);
  assert.equal(there.searchParams.get('post_logout_redirect_uri'), LOGGED_OUT);
  assert.equal(claimsOf(there.searchParams.get('id_token_hint') ?? '')['iss'], upstream.issuer);
  assert.equal(await browser.isKnown(), false, 'our own session is over already');
  const back = await confirmThere(there, jar);
  assert.equal(back.href.split('?')[0], LOGGED_OUT);
  const end = locationOf(await browser.open(`/dex/logout/callback${back.search}`));
  assert.equal(end.pathname, '/bye');
  assert.equal(end.searchParams.get('state'), 'of-the-client');
});

test('without a target the way ends at our page', async () => {
  const { browser, jar, tokens } = await logIn();
  const there = locationOf(await browser.open(`/dex/logout?id_token_hint=${tokens.id_token}`));
  const back = await confirmThere(there, jar);
  const page = await browser.open(`/dex/logout/callback${back.search}`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /You are logged out/);
});

test('endSessionURL replaces what the provider says of itself', async () => {
  const { browser, tokens } = await logIn('other');
  const there = locationOf(await browser.open(`/dex/logout?id_token_hint=${tokens.id_token}`));
  assert.equal(there.origin + there.pathname, 'https://elsewhere.example.com/end');
  assert.equal(there.searchParams.get('client_id'), 'dex');
});

test('the callback sends nobody where no client is: invented, foreign and old states end at our page', async () => {
  const { browser, tokens } = await logIn();
  const there = locationOf(
    await browser.open(`/dex/logout?post_logout_redirect_uri=/bye&id_token_hint=${tokens.id_token}`),
  );
  const state = there.searchParams.get('state') ?? '';
  const login = locationOf(await identity.fetch(authUrl({}, '/dex/auth/up'))).searchParams.get('state') ?? '';
  for (const wrong of ['', 'x', 'https://evil.example/', '//evil.example', login, `${state.slice(0, -2)}AA`]) {
    const response = await identity.fetch(`/dex/logout/callback?${new URLSearchParams({ state: wrong }).toString()}`);
    assert.equal(response.status, 200, wrong);
    assert.equal(response.headers.get('location'), null);
  }
  const callback = `/dex/logout/callback?${new URLSearchParams({ state }).toString()}`;
  assert.equal((await identity.post(callback, {})).status, 400);
  // A state of logouts begins no login.
  assert.equal((await identity.fetch(`/dex/callback?code=x&state=${state}`)).status, 400);
  identity.now += 11 * 60_000;
  assert.equal((await identity.fetch(callback)).status, 200);
});
