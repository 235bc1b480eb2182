import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { giveOwnBytes, ownBytes, shareReads } from './shared-read-socket.ts';

interface Bed {
  readonly server: Server;
  open(): Promise<{ readonly far: Socket; readonly near: Socket; readonly accepted: Socket }>;
}

async function startBed(t: TestContext): Promise<Bed> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const open: Socket[] = [];
  t.after(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return {
    server,
    async open() {
      const far = connect((server.address() as AddressInfo).port, '127.0.0.1');
      const [accepted] = (await once(server, 'connection')) as [Socket];
      const near = shareReads(accepted);
      open.push(far, near);
      return { far, near, accepted };
    },
  };
}

const next = async (socket: Socket): Promise<Buffer> => ((await once(socket, 'data')) as [Buffer])[0];

test('all read into one buffer: what is to be kept is copied', async (t) => {
  const { open } = await startBed(t);
  const [one, other] = [await open(), await open()];
  one.far.write('first');
  const view = await next(one.near);
  assert.equal(view.byteOffset, 0);
  const own = ownBytes(one.near, view);
  other.far.write('other');
  assert.equal((await next(other.near)).buffer, view.buffer);
  assert.deepEqual([String(view), String(own)], ['other', 'first']);
});

test('a socket that gives bytes to keep can be paused and piped', async (t) => {
  const { open } = await startBed(t);
  const [one, other] = [await open(), await open()];
  giveOwnBytes(one.near);
  one.near.pause();
  one.far.write('a'.repeat(300_000));
  one.near.unshift('rest ');
  other.far.pause();
  one.near.pipe(other.near);
  one.far.end();
  let text = '';
  other.far.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  other.far.resume();
  await once(other.far, 'end');
  assert.equal(text, `rest ${'a'.repeat(300_000)}`);
});

test('a client that ends its side may still be answered', async (t) => {
  const { open } = await startBed(t);
  const { far, near } = await open();
  near.resume();
  far.end();
  await once(near, 'end');
  near.end('answer');
  assert.equal(String(await next(far)), 'answer');
});

test('the server counts a connection until it is closed, and closing what was accepted closes it', async (t) => {
  const { server, open } = await startBed(t);
  const count = (): Promise<number> =>
    new Promise((resolve) => server.getConnections((_error, connections) => resolve(connections)));
  const { far, near } = await open();
  assert.equal(await count(), 1);
  near.resume();
  far.destroy();
  await Promise.all([once(near, 'end'), near.end()]);
  await once(near, 'close');
  assert.equal(await count(), 0);
  const second = await open();
  second.accepted.destroy();
  await once(second.near, 'close');
  assert.equal(await count(), 0);
});
