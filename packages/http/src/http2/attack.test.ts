import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  ACK,
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PADDED,
  PREFACE,
  PRIORITY,
  settings,
} from '../../../testkit/src/http2-wire.ts';
import type { Downstream } from '../connection/downstream.ts';
import { CONNECTION_WINDOW, MAX_STREAMS } from './incoming-frames.ts';
import { CODE } from './protocol.ts';
import { STREAM_WINDOW } from './request-body.ts';
import { data, GET, head, HEAD_TIMEOUT_MS, IDLE_MS, number, POST, startHttp2Rig, to } from './rig.ts';
import type { Fields, Http2Rig } from './rig.ts';

/** Of requests to /hang, which nobody answers. */
interface Hanging {
  readonly requests: Downstream[];
  gone: number;
}

async function start(t: TestContext): Promise<Http2Rig & { hanging: Hanging }> {
  const hanging: Hanging = { requests: [], gone: 0 };
  const rig = await startHttp2Rig(t, (request) => {
    if (request.raw.target === '/hang') {
      hanging.requests.push(request);
      request.listener = { onDrain: () => undefined, onGone: () => void (hanging.gone += 1) };
      return;
    }
    request.body.resume();
    const size = /^\/big\?(\d+)$/.exec(request.raw.target)?.[1];
    request.sendHead(200, [], true);
    request.write(size === undefined ? Buffer.from('ok') : Buffer.alloc(Number(size), 'x'));
    request.end([]);
  });
  return { ...rig, hanging };
}

const ping = (flags = 0): Buffer => frame({ type: FRAME.ping, flags, stream: 0 }, Buffer.alloc(8));
const windowUpdate = (stream: number, bytes: number): Buffer => number(FRAME.windowUpdate, stream, bytes);
const settingsAck = (): Buffer => frame({ type: FRAME.settings, flags: ACK, stream: 0 });
const reset = (stream: number): Buffer => number(FRAME.reset, stream, CODE.cancel);
const priority = (stream: number, on: number, size = 5): Buffer => {
  const payload = Buffer.alloc(size);
  if (size >= 4) payload.writeUInt32BE(on);
  return frame({ type: FRAME.priority, flags: 0, stream }, payload);
};
const block = (stream: number, type: number, flags: number, bytes: Buffer): Buffer =>
  frame({ type, flags, stream }, bytes);
const unfinished = (stream = 1): Buffer => block(stream, FRAME.headers, END_STREAM, headerBlock(GET));
const oversized = (): Buffer => Buffer.concat([Buffer.from([0, 0x40, 1, 0, 0, 0, 0, 0, 1]), Buffer.alloc(16_385)]);
const flags = (bytes: Buffer, value: number): Buffer => {
  bytes[4] = value;
  return bytes;
};

