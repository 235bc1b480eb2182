import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { endpointSlice, to, virtualService } from './rig/objects.ts';
import { rawExchange } from './rig/raw-exchange.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
let session: ClientHttp2Session;
const rawServers: Server[] = [];

/** A stub that answers bytes to each connection's first bytes. */
async function rawUpstream(name: string, onData: (socket: Socket, connection: number) => void): Promise<void> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    socket.on('error', () => socket.destroy()).on('data', () => onData(socket, connection));
  });
  rawServers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  rig.addService(name, (server.address() as AddressInfo).port);
}

function route(name: string, more: object = {}): void {
  rig.sources.virtualServices.put(
    virtualService(name, [{ match: [{ uri: { prefix: `/${name}` } }], ...to(name), ...more }]),
  );
}

function get(
  path: string,
  method = 'GET',
): Promise<{ status: number; text: string; trailers: object; reset: boolean }> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': path, ':method': method });
    let text = '';
    let status = 0;
    let trailers: object = {};
    stream.on('response', (headers) => void (status = Number(headers[':status'])));
    stream.on('trailers', (received) => void (trailers = received));
    stream.setEncoding('latin1').on('data', (chunk: string) => void (text += chunk));
    stream.on('error', () => undefined);
    stream.on('close', () => resolve({ status, text, trailers, reset: stream.rstCode !== 0 }));
  });
}

