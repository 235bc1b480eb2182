import assert from 'node:assert/strict';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  readFrames,
  settings,
} from '../../../testkit/src/http2-wire.ts';
import type { Frame } from '../../../testkit/src/http2-wire.ts';
import { to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

let rig: Rig;

before(async () => {
  rig = await startRig();
  await rig.upstream('half', (_request, response) => {
    response.setHeader('content-length', 100).write('half');
    setImmediate(() => response.socket?.destroy());
  });
  const routes = [
    { match: [{ uri: { prefix: '/empty' } }], directResponse: { status: 401 } },
    { match: [{ uri: { prefix: '/text' } }], directResponse: { status: 403, body: { string: 'no' } } },
    { match: [{ uri: { prefix: '/half' } }], ...to('half') },
  ];
  rig.sources.virtualServices.put(virtualService('routes', routes));
  await rig.settle();
});
after(() => rig.close());

async function open(): Promise<TLSSocket> {
  const place = { port: rig.tlsPort(), host: '127.0.0.1' };
  const socket = connect({ ...place, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write(Buffer.concat([PREFACE, settings()]));
  return socket;
}

function head(method: string, path: string, flags: number): Buffer {
  const fields = [
    [':method', method],
    [':path', path],
    [':scheme', 'https'],
    [':authority', 'h'],
  ] as const;
  return frame({ type: FRAME.headers, flags: END_HEADERS | flags, stream: 1 }, headerBlock(fields));
}

function data(flags: number): Buffer {
  return frame({ type: FRAME.data, flags, stream: 1 }, Buffer.from('x'));
}

/** What the gateway sends on the stream until it ends or resets it. */
function frames(socket: TLSSocket): Promise<readonly Frame[]> {
  return new Promise((resolve) => {
    const seen: Frame[] = [];
    readFrames(socket, 0, (item) => {
      if (item.stream !== 1 || item.type === FRAME.windowUpdate) return;
      seen.push(item);
      const isLast = item.type === FRAME.reset || (item.flags & END_STREAM) !== 0;
      if (isLast) resolve(seen);
    });
  });
}

describe('an answer over HTTP/2', () => {
  for (const path of ['/empty', '/text', '/nowhere']) {
    test(`comes before the end of a body that nobody reads: ${path}`, async () => {
      for (const body of [data(END_STREAM), data(0)]) {
        const socket = await open();
        const answer = frames(socket);
        socket.write(Buffer.concat([head('POST', path, 0), body]));
        const [first, ...rest] = await answer;
        assert.equal(first?.type, FRAME.headers);
        assert.ok(rest.every(({ type }) => type === FRAME.data));
        assert.equal(Buffer.concat(rest.map(({ payload }) => payload)).toString(), path === '/text' ? 'no' : '');
        socket.destroy();
      }
    });
  }

  test('lets a body that never ends go on for a moment, then resets it without an error', async () => {
    const socket = await open();
    const reset = new Promise<Frame>((resolve) =>
      readFrames(socket, 0, (item) => {
        if (item.type === FRAME.reset) resolve(item);
      }),
    );
    socket.write(Buffer.concat([head('POST', '/empty', 0), data(0)]));
    assert.equal((await reset).payload.readUInt32BE(0), 0);
    socket.destroy();
  });

  test('that is broken off has no end', async () => {
    const socket = await open();
    const answer = frames(socket);
    socket.write(head('GET', '/half', END_STREAM));
    const last = (await answer).at(-1);
    assert.deepEqual([last?.type, last?.payload.readUInt32BE(0)], [FRAME.reset, 2]);
    socket.destroy();
  });
});
