import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFieldNames } from '@kfctl/http';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';

interface Parsed {
  readonly problem: string | undefined;
  readonly head: ResponseHead | undefined;
  readonly body: string;
  readonly trailers: readonly string[] | undefined;
}

/** Parses a text in pieces of `size` bytes, then ends the stream when asked to. */
function parse(text: string, options: { method?: string; size?: number; ends?: boolean } = {}): Parsed {
  const parser = new ResponseParser(createFieldNames());
  let head: ResponseHead | undefined;
  let body = '';
  let trailers: readonly string[] | undefined;
  parser.start(options.method ?? 'GET', {
    onHead: (received) => void (head = received),
    onBody: (chunk) => void (body += chunk.toString('latin1')),
    onEnd: (received) => void (trailers = received),
  });
  const bytes = Buffer.from(text, 'latin1');
  const size = options.size ?? bytes.length;
  let problem: string | undefined;
  for (let start = 0; start < bytes.length && problem === undefined; start += size) {
    problem = parser.push(bytes.subarray(start, start + size));
  }
  if (options.ends === true) problem ??= parser.end();
  return { problem, head, body, trailers };
}

describe('a response', () => {
  test('is the same however its bytes are cut', () => {
    const text =
      'HTTP/1.1 200 OK\r\nA: b \r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n';
    for (let size = 1; size <= text.length; size += 1) {
      const { problem, head, body, trailers } = parse(text, { size });
      assert.equal(problem, undefined);
      assert.deepEqual(head?.fields, ['a', 'b']);
      assert.equal(body, 'hello!');
      assert.deepEqual(trailers, ['x-sum', '1']);
    }
  });

  test('ends with its content-length, and what follows is an error', () => {
    assert.deepEqual(parse('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab').body, 'ab');
    assert.equal(
      parse('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n').problem,
      'bytes beyond the response',
    );
    assert.equal(parse('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab', { ends: true }).problem, 'response cut short');
  });

  test('without length ends with the connection', () => {
    const { problem, body, head, trailers } = parse('HTTP/1.1 200 OK\r\n\r\nabc', { ends: true });
    assert.deepEqual([problem, body, head?.keepAlive, trailers], [undefined, 'abc', false, []]);
  });

  test('to HEAD, 204 and 304 has no body whatever its headers say', () => {
    assert.equal(parse('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { method: 'HEAD' }).trailers?.length, 0);
    assert.equal(parse('HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n').trailers?.length, 0);
    assert.equal(parse('HTTP/1.1 204 No Content\r\n\r\nx').problem, 'bytes beyond the response');
  });

  test('may be preceded by a few informational ones', () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
    assert.equal(
      parse(`${early}HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n`).head?.status,
      200,
    );
    assert.equal(parse(early.repeat(9)).problem, 'too many informational responses');
  });

  test('keeps the connection unless one side says otherwise', () => {
    const keepAlive = (lines: string): boolean | undefined =>
      parse(`${lines}\r\ncontent-length: 0\r\n\r\n`).head?.keepAlive;
    assert.equal(keepAlive('HTTP/1.1 200 OK'), true);
    assert.equal(keepAlive('HTTP/1.1 200 OK\r\nConnection: x, Close'), false);
    assert.equal(keepAlive('HTTP/1.0 200 OK'), false);
    assert.equal(keepAlive('HTTP/1.0 200 OK\r\nConnection: keep-alive'), true);
  });

  test('with hop-by-hop headers loses them', () => {
    const { head } = parse(
      'HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nB: c\r\ncontent-length: 0\r\n\r\n',
    );
    assert.deepEqual(head?.fields, ['b', 'c', 'content-length', '0']);
    assert.equal(head?.keepAliveMs, 5000);
  });
});

describe('a response is refused', () => {
  const heads: Record<string, string> = {
    'that is no HTTP/1': 'HTTP/2 200\r\n\r\n',
    'with a status of four digits': 'HTTP/1.1 2000 OK\r\n\r\n',
    'with two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'with a list of lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na',
    'with a signed length': 'HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na',
    'with length and encoding': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'with two encodings': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    'with an unknown encoding': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n',
    'with chunks in HTTP/1.0': 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    'with a bare line feed': 'HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n',
    'with a bare carriage return': 'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n',
    'with a NUL': 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n',
    'with a folded line': 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n',
    'with a space before the colon': 'HTTP/1.1 200 OK\r\nContent-Length : 1\r\n\r\na',
    'with a nameless header': 'HTTP/1.1 200 OK\r\n: b\r\n\r\n',
    'with a chunk size that is no number': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n',
    'with a chunk size beyond bounds': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1ffffffff\r\na\r\n',
    'with a chunk that does not end': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
    'with a length in its trailers':
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 1\r\n\r\n',
    'with an endless head': `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(70_000)}`,
    'with too many headers': `HTTP/1.1 200 OK\r\n${'A: b\r\n'.repeat(300)}\r\n`,
    'with an endless chunk line': `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(300)}`,
  };
  for (const [name, text] of Object.entries(heads)) {
    test(name, () => {
      assert.equal(typeof parse(text).problem, 'string');
      assert.equal(typeof parse(text, { size: 1 }).problem, 'string');
    });
  }
});
