import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { openWire } from '../../../testkit/src/wire.ts';
import type { Wire } from '../../../testkit/src/wire.ts';
import type { Http1Downstream } from '../connection/http1-downstream.ts';
import { createHeadJudge } from '../head/judge-head.ts';
import { collectBody } from './collect-body.ts';
import { createConnectionServer } from './connection-server.ts';
import type { ConnectionLimits } from './connection-server.ts';

const LIMITS: ConnectionLimits = {
  head: { maxBytes: 8_192, maxFields: 50 },
  headTimeoutMs: 300,
  keepAliveMs: 600,
  keepAliveFields: '',
  exchangeTimeoutMs: 300,
};

interface Bed {
  open(): Wire;
  /** Of the requests that were served: method, target, body. */
  readonly seen: string[];
  close(): Promise<void>;
}

/** Answers every request with its body's length; what is below /unread without looking at the body. */
async function startBed(t: TestContext, limits: Partial<ConnectionLimits> = {}): Promise<Bed> {
  const seen: string[] = [];
  const judge = createHeadJudge(LIMITS.head);
  const serve = async (downstream: Http1Downstream): Promise<void> => {
    const head = judge(downstream.raw);
    if (typeof head === 'number') return downstream.answer(head, '', '');
    downstream.accept(head);
    if (head.target === '/unread') return downstream.answer(200, '', 'unread');
    const body = await collectBody(downstream, 200_000);
    if (head.target === '/fields') {
      const fields = Object.entries(head.headers).map(([name, value]) => `${name}=${String(value)}`);
      assert.equal('toString' in head.headers, false);
      seen.push(`GET /fields ${fields.join(',')}`);
    } else seen.push(`${head.method} ${head.target} ${body.toString('latin1').slice(0, 100)}`);
    downstream.answer(200, '', `you sent ${body.length}`);
  };
  const handler = (downstream: Http1Downstream): void =>
    void serve(downstream).catch(() => downstream.answer(413, '', ''));
  const server = createConnectionServer({ limits: { ...LIMITS, ...limits }, handler });
  const port = await server.listen(0, '127.0.0.1');
  const wires: Wire[] = [];
  t.after(async () => {
    for (const { socket } of wires) socket.destroy();
    await server.close(0);
  });
  const open = (): Wire => {
    const wire = openWire(port);
    wires.push(wire);
    return wire;
  };
  return { open, seen, close: () => server.close() };
}

const statuses = (text: string): string[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, code = '']) => code);
const get = (path: string, more = ''): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n${more}\r\n`;
const post = (fields: string, body: string): string => `POST /b HTTP/1.1\r\nHost: h\r\n${fields}\r\n\r\n${body}`;
const SMUGGLED = get('/smuggled');

describe('requests on one connection', () => {
  test('are the same however their bytes are cut', async (t) => {
    const { open, seen } = await startBed(t, { headTimeoutMs: 20_000, exchangeTimeoutMs: 20_000 });
    const chunked = post('Transfer-Encoding: chunked', '3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n');
    const text = `\r\n${get('/a')}${post('Content-Length: 5', 'hello')}\r\n${chunked}${get('/c')}`;
    for (const size of [1, 2, 3, 7, text.length]) {
      seen.length = 0;
      const wire = open();
      wire.socket.setNoDelay(true);
      for (let from = 0; from < text.length; from += size) {
        wire.send(text.slice(from, from + size));
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(statuses(await wire.until(/(?:you sent \d[^]*){4}/)), ['200', '200', '200', '200']);
      assert.deepEqual(seen, ['GET /a ', 'POST /b hello', 'POST /b hello', 'GET /c ']);
    }
  });

  test('are answered in order when thousands come at once', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    const paths = Array.from({ length: 5_000 }, (_, index) => `/${index}`);
    wire.send(paths.map((path) => get(path)).join('') + get('/last', 'Connection: close\r\n'));
    assert.equal(statuses(await wire.ended).length, 5_001);
    assert.deepEqual(
      seen,
      [...paths, '/last'].map((path) => `GET ${path} `),
    );
  });

  test('of a client that ends its side: half a body is none, and what is settled is said', async (t) => {
    const { open } = await startBed(t);
    const wire = open();
    wire.socket.end(post('Content-Length: 50', 'half'));
    assert.deepEqual(statuses(await wire.ended), []);
    const whole = open();
    whole.socket.end(get('/bad', 'Host: i\r\n'));
    assert.deepEqual(statuses(await whole.ended), ['400']);
  });

  test('of HTTP/1.0, with Connection: close, and with another protocol in mind, are the last', async (t) => {
    const { open, seen } = await startBed(t);
    const last = [
      'GET /a HTTP/1.0\r\n\r\n',
      'GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      get('/a', 'Connection: close\r\n'),
      get('/a', 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n'),
      get('/a', 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n'),
    ];
    for (const text of last) {
      const wire = open();
      wire.send(text + SMUGGLED);
      const received = await wire.ended;
      assert.deepEqual(statuses(received), ['200'], text);
      assert.match(received, /\r\nconnection: close\r\n/);
    }
    assert.deepEqual([...new Set(seen)], ['GET /a ']);
  });

  test('have the path and the host of an absolute target', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    wire.send(`GET http://other/p?q HTTP/1.1\r\nHost: h\r\n\r\n${'OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n'}`);
    await wire.until(/(?:you sent \d[^]*){2}/);
    assert.deepEqual(seen, ['GET /p?q ', 'OPTIONS * ']);
  });

  test('have the fields that came, whatever their names, and no others', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    wire.send(get('/fields', names.map((name) => `${name}: ${name}\r\n`).join('')));
    await wire.until(/you sent 0/);
    assert.deepEqual(seen, [
      'GET /fields host=h,__proto__=__proto__,constructor=constructor,tostring=toString,hasownproperty=hasOwnProperty',
    ]);
  });

  test('to HEAD are answered without a body, and the next one follows', async (t) => {
    const { open } = await startBed(t);
    const wire = open();
    wire.send(`HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n${get('/b')}`);
    assert.match(
      await wire.until(/you sent/),
      /^HTTP\/1\.1 200 OK\r\ncontent-length: 10\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nyou sent 0$/,
    );
  });
});

