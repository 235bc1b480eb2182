/** Checks that ordinary clients are at home: curl in its many moods, and one that takes its time. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import { silentLogger } from '@kfctl/core';
import { createHttpServer } from './http-server.ts';
import type { HttpRequest, HttpResponse } from './message.ts';

const run = promisify(execFile);
const LARGE = Buffer.alloc(12_000_000, 'abcdefghij');

async function answer(request: HttpRequest): Promise<HttpResponse> {
  if (request.path === '/large') return { status: 200, body: LARGE };
  if (request.path === '/text') return { status: 200, body: 'jürgen' };
  if (request.path === '/unread') return { status: 403, body: 'no' };
  const body = await request.body();
  return { status: 200, headers: { 'x-method': request.method }, body: `${body.length}` };
}

async function start(t: TestContext): Promise<string> {
  const server = createHttpServer({ handler: answer, log: silentLogger, maxBodyBytes: 4_000_000 });
  const port = await server.listen(0, '127.0.0.1');
  t.after(() => server.close(0));
  return `http://127.0.0.1:${port}`;
}

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('curl', ['-sS', '--max-time', '20', ...args], { maxBuffer: 2 * LARGE.length });
  return stdout;
}

describe('curl', () => {
  const sent = 'x'.repeat(3_000_000);
  const cases: Readonly<Record<string, readonly [args: readonly string[], expected: RegExp]>> = {
    'speaks HTTP/1.0': [['-0', '-i', '/a'], /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n\r\n0$/],
    'asks for the head alone': [['-I', '/a'], /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 1\r\n[^]*\r\n\r\n$/],
    'would rather speak HTTP/2': [['--http2', '-i', '/a'], /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n0$/],
    'waits for 100 Continue': [
      ['-i', '-H', 'Expect: 100-continue', '--expect100-timeout', '15', '-d', 'hello', '/a'],
      /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n5$/,
    ],
    'is told no before it sends': [
      ['-i', '-H', 'Expect: 100-continue', '--expect100-timeout', '15', '-d', 'hello', '/unread'],
      /^HTTP\/1\.1 403 Forbidden\r\n[^]*connection: close\r\n\r\nno$/,
    ],
    'gets text in UTF-8': [['/text'], /^jürgen$/],
  };
  for (const [name, [args, expected]] of Object.entries(cases)) {
    test(name, async (t) => {
      const origin = await start(t);
      assert.match(await curl(...args.slice(0, -1), `${origin}${args.at(-1)}`), expected);
    });
  }

  test('uploads in chunks', async (t) => {
    const origin = await start(t);
    const uploading = run('curl', ['-sS', '--max-time', '20', '-T', '-', `${origin}/a`]);
    uploading.child.stdin?.end(sent);
    assert.equal((await uploading).stdout, String(sent.length));
  });

  test('asks again on the same connection', async (t) => {
    const origin = await start(t);
    const written = await curl(
      '-w',
      ' %{num_connects};',
      `${origin}/a`,
      `${origin}/text`,
      `${origin}/large`,
      `${origin}/a`,
    );
    assert.equal(written, `0 1;jürgen 0;${LARGE.toString('latin1')} 0;0 0;`);
  });
});

test('a large answer waits for a client that takes its time, and arrives whole', async (t) => {
  const origin = await start(t);
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  t.after(() => socket.destroy());
  socket.write('GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
  let size = 0;
  let pauses = 0;
  let head = '';
  socket.on('data', (chunk: Buffer) => {
    if (size === 0) head = chunk.toString('latin1', 0, 2_000);
    size += chunk.length;
    if (size < pauses * 1_000_000) return;
    pauses += 1;
    socket.pause();
    setTimeout(() => socket.resume(), 5);
  });
  await once(socket, 'close');
  assert.equal(size, head.indexOf('\r\n\r\n') + 4 + LARGE.length);
});
