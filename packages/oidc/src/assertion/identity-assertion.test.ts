import assert from 'node:assert/strict';
import { createHmac, hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '@kfctl/core';
import { createAssertions, parseAssertionKeys } from './identity-assertion.ts';
import type { AssertedRequest } from './identity-assertion.ts';

const NOW = Date.UTC(2026, 10, 1);
const KEY = new Secret('a'.repeat(43));
const OTHER = new Secret('b'.repeat(43));
const REQUEST: AssertedRequest = {
  method: 'GET',
  path: '/api/workgroup/env-info',
  userId: 'ann@x.org',
  groups: 'admins,developers',
};

test('an assertion is good for its own request and for no other', () => {
  const { assert: sign, isGenuine } = createAssertions([KEY]);
  const value = sign(REQUEST, NOW);
  assert.match(value, /^v1\.\d{10}\.[\w-]{43}$/);
  assert.ok(isGenuine(value, REQUEST, NOW));
  const others: readonly Partial<AssertedRequest>[] = [
    { method: 'POST' },
    { path: '/api/workgroup/env-info/' },
    { path: '/notebook/ann/x/api/workgroup/env-info' },
    { userId: 'ben@x.org' },
    { userId: 'Ann@x.org' },
    { groups: 'admins' },
    { groups: '' },
    { userId: 'ann@x.org\nadmins,developers', groups: '' },
    { path: '/api/workgroup/env-info\nann@x.org', userId: 'admins,developers', groups: '' },
  ];
  for (const other of others) assert.equal(isGenuine(value, { ...REQUEST, ...other }, NOW), false);
});

test('an assertion is over after two minutes, and one from the future is none', () => {
  const { assert: sign, isGenuine } = createAssertions([KEY]);
  const value = sign(REQUEST, NOW);
  assert.ok(isGenuine(value, REQUEST, NOW + 120_000));
  assert.equal(isGenuine(value, REQUEST, NOW + 121_000), false);
  assert.ok(isGenuine(value, REQUEST, NOW - 60_000), 'a clock that is a minute behind');
  assert.equal(isGenuine(value, REQUEST, NOW - 61_000), false);
});

test('nothing that was not made with the key passes', () => {
  const { assert: sign, isGenuine } = createAssertions([KEY]);
  const value = sign(REQUEST, NOW);
  const [, time = '', mac = ''] = value.split('.');
  const forged = [
    undefined,
    '',
    [value, value],
    `${value}, ${value}`,
    ` ${value}`,
    `${value}=`,
    `V1.${time}.${mac}`,
    `v1.${Number(time) + 1}.${mac}`,
    `v1.${time}.${'A'.repeat(43)}`,
    `v1.NaN.${mac}`,
    `v1.${time}.${mac.slice(0, -1)}`,
    createAssertions([OTHER]).assert(REQUEST, NOW),
  ];
  for (const each of forged) assert.equal(isGenuine(each, REQUEST, NOW), false, String(each));
  // base64url's last character has bits that decoding ignores: a second spelling is refused, for it was not what was made.
  const last = mac.at(-1) === 'A' ? 'B' : 'A';
  assert.equal(isGenuine(`v1.${time}.${mac.slice(0, -1)}${last}`, REQUEST, NOW), false);
});

test('a key is changed without anybody noticing: the new one first, the old one believed', () => {
  const before = createAssertions([KEY]);
  const during = createAssertions([OTHER, KEY]);
  const after = createAssertions([OTHER]);
  assert.ok(during.isGenuine(before.assert(REQUEST, NOW), REQUEST, NOW));
  assert.ok(after.isGenuine(during.assert(REQUEST, NOW), REQUEST, NOW));
  assert.equal(after.isGenuine(before.assert(REQUEST, NOW), REQUEST, NOW), false);
});

test('bytes beyond ASCII count as they are sent', () => {
  const { assert: sign, isGenuine } = createAssertions([KEY]);
  const userId = Buffer.from('jürgen@x.org', 'utf8').toString('latin1');
  const value = sign({ ...REQUEST, userId }, NOW);
  assert.ok(isGenuine(value, { ...REQUEST, userId }, NOW));
  assert.equal(isGenuine(value, { ...REQUEST, userId: 'jürgen@x.org' }, NOW), false);
});

test('keys come as a list, and a short one is none', () => {
  const text = `${'a'.repeat(43)}, ${'b'.repeat(43)}`;
  assert.deepEqual(
    parseAssertionKeys(text)?.map((key) => key.reveal()),
    ['a'.repeat(43), 'b'.repeat(43)],
  );
  assert.equal(parseAssertionKeys(`${'a'.repeat(43)},`), undefined);
  assert.equal(parseAssertionKeys('short'), undefined);
  assert.throws(() => createAssertions([]), TypeError);
});

test('the MAC is HMAC-SHA-256, whatever the length', () => {
  const { assert: sign } = createAssertions([KEY]);
  const key = Buffer.from(hkdfSync('sha256', KEY.reveal(), 'kfctl', 'identity assertion', 32));
  for (const length of [0, 1, 50, 63, 64, 4_000, 4_096, 4_097, 20_000, 3]) {
    const request = { ...REQUEST, path: `/${'p'.repeat(length)}`, userId: 'j\xfc\xff@x.org' };
    const text = `v1\n${NOW / 1000}\nGET\n${request.path}\n${request.userId}\n${request.groups}`;
    const mac = createHmac('sha256', key).update(text, 'latin1').digest('base64url');
    assert.equal(sign(request, NOW), `v1.${NOW / 1000}.${mac}`);
  }
});
