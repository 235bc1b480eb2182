import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areConstant, constantHeaders, renderHeaders } from './render-headers.ts';

test('headers become lines, repeated ones several, absent ones none', () => {
  const headers = { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'], 'max-age': 5, etag: undefined };
  assert.equal(
    renderHeaders(headers),
    'content-type: text/plain\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nmax-age: 5\r\n',
  );
});

test('constant headers stay as they were when they were made', () => {
  const made = { 'content-type': 'text/plain', 'set-cookie': ['a=1'] };
  const constant = constantHeaders(made);
  made['content-type'] = 'text/html';
  made['set-cookie'].push('b=2');
  assert.equal(renderHeaders(constant), 'content-type: text/plain\r\nset-cookie: a=1\r\n');
  assert.equal(renderHeaders(made), 'content-type: text/html\r\nset-cookie: a=1\r\nset-cookie: b=2\r\n');
  assert.deepEqual([areConstant(constant), areConstant(made)], [true, false]);
  assert.throws(() => constantHeaders({ location: 'a\r\nb' }), TypeError);
});

test('what the server says itself is left to it, in whatever spelling', () => {
  assert.equal(renderHeaders({ 'Content-Length': '5', connection: 'keep-alive', 'Transfer-Encoding': 'chunked' }), '');
});

test('no value and no name can be two lines', () => {
  for (const value of ['a\r\nset-cookie: b', 'a\nb', 'a\rb', 'a\0', 'é€'])
    assert.throws(() => renderHeaders({ location: value }), /location does not fit in a header/);
  assert.throws(() => renderHeaders({ 'set-cookie': ['a=1', 'b\r\nc: d'] }), TypeError);
  for (const name of ['a b', 'a:b', 'a\r\nb', '']) assert.throws(() => renderHeaders({ [name]: 'x' }), TypeError);
});
