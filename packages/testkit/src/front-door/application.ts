/** Owns the application behind a front door: it keeps what it got. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CleansUp } from './cleanup.ts';

export interface Seen {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

export interface Application {
  readonly port: number;
  readonly seen: Seen[];
}

/** Answers "application"; upgrades to WebSocket with 101 and an end. */
export async function startApplication(cleanup: CleansUp): Promise<Application> {
  const seen: Seen[] = [];
  const keep = ({ url = '', method = '', headers, rawHeaders }: IncomingMessage): void =>
    void seen.push({ url, method, headers, rawHeaders });
  const server = createServer((request, response) => {
    keep(request);
    response.end('application');
  });
  server.on('upgrade', (request, socket) => {
    keep(request);
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}
