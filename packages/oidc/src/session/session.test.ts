import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret, systemRandom } from '@kfctl/core';
import { createPathMatcher } from '../redirect/plain-path.ts';
import { checkSession } from './check-session.ts';
import type { SessionVerdict } from './check-session.ts';
import { isPageNavigation } from './page-navigation.ts';
import type { RequestHeaders } from './page-navigation.ts';
import { createSessionTokens, isSessionToken, sessionIdOf } from './session-token.ts';

const secrets = [new Secret('k'.repeat(48))];
const tokens = createSessionTokens({ secrets, random: systemRandom });
const [ann, bob, gone] = [tokens.create(), tokens.create(), tokens.create()];
const sessions = new Map([
  [ann, 'ann'],
  [bob, 'bob'],
]);
const rules = { cookieName: 'authservice_session', isExempt: createPathMatcher(['/dex']) };
const check = (headers: RequestHeaders, path = '/'): SessionVerdict<string> =>
  checkSession({ path, headers }, rules, (token) => sessions.get(token));
const cookie = (...values: string[]): RequestHeaders => ({
  cookie: values.map((value) => `authservice_session=${value}`).join('; '),
});

test('tokens are recognised by who made them only', () => {
  assert.equal(isSessionToken(ann), true);
  assert.equal(tokens.isGenuine(ann), true);
  assert.match(sessionIdOf(ann), /^[0-9a-f]{64}$/);
  const foreign = createSessionTokens({ secrets: [new Secret('x'.repeat(48))], random: systemRandom });
  assert.equal(tokens.isGenuine(foreign.create()), false);
  assert.equal(tokens.isGenuine(`${ann.slice(0, -1)}${ann.endsWith('A') ? 'B' : 'A'}`), false);
  for (const text of ['', 'A'.repeat(59), 'A'.repeat(60), `${ann} `, '!'.repeat(59)])
    assert.equal(tokens.isGenuine(text), false);
});

test('a key may be rotated without ending sessions', () => {
  const rotated = createSessionTokens({ secrets: [new Secret('n'.repeat(48)), ...secrets], random: systemRandom });
  assert.equal(rotated.isGenuine(ann), true);
  assert.equal(tokens.isGenuine(rotated.create()), false);
});

test('finds the session of a cookie', () => {
  assert.deepEqual(check(cookie(ann)), { kind: 'known', session: 'ann', token: ann, via: 'cookie' });
  assert.deepEqual(check(cookie(gone)), { kind: 'unknown', token: gone, via: 'cookie' });
  assert.deepEqual(check({}), { kind: 'none' });
  assert.deepEqual(check(cookie('')), { kind: 'none' });
});

test('a planted second cookie cannot choose the identity', () => {
  assert.deepEqual(check(cookie(ann, bob)), { kind: 'none' });
  assert.deepEqual(check(cookie(bob, ann)), { kind: 'none' });
  assert.equal(check(cookie('planted', ann)).kind, 'known');
  assert.equal(check(cookie(gone, ann)).kind, 'known');
  assert.equal(check(cookie(ann, ann)).kind, 'known');
  assert.equal(check(cookie(gone, tokens.create())).kind, 'none');
  assert.equal(check(cookie(...Array.from({ length: 50 }, () => tokens.create()), ann)).kind, 'none');
});

test('mangled cookies are no sessions', () => {
  for (const value of [
    `"${ann}"`,
    `${ann}=`,
    encodeURIComponent(`${ann};`),
    `${ann},${bob}`,
    ann.slice(1),
    ` ${ann}x`,
  ]) {
    assert.equal(check(cookie(value)).kind, 'none', value);
  }
  assert.equal(check({ cookie: `x=authservice_session=${ann}` }).kind, 'none');
  assert.equal(check({ cookie: `Authservice_session=${ann}` }).kind, 'none');
});

test('scripts send the token in a header, which goes before the cookie', () => {
  assert.equal(check({ authorization: `Bearer ${ann}` }).kind, 'known');
  assert.equal(check({ authorization: ann }).kind, 'known');
  assert.equal(check({ 'x-auth-token': ann }).kind, 'known');
  assert.deepEqual(check({ authorization: `bearer ${bob}`, ...cookie(ann) }), {
    kind: 'known',
    session: 'bob',
    token: bob,
    via: 'header',
  });
  assert.equal(check({ authorization: `Basic ${ann}`, ...cookie(ann) }).kind, 'known');
  assert.equal(check({ authorization: `Basic ${ann}` }).kind, 'none');
  assert.equal(check({ authorization: `Bearer ${gone}`, ...cookie(ann) }).kind, 'unknown');
});

test('exempt paths need no session and give no identity', () => {
  assert.deepEqual(check(cookie(ann), '/dex/auth'), { kind: 'exempt' });
  assert.equal(check({}, '/dexter').kind, 'none');
  assert.equal(check({}, '/dex/../pipeline').kind, 'none');
});

test('knows a page navigation from everything else', () => {
  const pages: [string, RequestHeaders][] = [
    ['GET', {}],
    ['GET', { accept: '*/*' }],
    ['HEAD', { accept: '*/*' }],
    ['GET', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
    ['GET', { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ];
  const data: [string, RequestHeaders][] = [
    ['POST', { accept: 'text/html', 'sec-fetch-mode': 'navigate' }],
    ['OPTIONS', {}],
    ['get', {}],
    ['PROPFIND', { accept: 'text/html' }],
    ['GET', { accept: 'application/json' }],
    ['GET', { accept: 'application/json, text/plain, */*' }],
    ['GET', { accept: 'text/event-stream' }],
    ['GET', { accept: '*/*', 'sec-fetch-mode': 'cors' }],
    ['GET', { accept: 'image/avif,*/*', 'sec-fetch-mode': 'no-cors' }],
    ['GET', { accept: 'text/html', 'sec-fetch-mode': 'same-origin' }],
    ['GET', { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' }],
    ['GET', { upgrade: 'websocket', accept: 'text/html' }],
    ['GET', { 'content-type': 'application/grpc-web+proto' }],
    ['GET', { authorization: 'Bearer x', accept: 'text/html' }],
  ];
  for (const [method, headers] of pages) assert.equal(isPageNavigation(method, headers), true, JSON.stringify(headers));
  for (const [method, headers] of data) assert.equal(isPageNavigation(method, headers), false, JSON.stringify(headers));
});