describe('a body', () => {
  test('is asked for with 100 Continue by whoever reads it, and only then', async (t) => {
    const { open } = await startBed(t);
    const wire = open();
    wire.send(post('Expect: 100-continue\r\nContent-Length: 5', ''));
    await wire.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    wire.send(`hello${get('/c')}`);
    assert.deepEqual(statuses(await wire.until(/(?:you sent \d[^]*){2}/)), ['100', '200', '200']);
    const unread = open();
    unread.send(`POST /unread HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n`);
    await unread.until(/unread$/);
    unread.send(SMUGGLED);
    assert.deepEqual(statuses(await unread.ended), ['200']);
  });

  test('that nobody reads is not taken for a request: the connection ends', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    wire.send(`POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}${SMUGGLED}`);
    const received = await wire.ended;
    assert.match(received, /\r\nconnection: close\r\n[^]*unread$/);
    assert.deepEqual([statuses(received), seen], [['200'], []]);
  });

  test('beyond the limit is not kept', async (t) => {
    const { open } = await startBed(t);
    for (const fields of ['Content-Length: 300000', 'Transfer-Encoding: chunked']) {
      const wire = open();
      const piece = 'x'.repeat(300_000);
      wire.send(post(fields, fields.startsWith('C') ? piece : `${piece.length.toString(16)}\r\n${piece}\r\n0\r\n\r\n`));
      assert.deepEqual(statuses(await wire.ended), ['413']);
    }
  });

  const broken = ['xyz\r\n', '5\r\nhelloX', '5\nhello', '-5\r\n', '0\r\nTransfer-Encoding: chunked\r\n\r\n'];
  for (const body of broken) {
    test(`that is broken (${JSON.stringify(body)}) gets 400 and the end`, async (t) => {
      const { open, seen } = await startBed(t);
      const wire = open();
      wire.send(post('Transfer-Encoding: chunked', `${body}${SMUGGLED}`));
      assert.deepEqual(statuses(await wire.ended), ['400']);
      assert.deepEqual(seen, []);
    });
  }

  test('that stops coming, or drips, gets 408 in time', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    wire.send(post('Content-Length: 50000', 'half'));
    const drip = setInterval(() => wire.send('.'), 20);
    assert.deepEqual(statuses(await wire.ended), ['408']);
    clearInterval(drip);
    assert.deepEqual(seen, []);
  });
});

