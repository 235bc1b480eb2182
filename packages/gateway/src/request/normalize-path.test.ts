import assert from 'node:assert/strict';
import { test } from 'node:test';
import { normalizeTarget } from './normalize-path.ts';

const path = (target: string): string | undefined => normalizeTarget(target, 'reject')?.path;

test('ordinary paths stay as they are', () => {
  for (const target of [
    '/',
    '/a',
    '/a/',
    '/a/b.c',
    '/dex/auth',
    '/notebook/ns/n-1/lab/tree/x~1',
    "/a'b(c)*,+=:@!$&",
    '/a.b./c..d',
    '/...',
    '/a|b',
  ]) {
    assert.equal(path(target), target);
  }
});

test('the query is kept byte for byte', () => {
  assert.deepEqual(normalizeTarget('/a?x=/../%2f&y=%00{}|', 'reject'), { path: '/a', query: '?x=/../%2f&y=%00{}|' });
  assert.deepEqual(normalizeTarget('/a/../b?', 'reject'), { path: '/b', query: '?' });
});

test('dot segments, doubled slashes and needless escapes have one form', () => {
  const cases: Record<string, string> = {
    '/dex/../pipeline/': '/pipeline/',
    '/dex/%2e%2e/pipeline/': '/pipeline/',
    '/dex/.%2E/pipeline': '/pipeline',
    '/dex/./a': '/dex/a',
    '/a/.': '/a/',
    '/a/b/..': '/a/',
    '/../../etc/passwd': '/etc/passwd',
    '//evil.example/x': '/evil.example/x',
    '/a//b///c': '/a/b/c',
    '/%6bfam/': '/kfam/',
    '/a%2db%7e': '/a-b~',
    '/x%3ay%3b': '/x%3Ay%3B',
    '/%c3%a4': '/%C3%A4',
    '/..': '/',
  };
  for (const [target, expected] of Object.entries(cases)) assert.equal(path(target), expected, target);
});

test('normalising twice gives the same as once', () => {
  for (const target of ['/%2525', '/a%252e%252e/b', '/.%252e/', '/%25%32%65%25%32%65/x', '/a%2541']) {
    const once = path(target);
    assert.equal(path(once ?? ''), once, target);
  }
});

test('what has two readings is refused', () => {
  const targets = [
    '/dex/..%2fpipeline',
    '/dex%2f..%2fpipeline',
    '/a%5cb',
    '/a\\b',
    '/dex/..;/pipeline',
    '/dex/..;x=1/pipeline',
    '/dex/%2e%2e;/pipeline',
    '/dex/..%3b/pipeline',
    '/dex/.;/x',
    '/;/admin',
    '/a%00b',
    '/a%0d%0aX: y',
    '/a%7f',
    '/%c0%ae%c0%ae/x',
    '/%c0%af',
    '/%e0%80%af',
    '/%f0%80%80%af',
    '/%ff',
    '/%',
    '/%4',
    '/%zz',
    '/%u002e',
    '/a b',
    '/a#b',
    '/a?b#c',
    '/a\tb',
    '/\u00e4',
    '/a"b',
    '/<script>',
    '*',
    '',
    'a/b',
    'http:/x',
    `/${'a'.repeat(20_000)}`,
  ];
  for (const target of targets) assert.equal(path(target), undefined, JSON.stringify(target));
});

test('escaped slashes are kept or decoded only where the mesh configuration says so', () => {
  assert.equal(normalizeTarget('/a%2Fb', 'keep')?.path, '/a%2Fb');
  assert.equal(normalizeTarget('/a%2fb%5Cc', 'decode')?.path, '/a/b/c');
  assert.equal(normalizeTarget('/dex/..%2fpipeline', 'decode')?.path, '/pipeline');
  for (const target of ['/dex/..%2fx', '/dex%2f..%2fx', '/dex/%2e%2e%5cx', '/a%2f.', '/a%2f..;b']) {
    assert.equal(normalizeTarget(target, 'keep'), undefined, target);
  }
});
