import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPathMatcher, isPlainPath } from './plain-path.ts';
import { safeReturnPath } from './return-path.ts';

test('an exception covers its path and what lies below, in whole segments', () => {
  const isExempt = createPathMatcher(['/dex', '/public/files/']);
  for (const path of ['/dex', '/dex/', '/dex/auth', '/dex/.well-known/openid-configuration', '/public/files/a%20b']) {
    assert.equal(isExempt(path), true, path);
  }
  for (const path of ['/', '/dexter', '/DEX/auth', '/de', '/public', '/public/files.txt', 'dex/auth', '//dex/auth']) {
    assert.equal(isExempt(path), false, path);
  }
});

test('no spelling of a path escapes from below an exception', () => {
  const isExempt = createPathMatcher(['/dex']);
  for (const tail of [
    '/../pipeline/',
    '/..',
    '/.',
    '/./x',
    '/%2e%2e/pipeline',
    '/%2E%2E%2Fpipeline',
    '/.%2e/x',
    '/..%2fpipeline',
    '/..%5cpipeline',
    '/..\\pipeline',
    '/..;/pipeline',
    '/..;x=1/pipeline',
    ';/../pipeline',
    '/%3b/../x',
    '/%252e%252e/pipeline',
    '//pipeline',
    '/x//..//..//pipeline',
    '/%00',
    '/\u0000',
    '/%c0%ae%c0%ae/pipeline',
    '/%e0%80%ae/x',
    '/%ff',
    '/%u002e/x',
    '/%',
    '/%2',
    '/#/../x',
    '/%23/x',
    '/%3f/x',
    '/ x',
    '/\tx',
    '/é',
    '/%64ex',
    '/.../x',
  ]) {
    assert.equal(isExempt(`/dex${tail}`), false, tail);
  }
});

test('a plain path may carry escapes that mean themselves', () => {
  for (const path of ['/', '/a', '/a/', '/a%20b', '/caf%C3%A9', '/a%2Bb', '/user@example.com', '/a..b/.c']) {
    assert.equal(isPlainPath(path), true, path);
  }
  assert.equal(isPlainPath(''), false);
  assert.equal(isPlainPath('*'), false);
});

test('returns to paths of the same origin', () => {
  for (const target of [
    '/',
    '/redirect',
    '/_/notebooks?ns=kubeflow-a&x=%20y',
    '/pipeline/#',
    '/a?next=https://example.com/b//c',
    '/lab/tree/a%2Fb.ipynb',
    '/a?q="x"',
    // oauth2-proxy#3404: an address inside of a query leads nowhere.
    '/?error_description=https://docs.example.com/why',
    '/a?rd=//evil.example',
    '/a?x=/../..',
  ]) {
    assert.equal(safeReturnPath(target), target.includes('#') ? undefined : target, target);
  }
});

// The classes of GHSA-qqxw-m5fj-f7gv, GHSA-j7px-6hwj-hpjg, GHSA-5m6c-jp6f-2vcv and of public open redirect collections.
const HOSTILE = [
  '',
  'evil.example',
  'https://evil.example',
  'http:evil.example',
  'https:///evil.example',
  '//evil.example',
  '///evil.example',
  '////evil.example/%2f%2e%2e',
  '/\\evil.example',
  '/ /evil.example',
  '/ \\evil.example',
  '/\t/evil.example',
  '/\t\\evil.example',
  '/\t/\t\\evil.example',
  '/\t\t\\\t/evil.example',
  '/\v/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '/\r\nset-cookie: a=b',
  '/./\\evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/./../../\\evil.example',
  '/foo/..//evil.example',
  '/foo/../..//evil.example',
  '/%09/evil.example',
  '/%5cevil.example',
  '/%5Cevil.example',
  '/%2f%2fevil.example',
  '/%2fevil.example',
  '/foo%2f%2fevil.example',
  '/%0d%0aset-cookie:a',
  '/%20/evil.example',
  '/https:/%5cevil.example/',
  '/;//evil.example',
  '/;@evil.example//',
  '/@//evil.example',
  '/〱evil.example',
  '/redirect?url=/\\/evil.example&next=x',
  'http:evil.example@kubeflow.test',
  'http://3627734734/',
  '//3627734734/',
  '//0xd8.0x3a.0xd6.0xce/',
  '//[::ffff:216.58.214.206]/',
  '//kubeflow.test@evil.example/',
  '//evil%E3%80%82example/',
  '//evil。example/',
  '/%2f%5cevil.example',
  '/\t/\\evil.example',
  'javascript:alert(1)',
  'java%09script:alert(1)',
  '/#//evil.example',
  '/x\u0000y',
  `/${'x'.repeat(2_000)}`,
];

test('never returns to anywhere else', () => {
  for (const target of HOSTILE) assert.equal(safeReturnPath(target), undefined, JSON.stringify(target));
});

test('never returns to any host, behind whatever opens an address', () => {
  const openers = [
    '',
    '//',
    '///',
    '/\\',
    '\\\\',
    '\\/',
    '/\t/',
    '/\n/',
    '/\r/',
    '/\v/',
    '/\f/',
    '/ /',
    '/\u00a0/',
    '/\u2028/',
    '/.//',
  ]
    .concat(['/..//', '/./\\', '/%09/', '/%0a/', '/%0d/', '/%5c', '/%2f', '/%2F%2F', '/%20//', '/;//', '/@//', '/:// '])
    .concat([
      'http:',
      'http:/',
      'http://',
      'HTTPS://',
      'https:\\\\',
      'ht\ttp://',
      ' //',
      '\t//',
      '\u0000//',
      'x:',
      'data:text/html,',
      'blob:',
    ]);
  const hosts = [
    'evil.example',
    'kubeflow.test@evil.example',
    'kubeflow.test.evil.example',
    'evil.example:443',
    '3627734734',
    '0330.072.0326.0316',
  ]
    .concat([
      '0xd83ad6ce',
      '[::ffff:216.58.214.206]',
      'evil%E3%80%82example',
      'evil。example',
      'ｅvil.example',
      '〱evil.example',
      'xn--evl-rza.example',
      '%65vil.example',
    ])
    .concat([
      'evil.example/%2f%2e%2e',
      'evil.example?kubeflow.test',
      'evil.example#kubeflow.test',
      'evil.example\\@kubeflow.test',
    ]);
  for (const opener of openers)
    for (const host of hosts) assert.equal(safeReturnPath(opener + host), undefined, JSON.stringify(opener + host));
});

test('whatever it accepts stays on the origin in a browser, decoded or not', () => {
  const pieces = [
    '/',
    '\\',
    '.',
    '..',
    '%2f',
    '%5c',
    '%2e',
    '%09',
    ';',
    '@',
    ':',
    'a',
    '?',
    '%25',
    'evil.example',
    '//',
  ];
  let seed = 1;
  const next = (limit: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % limit;
  };
  for (let round = 0; round < 20_000; round += 1) {
    const target = `/${Array.from({ length: 1 + next(6) }, () => pieces[next(pieces.length)]).join('')}`;
    const accepted = safeReturnPath(target);
    if (accepted === undefined) continue;
    for (const reading of [accepted, accepted.replaceAll('%2f', '/').replaceAll('%5c', '\\')]) {
      assert.equal(new URL(reading, 'https://origin.invalid').host, 'origin.invalid', reading);
    }
  }
});
