import assert from 'node:assert/strict';
import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ask, createHttp2Beds, openClient } from './rig/http2-service.ts';
import type { Answer, Http2Beds } from './rig/http2-service.ts';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  readFrames,
  settings,
} from '../../testkit/src/http2-wire.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
let beds: Http2Beds;
let client: ClientHttp2Session;

before(async () => {
  rig = await startRig();
  beds = createHttp2Beds(rig);
  client = openClient(rig);
  await beds.serve('good', { name: 'grpc' }, (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('good');
  });
});
after(async () => {
  client.destroy();
  beds.close();
  await rig.close();
});

type Field = readonly [string, string];

/** Calls `onRequest` when a request has come; SETTINGS are exchanged before. */
function speak(onRequest: (socket: Socket, stream: number) => void): (socket: Socket) => void {
  return (socket) => {
    socket.write(settings());
    readFrames(socket, PREFACE.length, ({ type, flags, stream }) => {
      if (type === FRAME.settings && flags === 0) socket.write(frame({ type, flags: 1, stream: 0 }));
      if (type === FRAME.headers) onRequest(socket, stream);
    });
  };
}

function head(stream: number, fields: readonly Field[], flags: number = END_HEADERS | END_STREAM): Buffer {
  return frame({ type: FRAME.headers, flags, stream }, headerBlock(fields));
}

const answerWith = (...fields: Field[]): ((socket: Socket) => void) =>
  speak((socket, stream) => void socket.write(head(stream, fields)));

/** Writes as long as the peer takes it, whether or not it is read. */
function flood(socket: Socket, bytes: Buffer, times: number): void {
  for (let turn = 0; turn < times && !socket.destroyed; turn += 1) socket.write(bytes);
}

const OK: Field = [':status', '200'];
const informational = (stream: number): Buffer => head(stream, [[':status', '103']], END_HEADERS);
const many = (count: number): Field[] => Array.from({ length: count }, (_, index) => [`name-${index}`, 'x'] as const);

describe('an endpoint over HTTP/2 gets 502 or 503 for its request, and ends nothing else, when it', () => {
  const endpoints: Record<string, (socket: Socket) => void> = {
    'speaks HTTP/1.1': (socket) => void socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\n\r\n')),
    'speaks no HTTP': (socket) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'),
    'ends the connection at once': (socket) => void socket.destroy(),
    'answers without a status': answerWith(['a', 'b']),
    'answers with a status that is none': answerWith([':status', '20x']),
    'switches protocols': answerWith([':status', '101']),
    'names a header in capitals': answerWith(OK, ['Set-Cookie', 'a=b']),
    'sends a header of the connection': answerWith(OK, ['connection', 'close']),
    'sends two lengths': answerWith(OK, ['content-length', '1'], ['content-length', '2']),
    'sends more headers than anybody needs': answerWith(OK, ...many(5_000)),
    'sends headers without end': speak((socket, stream) => {
      socket.write(head(stream, [OK], 0));
      const block = headerBlock(many(300));
      flood(socket, frame({ type: FRAME.continuation, flags: 0, stream }, block), 2_000);
    }),
    'sends empty continuations without end': speak((socket, stream) => {
      socket.write(head(stream, [OK], 0));
      flood(socket, frame({ type: FRAME.continuation, flags: 0, stream }), 50_000);
    }),
    'never gets to the answer': speak((socket, stream) => flood(socket, informational(stream), 1_000)),
    'sends data before the head': speak(
      (socket, stream) => void socket.write(frame({ type: FRAME.data, flags: 0, stream }, Buffer.from('x'))),
    ),
    'answers on a stream that nobody opened': speak((socket) => void socket.write(head(99, [OK]))),
    'opens a stream itself': speak((socket) => void socket.write(head(2, [OK]))),
    'resets streams that there are not': speak((socket) =>
      flood(socket, frame({ type: FRAME.reset, flags: 0, stream: 1_001 }, Buffer.alloc(4)), 1_000),
    ),
    'sends a frame that is larger than agreed': speak(
      (socket, stream) => void socket.write(frame({ type: FRAME.data, flags: 0, stream }, Buffer.alloc(100_000))),
    ),
    'sends settings without end, and reads nothing': speak((socket) => {
      socket.pause();
      flood(socket, settings([[3, 100]]), 20_000);
      socket.end();
    }),
    'sends pings without end, and reads nothing': speak((socket) => {
      socket.pause();
      flood(socket, frame({ type: FRAME.ping, flags: 0, stream: 0 }, Buffer.alloc(8)), 20_000);
      socket.end();
    }),
    'says goodbye with an error': speak((socket) => {
      const payload = Buffer.from([0, 0, 0, 1, 0, 0, 0, 11]);
      socket.write(frame({ type: FRAME.goaway, flags: 0, stream: 0 }, payload));
    }),
  };
  for (const [index, [name, endpoint]] of Object.entries(endpoints).entries()) {
    test(name, async () => {
      await beds.serveRaw(`bad${'abcdefghijklmnopqrstuvwxyz'[index]}`, { name: 'grpc' }, endpoint);
      const path = `/bad${'abcdefghijklmnopqrstuvwxyz'[index]}`;
      const answer = await ask(client, { ':method': 'POST', ':path': path }, 'x');
      assert.ok(answer.status === 502 || answer.status === 503, `${answer.status}`);
      assert.equal((await ask(client, { ':path': '/good' })).text, 'good');
    });
  }
});

describe('an answer over HTTP/2 is broken off when its endpoint', () => {
  const broken = async (name: string, onRequest: (socket: Socket, stream: number) => void): Promise<Answer> => {
    await beds.serveRaw(name, { name: 'grpc' }, speak(onRequest));
    return ask(client, { ':path': `/${name}` });
  };

  test('sends less or more than it said', async () => {
    for (const [name, length] of Object.entries({ less: '10', more: '2' })) {
      const answer = await broken(name, (socket, stream) => {
        socket.write(head(stream, [OK, ['content-length', length]], END_HEADERS));
        socket.write(frame({ type: FRAME.data, flags: END_STREAM, stream }, Buffer.from('12345')));
      });
      assert.notEqual(answer.reset, 0, name);
    }
  });

  test('sends more than the window lets it', async () => {
    const answer = await broken('window', (socket, stream) => {
      socket.write(head(stream, [OK], END_HEADERS));
      flood(socket, frame({ type: FRAME.data, flags: 0, stream }, Buffer.alloc(16_384)), 2_000);
    });
    assert.notEqual(answer.reset, 0);
  });
});

test('an endpoint that allows few requests at a time gets no more', async () => {
  let [now, most] = [0, 0];
  await beds.serveRaw('narrow', { name: 'grpc' }, (socket) => {
    socket.write(settings([[3, 2]]));
    readFrames(socket, PREFACE.length, ({ type, flags, stream }) => {
      if (type === FRAME.settings && flags === 0) socket.write(frame({ type, flags: 1, stream: 0 }));
      if (type !== FRAME.headers) return;
      now += 1;
      most = Math.max(most, now);
      setImmediate(() => {
        now -= 1;
        socket.write(head(stream, [OK]));
      });
    });
  });
  await ask(client, { ':path': '/narrow' });
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(client, { ':path': '/narrow' })));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.ok(most <= 12);
});
