/** Checks that nothing a client sends, in whatever order, breaks more than its own connection. A failure names the seed that repeats it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { END_STREAM, FRAME, frame, headerBlock, PREFACE, settings } from '../../../testkit/src/http2-wire.ts';
import type { Downstream } from '../connection/downstream.ts';
import { data, GET, head, number, POST, startHttp2Rig, to } from './rig.ts';

/** Connections of this run; longer suites set FUZZ_ROUNDS, and FUZZ_SEED repeats a run. */
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 300);
const firstSeed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const FRAMES = 60;

type Random = (below: number) => number;

/** mulberry32: small, and the same everywhere. */
function createRandom(start: number): Random {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const bytesOf = (random: Random, length: number): Buffer => Buffer.from(Array.from({ length }, () => random(256)));
const PATHS = ['/echo', '/hang', '/now', '/cut', '/big'];

/** Frames as clients send them, in any order, and among them so many of a hundred that nobody should send. */
function makeFrames(random: Random, nonsense: number): Buffer[] {
  let last = -1;
  const known = (): number => Math.max(1, last - 2 * random(6));
  const request = (): Buffer => {
    last += 2;
    const method = random(2) === 0 ? POST : GET;
    return head(last, to(PATHS[random(PATHS.length)] ?? '/', method), random(2));
  };
  const one = (): Buffer => {
    if (last < 0) return request();
    if (random(100) < nonsense) return makeNonsense(random, random(4) === 0 ? random(50) : known());
    return random(3) === 0 ? request() : makeUsual(random, known());
  };
  return Array.from({ length: 1 + random(FRAMES) }, one);
}

function makeUsual(random: Random, stream: number): Buffer {
  switch (random(9)) {
    case 0:
    case 1:
    case 2:
      return data(stream, bytesOf(random, random(2_000)), random(4) === 0 ? END_STREAM : 0);
    case 3:
      return number(FRAME.windowUpdate, random(2) === 0 ? 0 : stream, 1 + random(70_000));
    case 4:
      return number(FRAME.reset, stream, random(14));
    case 5:
      return settings([[4, random(100_000)]]);
    case 6:
      return frame({ type: FRAME.ping, flags: random(2), stream: 0 }, bytesOf(random, 8));
    case 7:
      return frame({ type: FRAME.priority, flags: 0, stream }, Buffer.alloc(5));
    default:
      return head(stream, [['x-sum', '1']], END_STREAM);
  }
}

function makeNonsense(random: Random, stream: number): Buffer {
  switch (random(6)) {
    case 0:
      return frame({ type: FRAME.headers, flags: random(2), stream }, headerBlock(GET).subarray(0, random(30)));
    case 1:
      return frame({ type: FRAME.continuation, flags: random(2) * 4, stream }, bytesOf(random, random(20)));
    case 2:
      return frame({ type: FRAME.headers, flags: random(64), stream }, bytesOf(random, random(40)));
    case 3:
      return frame({ type: FRAME.data, flags: 8 | random(2), stream }, bytesOf(random, random(300)));
    case 4:
      return settings([[random(9), random(2 ** 32)]]);
    default:
      return frame({ type: random(12), flags: random(256), stream }, bytesOf(random, random(30)));
  }
}

interface Account {
  begun: number;
  ended: number;
}

/** Serves as odd as clients ask; every request has one end. */
function serve(request: Downstream, account: Account): void {
  account.begun += 1;
  let isOver = false;
  const over = (): void => {
    assert.equal(isOver, false, 'a request ended twice');
    isOver = true;
    account.ended += 1;
  };
  let left = request.raw.target === '/big' ? 20 : 0;
  const fill = (): void => {
    while (left > 0) {
      left -= 1;
      if (!request.write(Buffer.alloc(30_000, 'x'))) return;
    }
    if (!isOver) over();
    request.end([]);
  };
  request.listener = { onDrain: request.raw.target === '/big' ? fill : () => void request.body.resume(), onGone: over };
  switch (request.raw.target) {
    case '/hang':
      return;
    case '/cut':
      request.sendHead(200, [], true);
      request.write(Buffer.from('half'));
      over();
      return request.abort();
    case '/big':
      request.sendHead(200, [], true);
      return fill();
    case '/echo':
      request.sendHead(200, [], true);
      request.body.on('data', (chunk: Buffer) => {
        if (!request.write(chunk)) request.body.pause();
      });
      return void request.body.on('end', () => {
        if (!isOver) over();
        request.end(['x-sum', '1']);
      });
    default:
      request.sendHead(204, [], false);
      over();
      return request.end([]);
  }
}

test('whatever frames come, each request has one end, and others are served', async (t) => {
  const account: Account = { begun: 0, ended: 0 };
  const rig = await startHttp2Rig(t, (request) => serve(request, account));
  for (let seed = firstSeed; seed < firstSeed + rounds; seed += 1) {
    const random = createRandom(seed);
    const peer = rig.open(Buffer.concat([PREFACE, settings()]));
    const all = Buffer.concat(makeFrames(random, [0, 2, 20][seed % 3] ?? 0));
    if (random(5) === 0) all[random(all.length)] = random(256);
    // In pieces of any size: what a frame means must not depend on where it is cut.
    for (let from = 0; from < all.length;) {
      const size = 1 + random(random(2) === 0 ? 40 : 5_000);
      peer.send(all.subarray(from, from + size));
      from += size;
      if (random(10) === 0) rig.advance(random(2_000));
    }
    await new Promise((resolve) => setImmediate(resolve));
    peer.socket.end();
    await peer.closed;
    await rig.empty();
    assert.equal(account.ended, account.begun, `seed ${seed}`);
  }
  t.diagnostic(`${account.begun} requests of ${rounds} connections, from seed ${firstSeed}`);
  const peer = rig.open();
  peer.request(1, to('/now'));
  assert.equal((await peer.answer(1)).status, '204');
});
