/** Owns attacks through addresses and headers that a browser is led to send. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { AUTH, authUrl, basic, locationOf, openLogin, startTestIdentity, USERS } from '../test-identity.ts';

const TWO_WAYS = `${USERS}connectors: [{type: mockPassword, id: mock, name: Mock, config: {username: u, password: p}}]\n`;

/** Dex #4927: only our own choice page may be behind "back". */
export async function attackBackLinks(t: TestContext): Promise<void> {
  const identity = await startTestIdentity({ config: TWO_WAYS });
  t.after(() => identity.stop());
  const login = new URL(await openLogin(identity), 'http://x');
  assert.match(login.searchParams.get('back') ?? '', /^\/dex\/auth\?/);
  for (const back of [
    '//evil.example/dex/auth?',
    '/\\evil.example/dex/auth?',
    'https://evil.example/dex/auth?',
    'javascript:alert(1)//dex/auth?',
    '/dex/auth?\r\nSet-Cookie: a=b',
    '/dex/auth/../../evil?',
    '/dex/authority?',
    '\t//evil.example',
  ]) {
    login.searchParams.set('back', back);
    const page = await identity.fetch(login.pathname + login.search);
    assert.equal(page.headers.get('set-cookie'), null);
    assert.doesNotMatch(await page.text(), /<a [^>]*href/, back);
  }
}

/** Dex #4927: the address is read from the end of the header, past trusted proxies only, so that a guesser cannot change it at will. */
export async function attackForwardedFor(t: TestContext): Promise<void> {
  const identity = await startTestIdentity({
    web: ', clientRemoteIP: {header: X-Forwarded-For, trustedProxies: [127.0.0.1/32]}',
  });
  t.after(() => identity.stop());
  const page = await openLogin(identity);
  const guess = async (forwarded: string): Promise<number> => {
    const form = { login: 'zoe@example.com', password: 'wrong' };
    return (await identity.post(page, form, { 'x-forwarded-for': forwarded })).status;
  };
  const statuses: number[] = [];
  for (let count = 0; count < 7; count += 1) statuses.push(await guess(`10.0.0.${count}, 127.0.0.1, 203.0.113.9`));
  assert.equal(statuses.at(-1), 429, statuses.join(' '));
  assert.equal(await guess('198.51.100.1'), 401, 'somebody else may still try');
}

/** Dex #4885: what is registered is compared to the letter, after one decoding. */
export async function attackTwiceDecodedUris(t: TestContext): Promise<void> {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  for (const uri of [
    encodeURIComponent('https://app.example.com/plain'),
    'https://app.example.com/plai%6e',
    'https://app.example.com/plain%00',
    '%2Flogin%2Foidc',
    '/login%2Foidc',
    '/login/%6Fidc',
    '%252Flogin%252Foidc',
  ]) {
    const response = await identity.fetch(authUrl({ redirect_uri: uri }));
    assert.equal(response.status, 400, uri);
    assert.equal(response.headers.get('location'), null);
  }
}

/** Without cookies a begun login can be handed to another person: what it gives goes to its own client with its own state, never elsewhere. */
export async function attackLoginCsrf(t: TestContext): Promise<void> {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const begun = await openLogin(identity, { client_id: 'other', redirect_uri: '/other', state: 'of-the-attacker' });
  // The victim's own parameters in the address change nothing: the request is sealed.
  const lured = `${begun}&redirect_uri=${encodeURIComponent(AUTH.redirect_uri)}&client_id=app&state=of-the-victim`;
  const form = { login: 'zoe@example.com', password: 'password' };
  assert.equal(locationOf(await identity.post(lured, form)).pathname, '/other');
  const done = locationOf(await identity.post(begun, form));
  assert.equal(done.pathname, '/other');
  assert.equal(done.searchParams.get('state'), 'of-the-attacker');
  const code = done.searchParams.get('code') ?? '';
  const stolen = await identity.post(
    '/dex/token',
    { grant_type: 'authorization_code', code, redirect_uri: '/other' },
    basic('app', 's3cret'),
  );
  assert.equal(stolen.status, 400);
}
