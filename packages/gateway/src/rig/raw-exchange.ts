/** Owns talking bytes to a port, with no HTTP client that could tidy them. Imported by tests only. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** Sends bytes as they are and gives everything that came back until the peer closed, or was silent for `quietMs` after its first byte; `waitMs` bounds the wait for that one. */
export function rawExchange(
  port: number,
  bytes: string,
  options: { tls?: ConnectionOptions; quietMs?: number; waitMs?: number } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const { tls, quietMs = 150, waitMs } = options;
    const socket: Socket =
      tls === undefined
        ? connect(port, '127.0.0.1')
        : connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...tls });
    let received = '';
    let timer = waitMs === undefined ? undefined : setTimeout(() => done(), waitMs);
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(received);
    };
    socket.setEncoding('latin1');
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => socket.write(bytes, 'latin1'));
    socket.on('data', (chunk: string) => {
      received += chunk;
      clearTimeout(timer);
      timer = setTimeout(done, quietMs);
    });
    socket.on('close', done);
    socket.on('error', (error) => (received === '' ? reject(error) : done()));
  });
}
