import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import type { Duplex } from 'node:stream';
import { kubeflowGateway, requireAuthservice, to, virtualService, withoutRedirect } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
const closed: string[] = [];

before(async () => {
  rig = await startRig();
  const server = await rig.upstream('centraldashboard', (_request, response) =>
    response.writeHead(426).end('upgrade, please'),
  );
  server.on('upgrade', (request, socket: Duplex) => {
    if (request.url === '/endless') return endless(socket);
    if (request.url === '/refuse') return void socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno');
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.write(`hello ${request.headers['kubeflow-userid']};`);
    socket.on('data', (chunk: Buffer) => socket.write(`echo ${chunk};`));
    socket
      .on('end', () => socket.end())
      .on('close', () => closed.push(request.url ?? ''))
      .on('error', () => socket.destroy());
  });
  await rig.upstream(
    'authservice',
    (request, response) => {
      if (request.headers.cookie === 's=good') response.setHeader('kubeflow-userid', 'anna').end();
      else response.writeHead(401).end();
    },
    'istio-system',
  );
  rig.sources.virtualServices.put(virtualService('centraldashboard', [to('centraldashboard')]));
  requireAuthservice(rig.sources);
  rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  await rig.settle();
});
after(() => rig.close());

const HANDSHAKE =
  'Host: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

function open(path: string, fields: string): Promise<TLSSocket> {
  const to = { port: rig.tlsPort(), host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
  return begin(connectTls(to), { event: 'secureConnect', path, fields });
}

/** Without TLS, where the number of connections is the point. */
function openPlain(path: string, fields: string): Promise<Socket> {
  return begin(connect(rig.plainPort(), '127.0.0.1'), { event: 'connect', path, fields });
}

interface Handshake {
  readonly event: string;
  readonly path: string;
  readonly fields: string;
}

function begin<T extends Socket>(socket: T, { event, path, fields }: Handshake): Promise<T> {
  return new Promise((resolve, reject) => {
    socket.setEncoding('latin1').on('error', reject);
    socket.on(event, () => {
      socket.write(`GET ${path} HTTP/1.1\r\n${HANDSHAKE}${fields}\r\n`);
      resolve(socket);
    });
  });
}

/** Of the endless one: how much its upstream has written, and whether it was let go. */
const written = { bytes: 0, ended: false };

function endless(socket: Duplex): void {
  const block = Buffer.alloc(65_536, 'x');
  const fill = (): void => {
    while (!socket.destroyed) {
      written.bytes += block.length;
      if (!socket.write(block)) return void socket.once('drain', fill);
    }
  };
  socket.on('error', () => socket.destroy()).on('close', () => void (written.ended = true));
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  fill();
}

function readUntil(stream: Duplex, end: string): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const onData = (chunk: string | Buffer): void => {
      text += String(chunk);
      if (text.includes(end)) done();
    };
    const done = (): void => {
      stream.off('data', onData);
      resolve(text);
    };
    stream.on('data', onData).on('close', done);
  });
}

describe('a WebSocket', () => {
  test('over HTTP/1.1 is checked, then passed through both ways', async () => {
    const socket = await open('/ws', 'Cookie: s=good\r\nkubeflow-userid: root\r\n');
    const head = await readUntil(socket, 'anna;');
    assert.match(head, /^HTTP\/1\.1 101 /);
    assert.match(head, /sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
    assert.match(head, /hello anna;$/);
    socket.write('one');
    assert.equal(await readUntil(socket, ';'), 'echo one;');
    socket.destroy();
    while (closed.length === 0) await rig.settle();
  });

  test('over HTTP/2 (RFC 8441) works the same', async () => {
    const session = connectHttp2(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
    await new Promise((resolve) => session.once('remoteSettings', resolve));
    const stream = session.request(
      {
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/ws',
        ':scheme': 'https',
        cookie: 's=good',
        'sec-websocket-version': '13',
      },
      { endStream: false },
    );
    const status = await new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
    assert.equal(status, 200);
    assert.match(await readUntil(stream, 'anna;'), /hello anna;$/);
    stream.write('two');
    assert.equal(await readUntil(stream, ';'), 'echo two;');
    session.destroy();
  });

  test('without a session is not opened', async () => {
    const socket = await open('/ws', '');
    assert.match(await readUntil(socket, '\0'), /^HTTP\/1\.1 401 /);
  });

  test('that the upstream refuses gives its refusal', async () => {
    const socket = await open('/refuse', 'Cookie: s=good\r\n');
    assert.match(await readUntil(socket, '\0'), /^HTTP\/1\.1 403 [\s\S]*no$/);
  });

  test('of 500 each gets its own bytes back, however many are open', async () => {
    const sockets = await Promise.all(Array.from({ length: 500 }, () => openPlain('/many', 'Cookie: s=good\r\n')));
    await Promise.all(sockets.map((socket) => readUntil(socket, 'hello anna;')));
    for (let round = 0; round < 3; round += 1) {
      const answers = sockets.map((socket) => readUntil(socket, '#;'));
      for (const [index, socket] of sockets.entries()) socket.write(`${round} of ${index}#`);
      const texts = await Promise.all(answers);
      for (const [index, text] of texts.entries()) assert.equal(text, `echo ${round} of ${index}#;`);
    }
    for (const socket of sockets) socket.destroy();
  });

  test('whose client does not read stops its upstream, and both end together', async () => {
    const socket = await open('/endless', 'Cookie: s=good\r\n');
    await readUntil(socket, '\r\n\r\n');
    socket.pause();
    let before = -1;
    while (before !== written.bytes) {
      before = written.bytes;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.ok(written.bytes < 64 * 1024 * 1024, `${written.bytes} bytes that nobody read`);
    socket.destroy();
    while (!written.ended) await new Promise((resolve) => setTimeout(resolve, 10));
  });
});
