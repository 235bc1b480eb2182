import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, test } from 'node:test';
import { kubeflowGateway, to, virtualService, withoutRedirect } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { openWire } from '../../../testkit/src/wire.ts';
import type { Wire } from '../../../testkit/src/wire.ts';

interface Seen {
  readonly line: string;
  readonly body: string;
}

const seen: Seen[] = [];
const wires: Wire[] = [];
let rig: Rig;
/** Of the upstream, for requests below /held: answers when the test says so. */
let held: PromiseWithResolvers<ServerResponse>;

function answer(request: IncomingMessage, response: ServerResponse): void {
  let body = '';
  request.setEncoding('latin1').on('data', (chunk: string) => void (body += chunk));
  request.on('end', () => {
    seen.push({ line: `${request.method} ${request.url}`, body });
    const path = request.url ?? '';
    if (path.startsWith('/held')) return held.resolve(response);
    if (path.startsWith('/chunks')) return void response.write('ab', () => response.end('cd'));
    response.end(`you sent ${body.length}`);
  });
  request.on('error', () => undefined);
}

function fill(response: ServerResponse): void {
  while (!response.destroyed && response.write(Buffer.alloc(65_536, 'x')));
  if (!response.destroyed) response.once('drain', () => fill(response));
}

async function startOpenRig(env: Record<string, string> = {}): Promise<Rig> {
  const opened = await startRig({ env });
  opened.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  await opened.upstream('app', answer);
  opened.sources.virtualServices.put(
    virtualService('app', [
      { match: [{ uri: { prefix: '/closed' } }], directResponse: { status: 403, body: { string: 'no' } } },
      to('app'),
    ]),
  );
  await opened.settle();
  return opened;
}

function open(port = rig.plainPort()): Wire {
  const wire = openWire(port);
  wires.push(wire);
  return wire;
}

const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code = '']) => code);
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;

before(async () => {
  rig = await startOpenRig({ REQUEST_HEADERS_TIMEOUT: '300ms', STREAM_IDLE_TIMEOUT: '400ms' });
});
beforeEach(() => {
  seen.length = 0;
  held = Promise.withResolvers();
});
after(async () => {
  for (const { socket } of wires) socket.destroy();
  await rig.close();
});

