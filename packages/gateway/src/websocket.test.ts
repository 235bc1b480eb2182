import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import type { Duplex } from 'node:stream';
import { requireAuthservice, to, virtualService } from './rig/objects.ts';
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
  await rig.settle();
});
after(() => rig.close());

function open(path: string, fields: string): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      port: rig.tlsPort(),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    socket.setEncoding('latin1').on('error', reject);
    socket.on('secureConnect', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${fields}\r\n`,
      );
      resolve(socket);
    });
  });
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
});
