/** Owns what the tests with real proxies share: an upstream that keeps what it got, free ports, waiting for a port. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface Upstream {
  readonly port: number;
  readonly seen: { readonly url: string; readonly method: string; readonly headers: IncomingHttpHeaders }[];
}

/** Answers "upstream", and WebSocket upgrades with 101 and an end. */
export async function startUpstream(t: TestContext): Promise<Upstream> {
  const seen: Upstream['seen'] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers });
    response.end('upstream');
  });
  server.on('upgrade', (request, socket) => {
    seen.push({ url: request.url ?? '', method: request.method ?? '', headers: request.headers });
    socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function untilListening(port: number): Promise<void> {
  for (let tries = 0; !(await canConnect(port)); tries += 1) {
    if (tries > 1_000) throw new Error(`nobody listens on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

/** One WebSocket handshake; gives the first line of the answer. */
export async function handshake(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries({
    host: 'kubeflow.test',
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  });
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString().split('\r\n')[0] ?? '';
}
