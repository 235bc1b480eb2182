/** Every way in which Node listens and connects, on addresses that this machine need not have. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import { prepareClusterKeys } from '../auth/cluster-keys.ts';
import { installOverlay } from './install-overlay.ts';
import { parseOverlay, portFile, renderOverlay } from './overlay.ts';
import type { Overlay } from './overlay.ts';

const HOST = '127.90.128.5';
const NAME = 'web.ns.svc.cluster.local';
const directory = await mkdtemp(join(tmpdir(), 'net-'));
const overlay: Overlay = { prefix: '127.90.', directory };
installOverlay({ overlay, wildcard: HOST, resolve: (name) => (name === NAME ? HOST : undefined) });
const keys = await prepareClusterKeys(join(directory, 'pki'), { names: [NAME, HOST], now: new Date() });
const pair = { cert: keys.server.certificate, key: keys.server.key };
const ca = keys.ca.certificate;
after(() => rm(directory, { recursive: true, force: true }));

async function listening<S extends net.Server>(t: TestContext, server: S, port = 0, host = HOST): Promise<number> {
  t.after(() => server.close());
  server.listen(port, host);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What a request got, and what its server saw of the caller. */
const seen = (request: { readonly socket: net.Socket }): string => {
  const { remoteAddress, remoteFamily, localAddress, localPort } = request.socket;
  return `${remoteAddress} ${remoteFamily} ${localAddress}:${localPort}`;
};