describe('a head is refused', () => {
  const refused: Readonly<Record<string, readonly [status: string, text: string]>> = {
    'that is no HTTP': ['400', 'SSH-2.0-OpenSSH\r\n\r\n'],
    'of TLS': ['400', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\n'],
    'with a bare line feed': ['400', 'GET /a HTTP/1.1\nHost: h\n\n'],
    'with two empty lines before it': ['400', `\r\n\r\n${get('/a')}`],
    'of HTTP/2': ['400', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    'with a tab in its first line': ['400', 'GET\t/a HTTP/1.1\r\nHost: h\r\n\r\n'],
    'without host': ['400', 'GET /a HTTP/1.1\r\n\r\n'],
    'with two hosts': ['400', get('/a', 'Host: i\r\n')],
    'with a host that is none': ['400', 'GET /a HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    'with two credentials': ['400', get('/a', 'Authorization: Bearer a\r\nAuthorization: Bearer b\r\n')],
    'with a blank before the colon': ['400', get('/a', 'Content-Length : 5\r\n')],
    'with a folded line': ['400', get('/a', 'X: y\r\n z\r\n')],
    'with a NUL in a value': ['400', get('/a', 'X: a\0b\r\n')],
    'with a carriage return in a value': ['400', get('/a', 'X: a\rb\r\n')],
    'with a name of another alphabet': ['400', get('/a', 'X\xe4: y\r\n')],
    'with a lower-case method': ['400', 'get /a HTTP/1.1\r\nHost: h\r\n\r\n'],
    'with a target that is no path': ['400', 'GET a HTTP/1.1\r\nHost: h\r\n\r\n'],
    'with length and encoding': ['400', post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\n')],
    'with two lengths': ['400', post('Content-Length: 5\r\nContent-Length: 5', 'hello')],
    'with a list of lengths': ['400', post('Content-Length: 5, 5', 'hello')],
    'with a signed length': ['400', post('Content-Length: +5', 'hello')],
    'with an unknown encoding': ['400', post('Transfer-Encoding: xchunked', '0\r\n\r\n')],
    'with two encodings': ['400', post('Transfer-Encoding: gzip, chunked', '0\r\n\r\n')],
    'with chunks in HTTP/1.0': ['400', 'POST /b HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    'that wants a tunnel': ['405', 'CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n'],
    'that expects what nobody knows': ['417', get('/a', 'Expect: tea\r\n')],
    'that is too long': ['431', `GET /${'a'.repeat(9_000)}`],
    'with too many fields': ['431', get('/a', 'A: b\r\n'.repeat(60))],
  };
  for (const [name, [status, text]] of Object.entries(refused)) {
    test(`${name}: ${status} and the end`, async (t) => {
      const { open, seen } = await startBed(t);
      const wire = open();
      wire.send(text + SMUGGLED);
      assert.deepEqual(statuses(await wire.ended), [status]);
      assert.deepEqual(seen, []);
    });
  }
});

describe('a slow client', () => {
  test('whose head does not end in time gets 408, however slowly its bytes come', async (t) => {
    const { open, seen } = await startBed(t);
    const wire = open();
    wire.send('GET /a HTTP/1.1\r\n');
    const drip = setInterval(() => wire.send('A: b\r\n'), 20);
    assert.deepEqual(statuses(await wire.ended), ['408']);
    clearInterval(drip);
    assert.deepEqual(seen, []);
  });

  test('that says nothing is cut in silence', async (t) => {
    const { open } = await startBed(t);
    assert.equal(await open().ended, '');
  });

  test('that sends empty lines does not keep an idle connection young', async (t) => {
    const { open } = await startBed(t);
    const fresh = open();
    const idle = open();
    idle.send(get('/a'));
    await idle.until(/you sent 0/);
    const drip = setInterval(() => [fresh, idle].forEach((wire) => wire.send('\r\n')), 20);
    const received = await Promise.all([fresh.ended, idle.ended]);
    clearInterval(drip);
    assert.deepEqual(received.map(statuses), [['400'], ['200', '400']]);
  });

  test('that takes nothing of its answers is cut', async (t) => {
    const { open, seen, close } = await startBed(t);
    const wire = open();
    wire.socket.pause();
    wire.send(get('/a').repeat(300_000));
    await once(wire.socket, 'connect');
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // A server that closes waits for whoever it serves.
    await close();
    assert.ok(seen.length < 300_000);
  });
});
