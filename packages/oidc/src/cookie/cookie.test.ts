import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cookieNames, readCookies, soleCookie, withoutCookies } from './read-cookies.ts';
import { isCookieNameAllowed, renderCookie, renderCookieRemoval } from './render-cookie.ts';

test('reads whole names only', () => {
  const header = 'xs=1; s=2;s=3 ;  sx=4;s; S=5; s==6;=7';
  assert.deepEqual(readCookies(header, 's'), ['2', '3', '=6']);
  assert.deepEqual(readCookies(undefined, 's'), []);
  assert.deepEqual(readCookies('', 's'), []);
  assert.deepEqual(readCookies('s="quoted"', 's'), ['"quoted"']);
  assert.deepEqual(readCookies('a=s=1', 's'), []);
});

test('the short way to a cookie never says other than the long one', () => {
  const pieces = ['s=1', 's=', 'xs=2', 's', 'a=s=3', 's =4', '\ts=5', ' s=6 ', 'ss=7', '', 'S=8', 's=9'];
  const pairs = pieces.flatMap((first) => pieces.map((second) => `${first};${second}`));
  const headers = [...pairs, ...pairs.flatMap((pair) => pieces.map((third) => `${pair};${third}`))];
  let taken = 0;
  for (const header of headers) {
    const sole = soleCookie(header, 's');
    if (sole === undefined) continue;
    taken += 1;
    assert.deepEqual(readCookies(header, 's'), [sole], JSON.stringify(header));
  }
  assert.ok(taken > 50);
  assert.equal(soleCookie('a=1; s=2; b=3', 's'), '2');
});

test('finds names by prefix', () => {
  assert.deepEqual(cookieNames('f_1=a; f_2=b; g=c; f_1=d; f_', 'f_'), ['f_1', 'f_2']);
  assert.deepEqual(cookieNames(undefined, 'f_'), []);
});

test('takes out what is named and nothing else', () => {
  const own = (name: string): boolean => name === 's' || name.startsWith('f_');
  assert.equal(withoutCookies('a=1; s=2; b=3; f_x=4', own), 'a=1; b=3');
  assert.equal(withoutCookies('s=2', own), '');
  assert.equal(withoutCookies('s', own), '');
  assert.equal(withoutCookies(' a=1;b=2', own), ' a=1;b=2');
  assert.equal(withoutCookies('sx=1; s =2; as=3', own), 'sx=1; as=3');
});

test('renders attributes that other sites and scripts cannot get round', () => {
  assert.equal(
    renderCookie({ name: 's', value: 'v', maxAgeSeconds: 60.9 }),
    's=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax',
  );
  assert.equal(renderCookieRemoval('s'), 's=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax');
  assert.equal(
    renderCookie({ name: 's', value: 'v' }, { httpOnly: false, secure: false, sameSite: 'Strict' }),
    's=v; Path=/; SameSite=Strict',
  );
});

test('refuses names and values that would add attributes or headers', () => {
  for (const value of ['a;b', 'a b', 'a,b', 'a\r\nb', 'a"b', 'a\\b', 'é']) {
    assert.throws(() => renderCookie({ name: 's', value }), TypeError);
  }
  for (const name of ['', 'a=b', 'a;', 'a b', 'a\n']) assert.throws(() => renderCookie({ name, value: '' }), TypeError);
});

test('knows which settings browsers refuse', () => {
  const lax = { httpOnly: true, secure: false, sameSite: 'Lax' } as const;
  assert.equal(isCookieNameAllowed('__Host-s', { ...lax, secure: true }), true);
  assert.equal(isCookieNameAllowed('__Host-s', lax), false);
  assert.equal(isCookieNameAllowed('s', { ...lax, sameSite: 'None' }), false);
  assert.equal(isCookieNameAllowed('s t', lax), false);
});