async function textOf(request: http.ClientRequest): Promise<string> {
  const [response] = (await once(request.end(), 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('a server and its callers see the cluster’s addresses, and the machine has neither', async (t) => {
  const server = net.createServer((socket) => socket.end(seen({ socket })));
  const port = await listening(t, server, 80);
  assert.deepEqual(server.address(), { address: HOST, port: 80, family: 'IPv4' });
  for (const host of [HOST, NAME]) {
    const socket = net.connect(port, host);
    const [text] = (await once(socket, 'data')) as [Buffer];
    assert.equal(text.toString(), `127.0.0.1 IPv4 ${HOST}:80`);
    assert.deepEqual([socket.remoteAddress, socket.remotePort], [HOST, 80]);
  }
});

test('the wildcard is the pod’s address; a free port is found for 0', async (t) => {
  for (const start of [
    (server: net.Server) => server.listen(0),
    (server: net.Server) => server.listen(),
    (server: net.Server) => server.listen({ port: 0, host: '0.0.0.0' }),
    (server: net.Server) => server.listen(0, '::', 16),
  ]) {
    const server = net.createServer((socket) => socket.end('x'));
    t.after(() => server.close());
    start(server);
    await once(server, 'listening');
    const { address, port } = server.address() as AddressInfo;
    assert.equal(address, HOST);
    assert.ok(port > 0);
    await once(net.connect({ host: HOST, port }).resume(), 'end');
  }
});

test('addresses of the machine, sockets by path and handles are left alone', async (t) => {
  const server = net.createServer((socket) => socket.end('x'));
  const port = await listening(t, server, 0, '127.0.0.1');
  assert.equal((server.address() as AddressInfo).address, '127.0.0.1');
  const socket = net.connect(port, '127.0.0.1').resume();
  await once(socket, 'connect');
  assert.deepEqual([socket.remoteAddress, socket.remotePort], ['127.0.0.1', port]);
  const path = join(directory, 'own');
  const other = net.createServer((peer) => peer.end('y'));
  t.after(() => other.close());
  other.listen(path);
  await once(other, 'listening');
  assert.equal(other.address(), path);
  assert.equal(String(((await once(net.connect(path), 'data')) as [Buffer])[0]), 'y');
});

test('http and fetch, with kept connections', async (t) => {
  const port = await listening(
    t,
    http.createServer((request, response) => response.end(seen(request))),
  );
  const expected = `127.0.0.1 IPv4 ${HOST}:${port}`;
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  for (const options of [{ agent }, { agent }, { agent: false }]) {
    assert.equal(await textOf(http.request({ host: HOST, port, path: '/x', ...options })), expected);
  }
  assert.equal(await (await fetch(`http://${NAME}:${port}/x`)).text(), expected);
});

test('https checks the certificate of the name that was asked for', async (t) => {
  const port = await listening(
    t,
    https.createServer(pair, (request, response) => response.end(seen(request))),
  );
  const expected = `127.0.0.1 IPv4 ${HOST}:${port}`;
  for (const host of [NAME, HOST]) {
    assert.equal(await textOf(https.request({ host, port, ca })), expected);
    assert.equal(await textOf(https.request({ host, port, ca, agent: false })), expected);
  }
  const wrong = https.request({ host: HOST, servername: 'other.example.org', port, ca });
  await assert.rejects(textOf(wrong), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  const socket = tls.connect(port, HOST, { ca });
  await once(socket, 'secureConnect');
  assert.deepEqual([socket.remoteAddress, socket.authorized], [HOST, true]);
  socket.destroy();
});

test('http2, in plain text and over TLS', async (t) => {
  for (const [scheme, server] of [
    ['http', http2.createServer()],
    ['https', http2.createSecureServer(pair)],
  ] as const) {
    server.on('request', (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse) =>
      response.end(seen(request as unknown as { socket: net.Socket })),
    );
    const port = await listening(t, server as net.Server);
    const session = http2.connect(`${scheme}://${NAME}:${port}`, { ca });
    t.after(() => session.destroy());
    const stream = session.request({ ':path': '/' }).setEncoding('utf8');
    let text = '';
    for await (const chunk of stream) text += String(chunk);
    assert.equal(text, `127.0.0.1 IPv4 ${HOST}:${port}`);
  }
});

test('where nobody listens the connection is refused, under the address that was asked for', async () => {
  const refused = { code: 'ECONNREFUSED', address: HOST, port: 9, message: `connect ECONNREFUSED ${HOST}:9` };
  await assert.rejects(once(net.connect(9, HOST), 'connect'), refused);
  await assert.rejects(textOf(https.request({ host: HOST, port: 9 })), refused);
});

test('a taken port is refused; one whose owner was killed is free', async (t) => {
  const server = net.createServer();
  const port = await listening(t, server);
  const second = net.createServer();
  second.listen(port, HOST);
  assert.equal(((await once(second, 'error')) as [NodeJS.ErrnoException])[0].code, 'EADDRINUSE');
  const program = `
    import { installOverlay } from ${JSON.stringify(new URL('install-overlay.ts', import.meta.url).href)};
    import net from 'node:net';
    installOverlay({ overlay: ${JSON.stringify(overlay)} });
    net.createServer().listen(7000, '${HOST}', () => process.stdout.write('up'));`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.ok(existsSync(portFile(overlay, { host: HOST, port: 7000 })), 'a killed process leaves its socket');
  await assert.rejects(once(net.connect(7000, HOST), 'connect'), { code: 'ECONNREFUSED' });
  assert.equal(await listening(t, net.createServer(), 7000), 7000);
});

test('a link leads to a real port of the machine, with TLS by the name', async (t) => {
  const server = https.createServer(pair, (_request, response) => response.end('real'));
  const real = await listening(t, server, 0, '127.0.0.1');
  await symlink(String(real), portFile(overlay, { host: HOST, port: 443 }));
  assert.equal(await textOf(https.request({ host: NAME, port: 443, ca })), 'real');
  assert.equal(await listening(t, net.createServer(), 443), 443, 'a program that knows the overlay takes its place');
});

test('a reset of an accepted connection closes it', async (t) => {
  const server = net.createServer((socket) => socket.resetAndDestroy());
  const port = await listening(t, server);
  const socket = net.connect(port, HOST).resume();
  socket.on('error', () => undefined);
  await once(socket, 'close');
});

test('the overlay is told in one variable, wherever its directory lies', () => {
  const odd: Overlay = { prefix: '127.64.', directory: '/Users/Ada Lovelace/net' };
  assert.deepEqual(parseOverlay(renderOverlay(odd)), odd);
  assert.throws(() => parseOverlay(`127.64. ${pathToFileURL('/x').href}`), /is no overlay network/);
});