describe('a connection ends, and says why, when its client', () => {
  const cases: Readonly<Record<string, readonly [code: number, ...bytes: readonly Buffer[]]>> = {
    'sends frames before its settings': [CODE.protocol, ping()],
    'acknowledges settings with more settings': [CODE.frameSize, flags(settings([[3, 1]]), ACK)],
    'sends half a setting': [CODE.frameSize, frame({ type: FRAME.settings, flags: 0, stream: 0 }, Buffer.alloc(5))],
    'sends settings of a stream': [CODE.protocol, frame({ type: FRAME.settings, flags: 0, stream: 1 })],
    'wants to be pushed to more than once': [CODE.protocol, settings([[2, 2]])],
    'sets a window beyond all windows': [CODE.flowControl, settings([[4, 2 ** 31]])],
    'sets frames smaller than the smallest': [CODE.protocol, settings([[5, 16_383]])],
    'sets frames larger than the largest': [CODE.protocol, settings([[5, 2 ** 24]])],
    'sends a frame larger than agreed': [CODE.frameSize, oversized()],
    'sends data of no stream': [CODE.protocol, data(0, 'x')],
    'sends data of a stream that it has not opened': [CODE.protocol, data(1, 'x')],
    'sends more padding than frame': [
      CODE.protocol,
      head(1, POST, 0),
      block(1, FRAME.data, PADDED, Buffer.from([9, 1])),
    ],
    'sends padding that is not there': [CODE.protocol, head(1, POST, 0), block(1, FRAME.data, PADDED, Buffer.alloc(0))],
    'opens stream 0': [CODE.protocol, head(0, GET)],
    'opens a stream with an even number': [CODE.protocol, head(2, GET)],
    'opens streams backwards': [CODE.protocol, head(5, GET), head(3, GET)],
    'uses a stream again that has ended': [CODE.streamClosed, head(1, GET), head(1, GET)],
    'sends data on a stream that has ended': [CODE.streamClosed, head(1, GET), data(1, 'x')],
    'sends a head that is padding': [
      CODE.protocol,
      block(1, FRAME.headers, PADDED | END_HEADERS, Buffer.from([200, 1])),
    ],
    'has a priority cut off': [CODE.frameSize, block(1, FRAME.headers, PRIORITY | END_HEADERS, Buffer.alloc(4))],
    'has a stream depend on itself': [CODE.protocol, priority(3, 3)],
    'gives no stream a priority': [CODE.protocol, priority(0, 3)],
    'sends half a priority': [CODE.frameSize, priority(3, 1, 4)],
    'sends something else within a head': [CODE.protocol, unfinished(), ping()],
    'goes on with the head of another stream': [
      CODE.protocol,
      unfinished(),
      block(3, FRAME.continuation, 4, Buffer.from([0x82])),
    ],
    'goes on with no head': [CODE.protocol, block(1, FRAME.continuation, END_HEADERS, Buffer.from([0x82]))],
    'sends what is no header block': [
      CODE.compression,
      block(1, FRAME.headers, END_HEADERS, Buffer.from([0xff, 0xff])),
    ],
    'sets its table beyond what was agreed on': [
      CODE.compression,
      block(1, FRAME.headers, 5, Buffer.from([0x3f, 0xe2, 0x1f])),
    ],
    'resets no stream': [CODE.protocol, reset(0)],
    'resets a stream that it has not opened': [CODE.protocol, reset(1)],
    'sends half a reset': [CODE.frameSize, frame({ type: FRAME.reset, flags: 0, stream: 1 }, Buffer.alloc(3))],
    pushes: [CODE.protocol, frame({ type: FRAME.pushPromise, flags: 4, stream: 1 }, Buffer.alloc(4))],
    'pings a stream': [CODE.protocol, frame({ type: FRAME.ping, flags: 0, stream: 1 }, Buffer.alloc(8))],
    'sends half a ping': [CODE.frameSize, frame({ type: FRAME.ping, flags: 0, stream: 0 }, Buffer.alloc(4))],
    'says goodbye to a stream': [CODE.protocol, frame({ type: FRAME.goaway, flags: 0, stream: 1 }, Buffer.alloc(8))],
    'opens a window by nothing': [CODE.protocol, windowUpdate(0, 0)],
    'opens a window beyond all windows': [CODE.flowControl, windowUpdate(0, 2 ** 31 - 1)],
    'opens the window of a stream that there is not': [CODE.protocol, windowUpdate(1, 1)],
    'opens half a window': [CODE.frameSize, frame({ type: FRAME.windowUpdate, flags: 0, stream: 0 }, Buffer.alloc(3))],
    'moves all windows beyond the largest': [
      CODE.flowControl,
      head(1, to('/hang')),
      windowUpdate(1, 2 ** 31 - 1 - 65_535),
      settings([[4, 65_536]]),
    ],
  };
  for (const [name, [code, ...bytes]] of Object.entries(cases)) {
    test(name, async (t) => {
      const rig = await start(t);
      const isFirst = name === 'sends frames before its settings';
      const peer = rig.open(Buffer.concat([PREFACE, ...(isFirst ? [] : [settings()]), ...bytes]));
      assert.equal(await peer.goawayCode(), code);
      await peer.closed;
      await rig.empty();
    });
  }

  test('speaks something else', async (t) => {
    const rig = await start(t);
    for (const text of ['GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\rx', '\x16\x03\x01'])
      assert.equal(await rig.open(Buffer.from(text, 'latin1')).goawayCode(), CODE.protocol);
    assert.deepEqual(rig.seen, []);
  });
});

