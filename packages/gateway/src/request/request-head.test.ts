import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RawHead } from '@kfctl/http';
import { createFieldRules } from './field-rules.ts';
import { parseRequestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';

const rules = { fields: createFieldRules(['x-who', 'x-team-*']), escapedSlashes: 'reject' } as const;

function parse(fields: string[], more: Partial<RawHead> = {}): ReturnType<typeof parseRequestHead> {
  return parseRequestHead(
    {
      protocol: 'HTTP/1.1',
      method: 'GET',
      target: '/',
      authority: undefined,
      rawFields: ['Host', 'h', ...fields],
      ended: false,
      extendedProtocol: undefined,
      ...more,
    },
    rules,
  );
}

function good(fields: string[], more: Partial<RawHead> = {}): RequestHead {
  const head = parse(fields, more);
  if ('status' in head) assert.fail(`refused: ${head.detail}`);
  return head;
}

function refusal(fields: string[], more: Partial<RawHead> = {}): string | undefined {
  const head = parse(fields, more);
  return 'status' in head ? `${head.status} ${head.detail}` : undefined;
}

test('identity headers are dropped in every spelling', () => {
  const names = [
    'kubeflow-userid',
    'Kubeflow-UserID',
    'KUBEFLOW_USERID',
    'kubeflow_userid',
    'kubeflow.userid',
    'Kubeflow-Groups',
    'x-who',
    'X_Who',
    'X-Team-Name',
    'x_team_x',
    'Remote_User',
    'X-Forwarded-User',
    'X-Forwarded-Email',
    'x-auth-request-email',
    'x-goog-authenticated-user-email',
    'X-Envoy-Original-Path',
    'x_envoy_internal',
    'X-Forwarded-Client-Cert',
    'X-Original-URL',
    'X-HTTP-Method-Override',
    'X-Real-IP',
    'Forwarded',
    'X_Forwarded_For',
    'X_Forwarded_Proto',
    'Content_Length',
    'Transfer_Encoding',
    'Host_',
    'Authorization_',
  ];
  const kept = good([...names.slice(0, -2).flatMap((name) => [name, 'evil']), 'x-fine', '1']).fields;
  assert.deepEqual(kept, ['x-fine', '1']);
});

test('hop-by-hop headers and what Connection nominates stay behind', () => {
  const { fields } = good([
    'Connection',
    'keep-alive, X-Drop , Cookie2',
    'X-Drop',
    '1',
    'Keep-Alive',
    '5',
    'Proxy-Connection',
    'x',
    'TE',
    'gzip',
    'Trailer',
    'x',
    'Upgrade',
    'h2c',
    'HTTP2-Settings',
    'AAA',
    'Cookie2',
    '1',
    'A',
    'b',
  ]);
  assert.deepEqual(fields, ['a', 'b']);
});

test('cookies of HTTP/2 are joined into one', () => {
  const { fields } = good(['cookie', 'a=1', 'cookie', 'b=2'], { protocol: 'HTTP/2', authority: 'h', ended: true });
  assert.deepEqual(fields, ['cookie', 'a=1; b=2']);
});

test('two statements about the length are refused', () => {
  assert.equal(refusal(['Content-Length', '1', 'Transfer-Encoding', 'chunked']), '400 transfer-encoding');
  assert.equal(refusal(['Content-Length', '1', 'Content-Length', '1']), '400 content-length');
  assert.equal(refusal(['Transfer-Encoding', 'gzip, chunked']), '400 transfer-encoding');
  assert.equal(refusal(['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'identity']), '400 transfer-encoding');
  assert.equal(refusal(['Transfer-Encoding', 'chunked'], { protocol: 'HTTP/1.0' }), '400 transfer-encoding');
  assert.equal(
    refusal(['Transfer-Encoding', 'chunked'], { protocol: 'HTTP/2', authority: 'h' }),
    '400 transfer-encoding',
  );
  for (const length of ['-1', '+1', '1, 1', '0x1', ' 1', '1e3', ''])
    assert.equal(refusal(['Content-Length', length]), '400 content-length', length);
});

test('the host is one plain name', () => {
  assert.equal(refusal(['Host', 'h']), '400 host');
  for (const host of ['a b', 'a/b', 'user@h', 'h:', 'h:x', '[::1', 'a,b', '', 'h#x', 'a'.repeat(300)]) {
    assert.equal(refusal([], { rawFields: ['Host', host] }), '400 host', host);
  }
  assert.equal(
    refusal(['host', 'other'], { protocol: 'HTTP/2', authority: 'h', rawFields: ['host', 'other'] }),
    '400 host',
  );
  assert.equal(good([], { rawFields: ['Host', 'EXAMPLE.com.:8443'] }).host, 'example.com');
  assert.equal(good([], { rawFields: ['Host', '[::1]:8443'] }).host, '[::1]');
});

test('an absolute target names the host', () => {
  const head = good([], { target: 'https://Real.example/a/../b?c' });
  assert.deepEqual([head.authority, head.path, head.query], ['real.example', '/b', '?c']);
  for (const target of ['https://u@h/', 'ftp://h/', 'https:///x', '//h/x:', 'http://h']) {
    const result = parse([], { target });
    if (target === 'http://h') assert.equal('path' in result && result.path, '/');
    else if (target.startsWith('//')) assert.equal('path' in result && result.path, '/h/x:');
    else assert.ok('status' in result, target);
  }
});

test('only known upgrades and expectations pass', () => {
  const upgrade = ['Connection', 'keep-alive, Upgrade', 'Upgrade', 'WebSocket'];
  assert.equal(good(upgrade).webSocket, true);
  assert.equal(good(['Upgrade', 'websocket']).webSocket, false);
  assert.equal(good(['Connection', 'Upgrade', 'Upgrade', 'h2c']).webSocket, false);
  assert.equal(good(upgrade, { method: 'POST' }).webSocket, false);
  assert.equal(refusal([...upgrade, 'Content-Length', '5']), '400 websocket with body');
  assert.equal(refusal(['Expect', 'the-unexpected']), '417 expect');
  assert.equal(good(['Expect', '100-Continue', 'Content-Length', '5'], { method: 'POST' }).expectsContinue, true);
});

test('methods are plain words, and neither TRACE nor CONNECT', () => {
  for (const method of ['TRACE', 'CONNECT']) assert.equal(refusal([], { method }), '405 method');
  for (const method of ['get', 'G T', 'GET\n', '', 'A'.repeat(40)]) assert.equal(refusal([], { method }), '400 method');
  for (const method of ['PROPFIND', 'M-SEARCH', 'OPTIONS']) assert.equal(good([], { method }).method, method);
  assert.equal(
    good([], { method: 'CONNECT', protocol: 'HTTP/2', authority: 'h', extendedProtocol: 'websocket', rawFields: [] })
      .webSocket,
    true,
  );
});

test('headers are bounded in number and size, and have no control characters', () => {
  assert.equal(refusal(Array.from({ length: 101 }, () => ['a', 'b']).flat()), '431 too many headers');
  assert.equal(refusal(['a', 'x'.repeat(70_000)]), '431 headers too large');
  for (const value of ['a\0b', 'a\rb', 'a\nb', '\x7f', '\x1b[0m'])
    assert.equal(refusal(['a', value]), '400 header value');
});

test('two Authorization headers are refused', () => {
  assert.equal(refusal(['Authorization', 'Bearer a', 'authorization', 'Bearer b']), '400 authorization');
});