describe('requests on one connection', () => {
  test('follow each other, and are the same however their bytes are cut', async () => {
    const text = `\r\n${get('/a')}POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n${get('/c')}`;
    for (const size of [1, 2, 3, 7, text.length]) {
      seen.length = 0;
      const wire = open();
      for (let from = 0; from < text.length; from += size) {
        wire.send(text.slice(from, from + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(statuses(await wire.until(/(?:you sent \d[^]*){3}/)), ['200', '200', '200']);
      assert.deepEqual(
        seen.map(({ line, body }) => `${line} ${body}`),
        ['GET /a ', 'POST /b hello', 'GET /c '],
      );
    }
  });

  test('are answered in order when thousands come at once, also by the gateway itself', async () => {
    const wire = open();
    wire.send(get('/closed').repeat(5_000) + get('/last', 'Connection: close\r\n'));
    const codes = statuses(await wire.ended);
    assert.equal(codes.length, 5_001);
    assert.equal(codes.at(-1), '200');
    assert.equal(codes.filter((code) => code === '403').length, 5_000);
  });

  test('wait for a client that does not read the answers', async () => {
    const wire = open();
    wire.socket.pause();
    wire.send(get('/closed').repeat(200_000));
    // The client's own bytes are stuck: the gateway has stopped reading, instead of keeping answers for it.
    await new Promise<void>((resolve) => {
      let last = -1;
      const look = (): void => {
        if (wire.socket.bytesWritten === last && wire.socket.writableLength > 0) return resolve();
        last = wire.socket.bytesWritten;
        setTimeout(look, 50);
      };
      look();
    });
    assert.ok(wire.socket.writableLength > 0);
    wire.socket.destroy();
  });

  test('of a client that half-closes are still answered', async () => {
    const wire = open();
    wire.socket.end(get('/a') + get('/b'));
    assert.deepEqual(statuses(await wire.ended), ['200', '200']);
  });

  test('of a client that ends in the middle of a body reach no upstream as whole', async () => {
    const wire = open();
    wire.socket.end('POST /cut HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf');
    await wire.ended;
    assert.deepEqual(seen, []);
  });

  test('of HTTP/1.0, and with Connection: close, get one answer', async () => {
    for (const text of ['GET /a HTTP/1.0\r\n\r\n', get('/a', 'Connection: close\r\n')]) {
      const wire = open();
      wire.send(text + get('/b'));
      const received = await wire.ended;
      assert.deepEqual(statuses(received), ['200']);
      assert.match(received, /\r\nconnection: close\r\n/);
    }
  });
});

describe('a body', () => {
  test('in chunks, with extensions and trailers, is passed on, and what follows is the next request', async () => {
    const wire = open();
    wire.send(
      `POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n${get('/c')}`,
    );
    assert.deepEqual(statuses(await wire.until(/(?:you sent \d[^]*){2}/)), ['200', '200']);
    assert.deepEqual(seen[0], { line: 'POST /b', body: 'hello!' });
  });

  const broken = ['xyz\r\n', '5\r\nhelloX', '5\nhello', '-5\r\n', '0\r\nTransfer-Encoding: chunked\r\n\r\n'];
  for (const body of broken) {
    test(`that is broken (${JSON.stringify(body)}) ends the request with 400 and the connection`, async () => {
      const wire = open();
      wire.send(`POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${body}${get('/smuggled')}`);
      assert.deepEqual(statuses(await wire.ended), ['400']);
      assert.deepEqual(seen, []);
    });
  }

  test('that nobody wants is read past when it is small, and the connection stays', async () => {
    const wire = open();
    wire.send(`POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n`);
    await wire.until(/403/);
    wire.send('x'.repeat(100_000) + get('/b'));
    assert.deepEqual(statuses(await wire.until(/you sent/)), ['403', '200']);
  });

  test('that nobody wants ends the connection when it is large', async () => {
    const wire = open();
    wire.send(`POST /closed HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n${'x'.repeat(3_000_000)}`);
    assert.deepEqual(statuses(await wire.ended), ['403']);
  });

  test('is asked for with 100 Continue once the request may pass', async () => {
    const wire = open();
    wire.send('POST /b HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
    await wire.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    wire.send(`hello${get('/c')}`);
    assert.deepEqual(statuses(await wire.until(/(?:you sent \d[^]*){2}/)), ['100', '200', '200']);
  });

  test('that was not asked for ends the connection: it may or may not come', async () => {
    const wire = open();
    wire.send('POST /closed HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n');
    const received = await wire.until(/no$/);
    wire.send(get('/smuggled'));
    assert.deepEqual(statuses(await wire.ended), ['403']);
    assert.match(received, /\r\nconnection: close\r\n/);
    assert.deepEqual(seen, []);
  });

  test('that stops coming ends the request', async () => {
    const wire = open();
    wire.send('POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 50\r\n\r\nhalf');
    assert.deepEqual(statuses(await wire.ended), ['408']);
    assert.deepEqual(seen, []);
  });

  test('waits in the client while the upstream does not read it', async () => {
    let paused: IncomingMessage | undefined;
    await rig.upstream('lazy', (request) => void (paused = request));
    rig.sources.virtualServices.put(
      virtualService('lazy', [{ match: [{ uri: { prefix: '/lazy' } }], ...to('lazy') }], { hosts: ['lazy.example'] }),
    );
    await rig.settle();
    const wire = open();
    const size = 64 * 1024 * 1024;
    wire.send(`POST /lazy HTTP/1.1\r\nHost: lazy.example\r\nContent-Length: ${size}\r\n\r\n`);
    let given = 0;
    const block = Buffer.alloc(65_536, 'y');
    while (given < size && wire.socket.writableLength < 1_048_576) {
      given += block.length;
      wire.socket.write(block);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(given < size, 'the gateway took a body that nobody reads');
    paused?.destroy();
    wire.socket.destroy();
  });
});

describe('an answer', () => {
  test('to HEAD, of 204 and 304 has no body, and the next one follows', async () => {
    const wire = open();
    wire.send(`HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n${get('/b')}`);
    const received = await wire.until(/you sent/);
    assert.match(received, /^HTTP\/1\.1 200 OK\r\n(?:[^\r]+\r\n)+\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('without length goes out in chunks, to HTTP/1.0 until the end', async () => {
    const wire = open();
    wire.send(get('/chunks'));
    assert.match(await wire.until(/0\r\n\r\n$/), /transfer-encoding: chunked\r\n[^]*2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n$/);
    const old = open();
    old.send('GET /chunks HTTP/1.0\r\n\r\n');
    const received = await old.ended;
    assert.match(received, /\r\n\r\nabcd$/);
    assert.doesNotMatch(received, /transfer-encoding/);
  });

  test('that a client does not read stops the upstream', async () => {
    const written = Promise.withResolvers<ServerResponse>();
    await rig.upstream('eager', (_request, response) => {
      written.resolve(response);
      fill(response);
    });
    rig.sources.virtualServices.put(virtualService('eager', [to('eager')], { hosts: ['eager.example'] }));
    await rig.settle();
    const wire = open();
    wire.socket.pause();
    wire.send('GET / HTTP/1.1\r\nHost: eager.example\r\n\r\n');
    const response = await written.promise;
    // It comes to a halt, and is cut when the halt lasts: an endless answer that somebody kept would end neither way.
    await new Promise((resolve) => response.on('close', resolve));
    assert.ok((response.socket?.bytesWritten ?? 0) < 64 * 1024 * 1024);
  });
});

describe('a head', () => {
  test('that does not end in time gets 408, however slowly its bytes come', async () => {
    const wire = open();
    wire.send('GET /a HTTP/1.1\r\n');
    const drip = setInterval(() => wire.send('A: b\r\n'), 20);
    assert.deepEqual(statuses(await wire.ended), ['408']);
    clearInterval(drip);
    assert.deepEqual(seen, []);
  });

  test('that never begins ends the connection in silence', async () => {
    assert.equal(await open().ended, '');
  });

  test('that is too long gets 431, also without an end', async () => {
    const wire = open();
    wire.send(`GET /${'a'.repeat(70_000)}`);
    assert.deepEqual(statuses(await wire.ended), ['431']);
  });

  const refused: Record<string, string> = {
    'that is no HTTP': 'SSH-2.0-OpenSSH\r\n\r\n',
    'with a bare line feed': 'GET /a HTTP/1.1\nHost: h\n\n',
    'with two empty lines before it': `\r\n\r\n${get('/a')}`,
    'with a line without colon': 'GET /a HTTP/1.1\r\nHost: h\r\nnothing\r\n\r\n',
    'with a name of another alphabet': 'GET /a HTTP/1.1\r\nHost: h\r\nX\xe4: y\r\n\r\n',
    'with a tab in its first line': 'GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n',
    'with two blanks in its first line': 'GET  /a HTTP/1.1\r\nHost: h\r\n\r\n',
    'of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'with a lower-case version': 'GET /a http/1.1\r\nHost: h\r\n\r\n',
    'with three lengths, of which two are hosts':
      'POST /a HTTP/1.1\r\nHost: h\r\nHost: i\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  };
  for (const [name, text] of Object.entries(refused)) {
    test(`${name} gets 400 and the end`, async () => {
      const wire = open();
      wire.send(text + get('/smuggled'));
      assert.deepEqual(statuses(await wire.ended), ['400']);
      assert.deepEqual(seen, []);
    });
  }
});

test('a drain answers what is under way and what arrives in its first moment, then ends idle connections', async () => {
  const other = await startOpenRig();
  const busy = open(other.plainPort());
  busy.send(get('/held'));
  const response = await held.promise;
  const idle = open(other.plainPort());
  idle.send(get('/a'));
  await idle.until(/you sent/);
  const stopped = other.close();
  idle.send(get('/b'));
  response.end('done');
  for (const wire of [busy, idle]) assert.match(await wire.ended, /connection: close\r\n[^]*(?:done|you sent 0)$/);
  assert.equal(statuses(idle.received()).length, 2);
  await stopped;
});