describe('a stream is reset, and the others go on, when its client', () => {
  const field = (name: string, value: string): Fields => [...GET, [name, value]];
  const cases: Readonly<Record<string, readonly [code: number, ...bytes: readonly Buffer[]]>> = {
    'names a field in capitals': [CODE.protocol, head(1, field('X-Name', '1'))],
    'names a field with a colon': [CODE.protocol, head(1, field('a:b', '1'))],
    'names a field with nothing': [CODE.protocol, head(1, field('', '1'))],
    'sends a field of the connection': [CODE.protocol, head(1, field('connection', 'close'))],
    'sends transfer-encoding': [CODE.protocol, head(1, field('transfer-encoding', 'chunked'))],
    'wants an upgrade': [CODE.protocol, head(1, field('upgrade', 'websocket'))],
    'takes other transfer codings than trailers': [CODE.protocol, head(1, field('te', 'gzip'))],
    'ends a line within a value': [CODE.protocol, head(1, field('x', 'a\r\nb: c'))],
    'sends a zero byte': [CODE.protocol, head(1, field('x', 'a\0'))],
    'sends blanks around a value': [CODE.protocol, head(1, field('x', ' a'))],
    'sends two lengths': [CODE.protocol, head(1, [...POST, ['content-length', '1'], ['content-length', '1']], 0)],
    'sends a length that is none': [CODE.protocol, head(1, [...POST, ['content-length', '+1']], 0)],
    'says more than there is': [
      CODE.protocol,
      head(1, [...POST, ['content-length', '5']], 0),
      data(1, 'four', END_STREAM),
    ],
    'says less than there is': [CODE.protocol, head(1, [...POST, ['content-length', '3']], 0), data(1, 'four')],
    'says that there is something, and ends': [CODE.protocol, head(1, [...POST, ['content-length', '3']])],
    'leaves out the method': [CODE.protocol, head(1, GET.slice(1))],
    'leaves out the scheme': [
      CODE.protocol,
      head(
        1,
        GET.filter(([name]) => name !== ':scheme'),
      ),
    ],
    'leaves out the path': [CODE.protocol, head(1, GET.slice(0, 3))],
    'sends an empty path': [CODE.protocol, head(1, to(''))],
    'sends a whole URL for a path': [CODE.protocol, head(1, to('https://other/'))],
    'sends two paths': [CODE.protocol, head(1, field(':path', '/other'))],
    'sends a pseudo field after the others': [CODE.protocol, head(1, [...GET.slice(0, 3), ['a', 'b'], [':path', '/']])],
    'sends a pseudo field that there is not': [CODE.protocol, head(1, field(':user', 'root'))],
    'sends one of answers': [CODE.protocol, head(1, field(':status', '200'))],
    'asks for another protocol without CONNECT': [CODE.protocol, head(1, field(':protocol', 'websocket'))],
    'connects to nowhere': [CODE.protocol, head(1, [[':method', 'CONNECT']])],
    'connects with a path': [CODE.protocol, head(1, [[':method', 'CONNECT'], ...GET.slice(1)])],
    'sends trailers that end nothing': [CODE.protocol, head(1, POST, 0), head(1, [['a', 'b']], 0)],
    'sends a pseudo field in trailers': [CODE.protocol, head(1, POST, 0), head(1, [[':path', '/']])],
    'sends a length in trailers': [CODE.protocol, head(1, to('/hang', POST), 0), head(1, [['content-length', '0']])],
    'sends a host in trailers': [CODE.protocol, head(1, to('/hang', POST), 0), head(1, [['host', 'other']])],
    'sends data after the end': [CODE.streamClosed, head(1, to('/hang')), data(1, 'x')],
    'sends a head after the end': [CODE.streamClosed, head(1, to('/hang')), head(1, [['a', 'b']])],
    'opens its window by nothing': [CODE.protocol, head(1, to('/hang')), windowUpdate(1, 0)],
    'opens its window beyond all windows': [CODE.flowControl, head(1, to('/hang')), windowUpdate(1, 2 ** 31 - 1)],
  };
  for (const [name, [code, ...bytes]] of Object.entries(cases)) {
    test(name, async (t) => {
      const rig = await start(t);
      const peer = rig.open();
      peer.send(...bytes);
      assert.equal(await peer.resetCode(1), code);
      peer.request(3, GET);
      assert.equal((await peer.answer(3)).text, 'ok');
      assert.equal(rig.hanging.gone, rig.hanging.requests.length);
    });
  }

  test('sends more than its window lets it', async (t) => {
    const rig = await start(t);
    const peer = rig.open();
    peer.request(1, to('/hang', POST), 0);
    const full = data(1, Buffer.alloc(16_384));
    for (let sent = 0; sent <= STREAM_WINDOW; sent += 16_384) peer.send(full);
    assert.equal(await peer.resetCode(1), CODE.flowControl);
    peer.request(3, GET);
    assert.equal((await peer.answer(3)).text, 'ok');
  });

  test('opens more streams than it may', async (t) => {
    const rig = await start(t);
    const peer = rig.open();
    for (let index = 0; index <= MAX_STREAMS; index += 1) peer.request(index * 2 + 1, to('/hang'));
    assert.equal(await peer.resetCode(MAX_STREAMS * 2 + 1), CODE.refused);
    assert.equal(rig.hanging.requests.length, MAX_STREAMS);
  });
});

