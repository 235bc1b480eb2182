import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createCopyPool } from './copy-pool.ts';
import { Outgoing } from './outgoing.ts';

test('the pieces of one turn leave in one write, in their order', async (t) => {
  const { near, received } = await openPair(t);
  const written: unknown[] = [];
  const write = near.write.bind(near);
  near.write = (chunk: string, encoding?: BufferEncoding | ((error?: Error | null) => void)) => {
    written.push(chunk);
    return write(chunk, encoding as BufferEncoding);
  };
  const out = new Outgoing(near, createCopyPool());
  out.text('head ');
  const bytes = Buffer.from('body \xff', 'latin1');
  assert.equal(out.bytes('5 ', bytes, ' end'), true);
  bytes.fill(0);
  assert.deepEqual(written, []);
  assert.equal(await received(16), 'head 5 body \xff end');
  assert.deepEqual(written, ['head 5 body \xff end']);
});

for (const [name, copies] of [
  ['copied', createCopyPool()],
  ['kept', undefined],
] as const) {
  test(`long bytes, ${name}, do not overtake what was held, nor are they overtaken`, async (t) => {
    const { near, received } = await openPair(t);
    const out = new Outgoing(near, copies);
    out.text('a'.repeat(10_000));
    out.bytes('<', Buffer.alloc(200_000, 'b'), '>');
    out.text('c'.repeat(10_000));
    out.text('d'.repeat(10_000));
    const expected = `${'a'.repeat(10_000)}<${'b'.repeat(200_000)}>${'c'.repeat(10_000)}${'d'.repeat(10_000)}`;
    assert.equal(await received(expected.length), expected);
  });

  test(`a peer that takes nothing is waited for, bytes ${name}`, async (t) => {
    const { near, far } = await openPair(t);
    far.pause();
    const out = new Outgoing(near, copies);
    for (let pieces = 0; out.bytes('', Buffer.alloc(65_536), ''); pieces += 1) assert.ok(pieces < 1_000);
    assert.equal(out.bytes('', Buffer.from('short'), ''), false);
    far.resume();
    await once(near, 'drain');
    assert.equal(out.bytes('', Buffer.from('short'), ''), true);
  });
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** What the far side got, once it is that long. */
  received(length: number): Promise<string>;
}

async function openPair(t: TestContext): Promise<Pair> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    far.destroy();
    near.destroy();
    server.close();
  });
  let text = '';
  far.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk));
  return {
    near,
    far,
    async received(length) {
      while (text.length < length) await once(far, 'data');
      return text;
    },
  };
}
