/** Owns one connection through the service proxy: find a target that answers, then carry bytes both ways. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Target } from './service-listeners.ts';

const CONNECT_MS = 5_000;
const MAX_TRIES = 8;
/** Programs that may not bind a low port use this one above it. */
export const LOW_PORT_OFFSET = 8000;

/** Tries the targets in order; a connection that nobody takes is reset, as a refused one would be. */
export async function forwardConnection(client: Socket, targets: readonly Target[]): Promise<void> {
  client.on('error', () => client.destroy());
  for (const target of targets.slice(0, MAX_TRIES)) {
    const upstream =
      (await dial(target)) ??
      (target.port < 1024 ? await dial({ ...target, port: target.port + LOW_PORT_OFFSET }) : undefined);
    if (upstream === undefined) continue;
    if (client.destroyed) upstream.destroy();
    else carry(client, upstream);
    return;
  }
  client.resetAndDestroy();
}

function dial({ host, port }: Target): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(new Error('timeout')), CONNECT_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}

/** `pipe` gives back-pressure, and carries the end of one direction without ending the other. */
function carry(client: Socket, upstream: Socket): void {
  upstream.on('error', () => client.destroy());
  upstream.on('close', (hadError) => (hadError ? client.destroy() : undefined));
  client.on('close', () => upstream.destroy());
  upstream.pipe(client);
  client.pipe(upstream);
}