test('what was on its way when a stream was reset harms nobody', async (t) => {
  const rig = await start(t);
  const peer = rig.open();
  peer.send(
    head(1, [...POST, ['content-length', '1']], 0),
    data(1, 'xx'),
    data(1, 'x'),
    head(1, [['a', 'b']]),
    windowUpdate(1, 1),
    reset(1),
  );
  peer.request(3, GET);
  assert.equal((await peer.answer(3)).text, 'ok');
});

test('a client that sends more than the window of all streams has to go', async (t) => {
  const rig = await start(t);
  const peer = rig.open();
  const full = Buffer.alloc(16_384);
  for (let stream = 1; stream <= 11; stream += 2) peer.request(stream, to('/hang', POST), 0);
  for (let sent = 0; sent <= CONNECTION_WINDOW; sent += 16_384)
    peer.send(data(1 + 2 * Math.floor(sent / (STREAM_WINDOW - 16_384)), full));
  assert.equal(await peer.goawayCode(), CODE.flowControl);
});

describe('a client has to go that has the server work for nothing:', () => {
  const many = (times: number, make: (index: number) => Buffer): Buffer =>
    Buffer.concat(Array.from({ length: times }, (_, index) => make(index)));
  const floods: Readonly<Record<string, Buffer>> = {
    'requests that it resets at once (CVE-2023-44487)': many(1_000, (index) =>
      Buffer.concat([head(index * 2 + 1, to('/hang')), reset(index * 2 + 1)]),
    ),
    'requests that it has reset by opening windows by nothing (CVE-2025-8671)': many(1_000, (index) =>
      Buffer.concat([head(index * 2 + 1, to('/hang')), windowUpdate(index * 2 + 1, 0)]),
    ),
    'requests that it has reset by data after their end (CVE-2025-8671)': many(1_000, (index) =>
      Buffer.concat([head(index * 2 + 1, to('/hang')), data(index * 2 + 1, 'x')]),
    ),
    'requests that are malformed': many(1_000, (index) => head(index * 2 + 1, [...GET, ['X', 'y']])),
    'requests beyond what it may have at a time': many(1_000, (index) => head(index * 2 + 1, to('/hang'))),
    pings: many(5_000, () => ping()),
    'answers to pings that nobody sent': many(5_000, () => ping(ACK)),
    settings: many(500, () => settings([[3, 100]])),
    'settings acknowledged again and again': many(5_000, () => settingsAck()),
    'many settings in a frame': many(50, () => settings(Array.from({ length: 2_000 }, () => [4, 65_535]))),
    priorities: many(5_000, () => priority(7, 1)),
    'frames that nobody knows': many(5_000, () => frame({ type: 0x42, flags: 0, stream: 1 })),
    'windows opened byte by byte': many(5_000, () => windowUpdate(0, 1)),
    goodbyes: many(5_000, () => frame({ type: FRAME.goaway, flags: 0, stream: 0 }, Buffer.alloc(8))),
    'resets of a stream that is no more': Buffer.concat([head(1, GET), many(5_000, () => reset(1))]),
    'empty data': Buffer.concat([head(1, to('/hang', POST), 0), many(5_000, () => data(1, ''))]),
    'data that is padding': Buffer.concat([
      head(1, to('/hang', POST), 0),
      many(5_000, () => block(1, FRAME.data, PADDED, Buffer.from([0]))),
    ]),
    'data of a stream that was reset': Buffer.concat([
      head(1, [...POST, ['content-length', '1']], 0),
      many(5_000, () => data(1, 'xx')),
    ]),
    'a head without end': Buffer.concat([
      unfinished(),
      many(100, () => block(1, FRAME.continuation, 0, headerBlock([['a', 'b'.repeat(100)]]))),
    ]),
    'a head of large pieces': Buffer.concat([
      unfinished(),
      many(5, () => block(1, FRAME.continuation, 0, Buffer.alloc(16_384))),
    ]),
    'empty pieces of a head': Buffer.concat([
      unfinished(),
      many(100, () => block(1, FRAME.continuation, 0, Buffer.alloc(0))),
    ]),
  };
  for (const [name, bytes] of Object.entries(floods)) {
    test(name, async (t) => {
      const rig = await start(t);
      const peer = rig.open();
      peer.send(bytes);
      const last = await peer.find((item) => item.type === FRAME.goaway && item.payload.readUInt32BE(4) !== 0);
      assert.equal(last?.payload.readUInt32BE(4), CODE.calm);
      await peer.closed;
      assert.equal(rig.hanging.gone, rig.hanging.requests.length);
      assert.ok(rig.hanging.requests.length <= 250, `${rig.hanging.requests.length} requests were begun`);
    });
  }

  test('heads of answers that it does not read', async (t) => {
    const rig = await startHttp2Rig(t, (request) => request.sendHead(200, ['x-large', 'y'.repeat(8_000)], false));
    const peer = rig.open();
    await peer.settle();
    peer.socket.pause();
    const [connection] = rig.connections;
    assert.ok(connection);
    let next = 1;
    while (!connection.socket.destroyed && next < 20_000) {
      const { bytesRead } = connection.socket;
      const end = next + 200;
      for (; next < end; next += 2) peer.request(next, GET);
      while (!connection.socket.destroyed && connection.socket.bytesRead === bytesRead) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    assert.ok(connection.socket.destroyed);
    assert.ok(connection.socket.writableLength < 2_000_000, `${connection.socket.writableLength} bytes`);
  });
});

describe('a head', () => {
  /** References of one byte to a field of four kilobytes. */
  const bomb = (stream: number, references: number): Buffer => {
    const value = Buffer.alloc(4_000, 'a');
    const large = Buffer.concat([Buffer.from([0x40, 1, 0x61, 0x7f, 0xa1, 0x1e]), value]);
    const bytes = Buffer.concat([headerBlock(GET), large, Buffer.alloc(references, 0xbe)]);
    return frame({ type: FRAME.headers, flags: END_STREAM | END_HEADERS, stream }, bytes);
  };

  test('that is small and means a large one is refused', async (t) => {
    const rig = await start(t);
    const peer = rig.open();
    peer.send(bomb(1, 10_000));
    assert.equal((await peer.answer(1)).status, '431');
    assert.deepEqual(rig.seen, []);
    peer.request(3, GET);
    assert.equal((await peer.answer(3)).text, 'ok');
  });

  test('of that kind, again and again, ends the connection', async (t) => {
    const rig = await start(t);
    const peer = rig.open();
    for (let stream = 1; stream < 201; stream += 2) peer.send(bomb(stream, 10_000));
    assert.equal(await peer.goawayCode(), CODE.calm);
  });

  test('of too many fields is refused, however many crumbs of a cookie it has', async (t) => {
    const rig = await start(t);
    const peer = rig.open();
    const fields = (name: (index: number) => string): Fields => [
      ...GET,
      ...Array.from({ length: 150 }, (_, index) => [name(index), 'v=1'] as const),
    ];
    peer.request(
      1,
      fields((index) => `n-${index}`),
    );
    peer.request(
      3,
      fields(() => 'cookie'),
    );
    assert.equal((await peer.answer(1)).status, '431');
    assert.equal((await peer.answer(3)).status, '200');
  });
});

describe('time is up for a client that', () => {
  const cases: Readonly<Record<string, readonly [ms: number, first: Buffer, goaway: number | undefined]>> = {
    'says nothing': [HEAD_TIMEOUT_MS, Buffer.alloc(0), CODE.calm],
    'does not say all of the preface': [HEAD_TIMEOUT_MS, PREFACE.subarray(0, 20), CODE.calm],
    'sends no settings': [HEAD_TIMEOUT_MS, PREFACE, CODE.calm],
    'does not end a head': [
      HEAD_TIMEOUT_MS,
      Buffer.concat([PREFACE, settings(), settingsAck(), unfinished()]),
      CODE.calm,
    ],
    'asks for nothing': [IDLE_MS, Buffer.concat([PREFACE, settings()]), CODE.none],
  };
  for (const [name, [ms, first, code]] of Object.entries(cases)) {
    test(name, async (t) => {
      const rig = await start(t);
      const peer = rig.open(first, !first.includes(unfinished()));
      await peer.find(({ type }) => type === FRAME.settings);
      if (first.length > PREFACE.length)
        await peer.find(({ type, flags: value }) => type === FRAME.settings && value === ACK);
      rig.advance(0);
      rig.advance(ms - 1);
      assert.equal(rig.connections.size, 1);
      rig.advance(ms);
      assert.equal(await peer.goawayCode(), code);
      rig.advance(1_000);
      await peer.closed;
    });
  }

  test('does not say that it has our settings', async (t) => {
    const rig = await start(t);
    const peer = rig.open(Buffer.concat([PREFACE, settings()]), false);
    await peer.find(({ type, flags: value }) => type === FRAME.settings && value === ACK);
    rig.advance(29_999);
    assert.equal(rig.connections.size, 1);
    rig.advance(1);
    assert.equal(await peer.goawayCode(), CODE.settingsTimeout);
  });

  test('does not take the rest of an answer', async (t) => {
    const rig = await start(t);
    const peer = rig.open(Buffer.concat([PREFACE, settings([[4, 10]])]));
    peer.request(1, to('/big?100'));
    await peer.find(({ type }) => type === FRAME.data);
    rig.advance(59_000);
    peer.send(windowUpdate(1, 10));
    await peer.find(
      ({ type, payload }) =>
        type === FRAME.ping || (type === FRAME.data && peer.frames.length > 0 && payload.length === 10),
    );
    await peer.settle();
    rig.advance(59_000);
    await peer.settle();
    assert.equal(
      peer.frames.some(({ type }) => type === FRAME.reset),
      false,
    );
    rig.advance(1_000);
    assert.equal(await peer.resetCode(1), CODE.cancel);
    peer.request(3, to('/big?5'));
    assert.equal((await peer.answer(3)).text, 'xxxxx');
  });

  test('does not read at all', async (t) => {
    const rig = await start(t);
    const peer = rig.open(Buffer.concat([PREFACE, settings([[4, 2 ** 31 - 1]]), windowUpdate(0, 2 ** 30)]));
    await peer.settle();
    peer.socket.pause();
    // More than the kernel keeps for it.
    for (let stream = 1; stream < 60; stream += 2) peer.request(stream, to('/big?400000'));
    while (rig.seen.length < 30) await new Promise((resolve) => setImmediate(resolve));
    const [connection] = rig.connections;
    assert.ok(connection !== undefined && connection.socket.writableLength < 150_000);
    rig.advance(1_000);
    rig.advance(119_000);
    assert.equal(rig.connections.size, 1);
    rig.advance(2_000);
    await rig.empty();
  });
});