before(async () => {
  rig = await startRig({ env: { STREAM_IDLE_TIMEOUT: '400ms' } });
  session = connectHttp2(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
});
after(async () => {
  session.destroy();
  await rig.close();
  for (const server of rawServers) server.close();
});

describe('an upstream that misbehaves gives 502 or 503, never a confused client', () => {
  const answers: Record<string, [bytes: string, status: number]> = {
    'two lengths': ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 502],
    'length and chunks': ['HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n', 502],
    'a bare line feed': ['HTTP/1.1 200 OK\nset-cookie: x\n\n', 502],
    'no HTTP': ['SSH-2.0-OpenSSH_9.2\r\n\r\n', 502],
    'an upgrade that nobody asked for': ['HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n', 502],
    'an endless head': [`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(20_000)}`, 502],
  };
  for (const [index, [name, [bytes, status]]] of Object.entries(answers).entries()) {
    test(name, async () => {
      await rawUpstream(`bad${index}`, (socket) => void socket.write(bytes));
      route(`bad${index}`);
      await rig.settle();
      const answer = await get(`/bad${index}`);
      assert.equal(answer.status, status);
    });
  }

  test('odd but harmless headers pass, and cannot end the process', async () => {
    await rawUpstream(
      'odd',
      (socket) =>
        void socket.write(
          'HTTP/1.1 200 OK\r\nContent-Type: a\r\nContent-Type: b\r\nHTTP2-Settings: x\r\nHost: y\r\nTE: gzip\r\nDate: nonsense\r\nX: \xe4\r\nAge: 1\r\nAge: 2\r\nContent-Length: 2\r\n\r\nok',
        ),
    );
    route('odd');
    await rig.settle();
    assert.equal((await get('/odd')).text, 'ok');
    const raw = await rawExchange(rig.tlsPort(), 'GET /odd HTTP/1.1\r\nHost: h\r\n\r\n', {
      tls: { ALPNProtocols: ['http/1.1'] },
    });
    assert.match(raw, /ok$/);
  });

  test('bytes after the answer poison no later request', async () => {
    await rawUpstream('extra', (socket, connection) => {
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n${connection}.HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison`,
      );
    });
    route('extra');
    await rig.settle();
    assert.equal((await get('/extra')).text, '1.');
    assert.equal((await get('/extra')).text, '2.');
  });

  test('a connection that breaks before the answer gives 503, in its middle a reset', async () => {
    await rawUpstream('breaks', (socket) => socket.destroy());
    await rawUpstream('halfway', (socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc');
      setTimeout(() => socket.destroy(), 20);
    });
    route('breaks');
    route('halfway');
    await rig.settle();
    assert.equal((await get('/breaks')).status, 503);
    const halfway = await get('/halfway');
    assert.deepEqual([halfway.status, halfway.text, halfway.reset], [200, 'abc', true]);
    const raw = await rawExchange(rig.tlsPort(), 'GET /halfway HTTP/1.1\r\nHost: h\r\n\r\n', {
      tls: { ALPNProtocols: ['http/1.1'] },
    });
    assert.match(raw, /abc$/);
  });
});

test('an idle connection that died is replaced for GET, and a POST is not sent twice', async () => {
  const requests: number[] = [];
  await rawUpstream('stale', (socket, connection) => {
    requests.push(connection);
    // Answers the first request of each connection, dies at the second.
    if (requests.filter((item) => item === connection).length > 1) return void socket.destroy();
    socket.write(`HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n${connection}`);
  });
  route('stale');
  await rig.settle();
  assert.equal((await get('/stale')).text, '1');
  assert.equal((await get('/stale')).text, '2');
  assert.deepEqual(requests, [1, 1, 2]);
  assert.equal((await get('/stale', 'POST')).status, 503);
  assert.deepEqual(requests, [1, 1, 2, 2]);
});

test('an endpoint that does not listen is passed over for one that does', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const deadPort = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  const server = await rig.upstream('pair', (_request, response) => response.end('alive'));
  const slice = endpointSlice('pair', 'kubeflow', [(server.address() as AddressInfo).port]);
  const dead = endpointSlice('pair', 'kubeflow', [deadPort]);
  rig.sources.endpointSlices.put({ ...dead, metadata: { ...dead.metadata, name: 'pair-2' } });
  rig.sources.endpointSlices.put(slice);
  route('pair');
  await rig.settle();
  for (let round = 0; round < 4; round += 1) assert.equal((await get('/pair')).text, 'alive');
});

test('a body whose endpoint does not listen goes whole to one that does', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const deadPort = (closed.address() as AddressInfo).port;
  await new Promise((resolve) => closed.close(resolve));
  const bodies: string[] = [];
  const server = await rig.upstream('half', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
    request.on('end', () => response.end(String(bodies.push(body))));
  });
  const slice = endpointSlice('half', 'kubeflow', [(server.address() as AddressInfo).port]);
  const dead = endpointSlice('half', 'kubeflow', [deadPort]);
  rig.sources.endpointSlices.put({ ...dead, metadata: { ...dead.metadata, name: 'half-2' } });
  rig.sources.endpointSlices.put(slice);
  route('half');
  await rig.settle();
  const send = (): Promise<number> =>
    new Promise((resolve) => {
      const stream = session.request({ ':path': '/half', ':method': 'POST' });
      stream.on('response', (headers) => resolve(Number(headers[':status'])));
      stream.on('error', () => undefined);
      stream.resume().write('one');
      setImmediate(() => setImmediate(() => stream.end('two')));
    });
  const statuses = [await send(), await send(), await send(), await send()];
  assert.deepEqual(statuses, [200, 200, 200, 200]);
  for (const body of bodies) assert.equal(body, 'onetwo');
});

test('events arrive as they are sent, head first', async () => {
  let push: (text: string) => void = () => undefined;
  await rig.upstream('events', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    push = (text) => void response.write(text);
  });
  route('events');
  await rig.settle();
  const stream = session.request({ ':path': '/events' });
  const head = await new Promise<Record<string, unknown>>((resolve) => stream.once('response', resolve));
  assert.equal(head['content-type'], 'text/event-stream');
  for (const text of ['data: 1\n\n', 'data: 2\n\n']) {
    const received = new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(String(chunk))));
    push(text);
    assert.equal(await received, text);
  }
  stream.close();
});

test('trailers pass to HTTP/2 clients', async () => {
  await rawUpstream(
    'trailing',
    (socket) =>
      void socket.write(
        'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\nab\r\n0\r\nx-sum: 7\r\n\r\n',
      ),
  );
  route('trailing');
  await rig.settle();
  const answer = await get('/trailing');
  assert.equal(answer.text, 'ab');
  assert.equal((answer.trailers as Record<string, string>)['x-sum'], '7');
});

test('a large body passes both ways whole, and a client that does not read stops the upstream', async () => {
  const size = 8 * 1024 * 1024;
  let written = 0;
  await rig.upstream('big', (request, response) => {
    if (request.method === 'POST') {
      let received = 0;
      request
        .on('data', (chunk: Buffer) => void (received += chunk.length))
        .on('end', () => response.end(String(received)));
      return;
    }
    const block = Buffer.alloc(65_536, 'x');
    const pump = (): void => {
      while (written < size * 8) {
        written += block.length;
        if (!response.write(block)) return void response.once('drain', pump);
      }
      response.end();
    };
    pump();
  });
  route('big');
  await rig.settle();
  const upload = await new Promise<string>((resolve, reject) => {
    const sent = httpsRequest(
      { port: rig.tlsPort(), host: '127.0.0.1', path: '/big', method: 'POST', rejectUnauthorized: false },
      (response) => {
        let text = '';
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => void (text += chunk))
          .on('end', () => resolve(text));
      },
    );
    sent.on('error', reject);
    sent.end(Buffer.alloc(size, 'y'));
  });
  assert.equal(upload, String(size));
  const stream = session.request({ ':path': '/big' });
  await new Promise((resolve) => stream.once('response', resolve));
  let before = -1;
  while (before !== written) {
    before = written;
    await rig.settle();
    await rig.settle();
  }
  assert.ok(written < size * 4, `the upstream wrote ${written} bytes that nobody read`);
  stream.close();
});

test('a route timeout gives 504, silence beyond the idle limit ends the request', async () => {
  await rig.upstream('slow', () => undefined);
  route('slow', { timeout: '50ms' });
  await rig.upstream('silent', () => undefined);
  route('silent');
  await rig.settle();
  const slow = await get('/slow');
  assert.equal(`${slow.status} ${slow.text}`, '504 upstream request timeout');
  assert.equal((await get('/silent')).status, 504);
});

test('a client that opens no window for an answer under way is given up, and its upstream freed', async (t) => {
  const freed = Promise.withResolvers<void>();
  await rig.upstream('endless', (_request, response) => {
    response.on('close', () => freed.resolve());
    const fill = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      if (!response.destroyed) response.once('drain', fill);
    };
    fill();
  });
  route('endless');
  await rig.settle();
  const settings = { initialWindowSize: 0 };
  const closed = connectHttp2(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false, settings });
  t.after(() => closed.destroy());
  const stream = closed.request({ ':path': '/endless' });
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => void (bytes += chunk.length)).on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  await freed.promise;
  assert.deepEqual([bytes, stream.rstCode !== 0], [0, true]);
});

test('a client that goes away frees the upstream', async () => {
  const gone = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await rig.upstream('watch', (request) => {
    request.socket.on('close', () => gone.resolve());
    begun.resolve();
  });
  route('watch');
  await rig.settle();
  const stream = session.request({ ':path': '/watch' });
  await begun.promise;
  stream.close();
  await gone.promise;
});

test('while draining, requests in flight finish and HTTP/1 clients are told to leave', async () => {
  const other = await startRig();
  const begun = Promise.withResolvers<() => void>();
  await other.upstream('last', (_request, response) => begun.resolve(() => response.end('done')));
  other.sources.virtualServices.put(virtualService('last', [to('last')]));
  await other.settle();
  const answer = rawExchange(other.tlsPort(), 'GET / HTTP/1.1\r\nHost: h\r\n\r\n', {
    tls: { ALPNProtocols: ['http/1.1'] },
  });
  const finish = await begun.promise;
  const stopped = other.close();
  assert.equal(other.gateway.notReady(), 'draining');
  finish();
  assert.match(await answer, /^HTTP\/1\.1 200 [\s\S]*connection: close[\s\S]*done$/i);
  await stopped;
});
