import assert from 'node:assert/strict';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  settings,
} from '../../../testkit/src/http2-wire.ts';
import type { Downstream } from '../connection/downstream.ts';
import { CONNECTION_WINDOW } from './incoming-frames.ts';
import { CODE } from './protocol.ts';
import { data, GET, head, number, POST, startHttp2Rig, to } from './rig.ts';
import type { Http2Rig } from './rig.ts';

/** Gives back what came: fields as `x-got-…`, the body, trailers. */
function echo(request: Downstream): void {
  const fields = request.raw.rawFields.flatMap((text, index) => (index % 2 === 0 ? [`x-got-${text}`] : [text]));
  request.sendHead(200, [...fields, 'x-target', request.raw.target], true);
  request.body.on('data', (chunk: Buffer) => {
    if (!request.write(chunk)) request.body.pause();
  });
  request.listener = { onDrain: () => void request.body.resume(), onGone: () => undefined };
  request.body.on('end', () => request.end(request.trailers ?? []));
}

function openSession(t: TestContext, { port }: Http2Rig, options: object = {}): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`, options);
  session.on('error', () => undefined);
  t.after(() => session.destroy());
  return session;
}

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
  readonly code: number | undefined;
}

interface Sent {
  readonly headers: OutgoingHttpHeaders;
  readonly pieces?: readonly Buffer[];
  readonly trailers?: OutgoingHttpHeaders;
}

function ask(session: ClientHttp2Session, { headers, pieces = [], trailers }: Sent): Promise<Got> {
  return new Promise((resolve) => {
    const stream = session.request(headers, {
      endStream: pieces.length === 0,
      waitForTrailers: trailers !== undefined,
    });
    const chunks: Buffer[] = [];
    let [answer, last]: IncomingHttpHeaders[] = [{}, {}];
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}));
    stream.on('response', (got) => void (answer = got)).on('trailers', (got) => void (last = got));
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk)).on('error', () => undefined);
    stream.on('close', () =>
      resolve({ headers: answer ?? {}, body: Buffer.concat(chunks), trailers: last ?? {}, code: stream.rstCode }),
    );
    for (const piece of pieces) stream.write(piece);
    if (pieces.length > 0) stream.end();
  });
}

async function ended(request: Downstream | undefined): Promise<void> {
  assert.ok(request);
  await once(request.body, 'end');
}

const pick = (count: number): number => Math.floor(Math.random() * count);
const printable = (length: number): string => Array.from({ length }, () => String.fromCharCode(33 + pick(94))).join('');

describe('node:http2 as the client', () => {
  for (const [name, options] of Object.entries({
    'as it is': {},
    'with a table of its own size': { settings: { headerTableSize: 100 } },
    'with no table': { settings: { headerTableSize: 0 } },
    'with small windows': { settings: { initialWindowSize: 2_000 } },
    'with padding': { paddingStrategy: 1 },
  })) {
    test(`gets back what it sent, ${name}`, async (t) => {
      const session = openSession(t, await startHttp2Rig(t, echo), options);
      const one = async (index: number): Promise<void> => {
        const own: Record<string, string> = {};
        // Some come again and again and get into tables, some never do.
        for (let count = pick(20); count > 0; count -= 1) {
          own[`x-${pick(30)}`] =
            pick(2) === 0 ? `value ${pick(5)}` : printable(pick(2) === 0 ? pick(300) : pick(3)) + 'z';
        }
        const pieces = Array.from({ length: pick(4) }, () =>
          Buffer.alloc(1 + pick(pick(10) === 0 ? 100_000 : 500), printable(7)),
        );
        const trailers = pieces.length > 0 && pick(2) === 0 ? { 'x-sum': printable(5) } : undefined;
        const target = `/${index}?${printable(pick(40)).replaceAll(/[^a-z0-9]/gi, '')}`;
        const headers = { ':method': pieces.length > 0 ? 'POST' : 'GET', ':path': target, ...own };
        const got = await ask(session, { headers, pieces, ...(trailers && { trailers }) });
        assert.equal(got.code, 0);
        assert.equal(got.headers['x-target'], target);
        for (const [field, value] of Object.entries(own)) assert.equal(got.headers[`x-got-${field}`], value);
        assert.ok(got.body.equals(Buffer.concat(pieces)), `${got.body.length} bytes`);
        assert.equal(got.trailers['x-sum'], trailers?.['x-sum']);
      };
      for (let round = 0; round < 12; round += 1)
        await Promise.all(Array.from({ length: 20 }, (_, at) => one(round * 20 + at)));
    });
  }

  test('sends every byte that a value may have, and gets it back', async (t) => {
    const session = openSession(t, await startHttp2Rig(t, echo));
    for (let code = 0x21; code < 0x100; code += 1) {
      if (code === 0x7f) continue;
      const value = String.fromCharCode(code).repeat(3);
      const got = await ask(session, { headers: { 'x-byte': value } });
      assert.equal(
        Buffer.from(String(got.headers['x-got-x-byte']), 'latin1').toString('hex'),
        Buffer.from(value, 'latin1').toString('hex'),
      );
    }
  });

  test('gets heads that are longer than a frame, and sends them', async (t) => {
    const session = openSession(t, await startHttp2Rig(t, echo), {
      maxSendHeaderBlockLength: 200_000,
      settings: { maxHeaderListSize: 200_000 },
    });
    for (const length of [15_000, 16_384, 17_000, 40_000]) {
      const got = await ask(session, { headers: { 'x-long': printable(length - 1) + 'z' } });
      assert.equal(String(got.headers['x-got-x-long']).length, length);
    }
  });

  test('opens a tunnel (RFC 8441), and each side can end it', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      const tunnel = request.acceptWebSocket(['x-own', 'yes']).on('error', () => undefined);
      if (request.raw.target === '/cut') return void setImmediate(() => tunnel.destroy(new Error('cut')));
      tunnel.pipe(tunnel);
    });
    const session = openSession(t, rig);
    await once(session, 'remoteSettings');
    const open = (target: string): ReturnType<ClientHttp2Session['request']> =>
      session.request(
        { ':method': 'CONNECT', ':protocol': 'websocket', ':path': target, ':scheme': 'https', ':authority': 'h' },
        { endStream: false },
      );
    const sent = Buffer.alloc(500_000, 'abc');
    const stream = open('/');
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk));
    stream.end(sent);
    await once(stream, 'close');
    assert.ok(Buffer.concat(chunks).equals(sent));
    assert.equal(stream.rstCode, 0);
    const cut = open('/cut');
    cut.on('error', () => undefined);
    await new Promise<void>((resolve) => cut.on('close', resolve));
    assert.equal(cut.rstCode, CODE.internal);
  });

  test('gets an answer to each request that was begun before the server left', async (t) => {
    const rig = await startHttp2Rig(t, echo);
    for (let round = 0; round < 20; round += 1) {
      const session = openSession(t, rig);
      const closed = once(session, 'close');
      await ask(session, { headers: {} });
      const answers = await askWhileLeaving(rig, session, round);
      for (const { path, status } of answers) assert.equal(status === '200', rig.seen.includes(`GET ${path}`), path);
      assert.ok(answers.filter(({ status }) => status === '200').length >= 10);
      await closed;
    }
  });
});

async function askWhileLeaving(
  rig: Http2Rig,
  session: ClientHttp2Session,
  round: number,
): Promise<readonly { path: string; status: string }[]> {
  const answers: Promise<{ path: string; status: string }>[] = [];
  for (let index = 0; index < 30 && !session.closed && !session.destroyed; index += 1) {
    if (index === 10) rig.connections.forEach((connection) => connection.retire());
    const path = `/${round}-${index}`;
    const got = ask(session, { headers: { ':path': path } });
    answers.push(got.then(({ headers }) => ({ path, status: String(headers[':status']) })));
    if (index % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return Promise.all(answers);
}

describe('an answer', () => {
  test('that is ready at once has its end on its last frame', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      request.write(Buffer.from('one'));
      request.write(Buffer.from('two'));
      request.end([]);
    });
    const peer = rig.open();
    peer.request(1, GET);
    assert.equal((await peer.answer(1)).text, 'onetwo');
    const own = peer.frames.filter(({ stream }) => stream === 1).map(({ type, flags }) => [type, flags]);
    assert.deepEqual(own, [
      [FRAME.headers, END_HEADERS],
      [FRAME.data, 0],
      [FRAME.data, END_STREAM],
    ]);
  });

  test('takes turns with others, within the windows of the client', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      request.write(Buffer.alloc(60_000, request.raw.target.slice(1)));
      request.end([]);
    });
    const peer = rig.open();
    for (const [index, path] of ['/a', '/b', '/c'].entries()) peer.request(1 + index * 2, to(path));
    const bytes = (): number =>
      peer.frames.reduce((sum, { type, payload }) => sum + (type === FRAME.data ? payload.length : 0), 0);
    await peer.settle();
    assert.equal(bytes(), 65_535);
    peer.send(number(FRAME.windowUpdate, 0, 30_000));
    await peer.settle();
    assert.equal(bytes(), 95_535);
    const last = peer.frames
      .filter(({ type }) => type === FRAME.data)
      .slice(-2)
      .map(({ stream }) => stream);
    assert.equal(new Set(last).size, 2);
    peer.send(number(FRAME.windowUpdate, 0, 1_000_000));
    assert.deepEqual(
      (await Promise.all([1, 3, 5].map((id) => peer.answer(id)))).map(({ text }) => text.length),
      [60_000, 60_000, 60_000],
    );
  });

  test('follows the window that a client sets while it is under way, below zero and up again', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      request.write(Buffer.alloc(100, 'x'));
      request.end([]);
    });
    const peer = rig.open(Buffer.concat([PREFACE, settings([[4, 50]])]));
    peer.request(1, GET);
    await peer.find(({ type }) => type === FRAME.data);
    peer.send(settings([[4, 10]]), number(FRAME.windowUpdate, 1, 30));
    await peer.settle();
    assert.equal(peer.frames.filter(({ type }) => type === FRAME.data).length, 1);
    peer.send(settings([[4, 200]]));
    assert.equal((await peer.answer(1)).text.length, 100);
  });

  test('tells who writes it when there is room again', async (t) => {
    let written = 0;
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      const fill = (): void => {
        while (written < 40) {
          written += 1;
          if (!request.write(Buffer.alloc(65_536, 'x'))) return;
        }
        request.end([]);
      };
      request.listener = { onDrain: fill, onGone: () => undefined };
      fill();
    });
    const peer = rig.open();
    peer.request(1, GET);
    await peer.settle();
    assert.equal(written, 1);
    peer.send(number(FRAME.windowUpdate, 0, 2 ** 30), number(FRAME.windowUpdate, 1, 2 ** 30));
    assert.equal((await peer.answer(1)).text.length, 40 * 65_536);
  });

  test('of many small pieces may have each of them acknowledged twice, and a ping', async (t) => {
    const requests: Downstream[] = [];
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      requests.push(request);
    });
    const peer = rig.open();
    peer.request(1, GET);
    await peer.settle();
    for (let piece = 0; piece < 3_000; piece += 1) {
      requests[0]?.write(Buffer.from('event'));
      peer.send(
        number(FRAME.windowUpdate, 0, 5),
        number(FRAME.windowUpdate, 1, 5),
        frame({ type: FRAME.ping, flags: 0, stream: 0 }, Buffer.alloc(8)),
      );
      if (piece % 100 === 0) await peer.settle();
    }
    requests[0]?.end([]);
    assert.equal((await peer.answer(1)).text, 'event'.repeat(3_000));
  });

  test('may be preceded by 100 Continue, and be followed by trailers', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendContinue();
      request.sendHead(200, ['a', 'b'], true);
      request.end(['x-sum', '7']);
    });
    const peer = rig.open();
    peer.request(1, POST, 0);
    assert.deepEqual(await peer.answer(1), { status: '200', fields: ['a: b'], text: '', trailers: ['x-sum: 7'] });
    assert.equal(peer.frames.filter(({ type }) => type === FRAME.headers).length, 3);
  });

  test('that is given up in its middle is reset, behind what there was of it', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(200, [], true);
      request.write(Buffer.from('half'));
      request.abort();
    });
    const peer = rig.open();
    peer.request(1, GET);
    assert.equal(await peer.resetCode(1), CODE.internal);
    assert.equal((await peer.answer(1)).text, 'half');
  });
});

describe('a body', () => {
  test('that nobody reads fills its window and no more; who reads it opens the window', async (t) => {
    const requests: Downstream[] = [];
    const rig = await startHttp2Rig(t, (request) => void requests.push(request));
    const peer = rig.open();
    peer.request(1, POST, 0);
    for (let sent = 0; sent < 16; sent += 1) peer.send(data(1, Buffer.alloc(16_384, 'x')));
    await peer.settle();
    const updates = (): number[] =>
      peer.frames
        .filter(({ type, stream }) => type === FRAME.windowUpdate && stream === 1)
        .map(({ payload }) => payload.readUInt32BE(0));
    assert.deepEqual(updates(), []);
    let read = 0;
    requests[0]?.body.on('data', (chunk: Buffer) => void (read += chunk.length));
    await peer.find(({ type, stream }) => type === FRAME.windowUpdate && stream === 1);
    peer.send(data(1, 'y', END_STREAM));
    await ended(requests[0]);
    assert.equal(read, 16 * 16_384 + 1);
    assert.ok(updates().length <= 2, String(updates()));
  });

  test('of single bytes is kept in few blocks', async (t) => {
    const requests: Downstream[] = [];
    const rig = await startHttp2Rig(t, (request) => void requests.push(request));
    const peer = rig.open();
    peer.request(1, POST, 0);
    peer.send(...Array.from({ length: 10_000 }, (_, index) => data(1, String(index % 10))), data(1, '', END_STREAM));
    await peer.settle();
    const chunks: Buffer[] = [];
    requests[0]?.body.on('data', (chunk: Buffer) => void chunks.push(chunk));
    await ended(requests[0]);
    assert.equal(Buffer.concat(chunks).toString(), '0123456789'.repeat(1_000));
    assert.ok(chunks.length <= 3, `${chunks.length} blocks`);
  });

  test('that nobody wants leaves the window of the others open', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(403, [], false);
      request.end([]);
    });
    const peer = rig.open();
    for (let stream = 1; stream < 40; stream += 2) {
      peer.request(stream, POST, 0);
      for (let sent = 0; sent < 8; sent += 1)
        peer.send(data(stream, Buffer.alloc(16_384), sent === 7 ? END_STREAM : 0));
      assert.equal((await peer.answer(stream)).status, '403');
    }
    const opened = peer.frames
      .filter(({ type, stream }) => type === FRAME.windowUpdate && stream === 0)
      .map(({ payload }) => payload.readUInt32BE(0));
    assert.ok(opened.reduce((sum, bytes) => sum + bytes, 0) >= 20 * 8 * 16_384 - CONNECTION_WINDOW / 2);
  });

  for (const [when, window] of [
    ['that has left', 65_535],
    ['that waits for room', 0],
  ] as const) {
    test(`that goes on after an answer ${when} never looks whole to who reads it yet`, async (t) => {
      const told: string[] = [];
      const rig = await startHttp2Rig(t, (request) => {
        request.body.on('data', (chunk: Buffer) => void told.push(String(chunk)));
        request.body.on('end', () => void told.push('end')).on('close', () => void told.push('close'));
        request.body.once('data', () => {
          request.sendHead(200, [], true);
          request.write(Buffer.from('enough'));
          request.end([]);
        });
      });
      const peer = rig.open(Buffer.concat([PREFACE, settings([[4, window]])]));
      peer.send(head(1, POST, 0), data(1, 'first'));
      await peer.find(({ type, stream }) => type === FRAME.headers && stream === 1);
      peer.send(data(1, 'second'), data(1, 'third', END_STREAM));
      await peer.settle();
      peer.send(number(FRAME.windowUpdate, 1, 100));
      assert.equal((await peer.answer(1)).text, 'enough');
      await peer.settle();
      assert.deepEqual(told, ['first', 'close']);
    });
  }

  test('that comes after its answer has room for all of it before the answer ends, or the stream ends with the answer', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(Number(request.raw.target.slice(1)), [], true);
      request.write(Buffer.from('ok'));
      request.end([]);
    });
    const peer = rig.open();
    await peer.settle();
    const post = (stream: number, status: string, length: number): void =>
      peer.request(stream, [...to(`/${status}`, POST), ['content-length', String(length)]], 0);
    post(1, '200', 1_000_000);
    assert.equal((await peer.answer(1)).text, 'ok');
    const own = peer.frames.filter(({ stream }) => stream === 1).map(({ type }) => type);
    assert.deepEqual(own, [FRAME.headers, FRAME.data, FRAME.windowUpdate, FRAME.data]);
    const told = peer.frames.find(({ type, stream }) => type === FRAME.windowUpdate && stream === 1);
    assert.equal(told?.payload.readUInt32BE(0), 1_000_000 - 262_144);
    for (let sent = 0; sent < 1_000_000; sent += 10_000)
      peer.send(data(1, Buffer.alloc(10_000), sent === 990_000 ? END_STREAM : 0));
    post(3, '200', 10_000_000);
    assert.equal((await peer.answer(3)).text, 'ok');
    assert.equal(await peer.resetCode(3), CODE.none);
    // Who is refused stops by itself, and has a moment to do so.
    post(5, '403', 10_000_000);
    assert.equal((await peer.answer(5)).text, 'ok');
    await peer.settle();
    assert.deepEqual(
      peer.frames.filter(({ type }) => type === FRAME.reset).map(({ stream }) => stream),
      [3],
    );
  });

  test('that has padding has none for its reader', async (t) => {
    const rig = await startHttp2Rig(t, echo);
    const peer = rig.open();
    peer.send(
      head(1, POST, 0),
      frame({ type: FRAME.data, flags: 9, stream: 1 }, Buffer.from([3, 0x61, 0x62, 0, 0, 0])),
    );
    assert.equal((await peer.answer(1)).text, 'ab');
  });
});

describe('a request', () => {
  test('may come in many pieces, with padding and priority', async (t) => {
    const rig = await startHttp2Rig(t, echo);
    const peer = rig.open();
    await peer.settle();
    const block = headerBlock([...GET, ['x', 'y']]);
    const first = Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9]), block.subarray(0, 10), Buffer.alloc(2)]);
    const bytes = Buffer.concat([
      frame({ type: FRAME.headers, flags: END_STREAM | 8 | 0x20, stream: 1 }, first),
      frame({ type: FRAME.continuation, flags: 0, stream: 1 }, block.subarray(10, 20)),
      frame({ type: FRAME.continuation, flags: END_HEADERS, stream: 1 }, block.subarray(20)),
    ]);
    for (const byte of bytes) {
      peer.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual((await peer.answer(1)).fields, ['x-got-x: y', 'x-target: /']);
  });

  test('may be broken off by a client that has its answer, as often as it likes', async (t) => {
    const rig = await startHttp2Rig(t, (request) => {
      request.sendHead(403, [], false);
      request.end([]);
    });
    const peer = rig.open();
    for (let stream = 1; stream < 1_000; stream += 2)
      peer.send(head(stream, POST, 0), number(FRAME.reset, stream, CODE.cancel));
    peer.request(1_001, GET);
    assert.equal((await peer.answer(1_001)).status, '403');
  });

  test('has one cookie, of all its crumbs', async (t) => {
    const rig = await startHttp2Rig(t, echo);
    const peer = rig.open();
    peer.request(1, [...GET, ['cookie', 'a=1'], ['x', 'y'], ['cookie', 'b=2'], ['cookie', 'c=3']]);
    assert.deepEqual((await peer.answer(1)).fields, ['x-got-cookie: a=1; b=2; c=3', 'x-got-x: y', 'x-target: /']);
  });

  test('that comes again with the same bytes means the same, until the table has changed', async (t) => {
    const rig = await startHttp2Rig(t, echo);
    const peer = rig.open();
    const kept = (name: string, value: string): Buffer =>
      Buffer.concat([
        Buffer.from([0x40, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
    const send = (stream: number, ...parts: Buffer[]): void =>
      peer.send(frame({ type: FRAME.headers, flags: 5, stream }, Buffer.concat(parts)));
    const base = Buffer.from([0x82, 0x87, 0x84]);
    send(1, base, kept('x', 'one'));
    for (const stream of [3, 5]) send(stream, base, Buffer.from([0xbe]));
    send(7, base, kept('x', 'two'));
    for (const stream of [9, 11]) send(stream, base, Buffer.from([0xbe]));
    const got = await Promise.all([3, 5, 9, 11].map(async (id) => (await peer.answer(id)).fields[0]));
    assert.deepEqual(got, ['x-got-x: one', 'x-got-x: one', 'x-got-x: two', 'x-got-x: two']);
  });

  test('whose client goes away is told to whoever serves it, and once', async (t) => {
    let gone = 0;
    const rig = await startHttp2Rig(t, (request) => {
      request.listener = { onDrain: () => undefined, onGone: () => void (gone += 1) };
      request.sendHead(200, [], true);
      request.write(Buffer.alloc(100_000));
    });
    const peer = rig.open();
    peer.request(1, GET);
    peer.request(3, GET);
    peer.send(number(FRAME.reset, 1, CODE.cancel));
    await peer.settle();
    assert.equal(gone, 1);
    peer.socket.destroy();
    await rig.empty();
    assert.equal(gone, 2);
  });
});

test('a server that leaves takes what was on its way, then nothing, and ends with the last stream', async (t) => {
  const requests: Downstream[] = [];
  const rig = await startHttp2Rig(t, (request) => void requests.push(request));
  const peer = rig.open();
  peer.request(1, GET);
  await peer.settle();
  for (const connection of rig.connections) connection.retire();
  const goaway = await peer.find(({ type }) => type === FRAME.goaway);
  assert.deepEqual([goaway?.payload.readUInt32BE(0), goaway?.payload.readUInt32BE(4)], [2 ** 31 - 1, 0]);
  const ping = await peer.find(({ type, flags }) => type === FRAME.ping && flags === 0);
  // It was sent before the client could know.
  peer.request(3, GET);
  peer.send(frame({ type: FRAME.ping, flags: 1, stream: 0 }, ping?.payload ?? Buffer.alloc(8)));
  const last = await peer.find(({ type, payload }) => type === FRAME.goaway && payload.readUInt32BE(0) < 100);
  assert.equal(last?.payload.readUInt32BE(0), 3);
  // A whole upload that the client began before it knew; its streams before that go on.
  peer.send(
    head(5, POST, 0),
    data(5, 'x'),
    number(FRAME.windowUpdate, 5, 1),
    number(FRAME.reset, 5, CODE.cancel),
    data(5, 'y'),
  );
  peer.request(7, GET);
  await peer.settle();
  assert.equal(requests.length, 2);
  for (const request of requests) {
    request.sendHead(204, [], false);
    request.end([]);
  }
  assert.deepEqual([(await peer.answer(1)).status, (await peer.answer(3)).status], ['204', '204']);
  await peer.closed;
});
