/** Owns a client that talks bytes and waits for what comes back. Imported by tests only. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export interface Wire {
  readonly socket: Socket;
  readonly received: () => string;
  send(text: string): void;
  /** Resolves with everything received once it matches; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<string>;
  /** Resolves with everything received once the peer has ended. */
  readonly ended: Promise<string>;
}

/** Connects to a port of this machine. It reads what comes unless its socket is paused. */
export function openWire(port: number): Wire {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  const waiting = new Set<() => void>();
  const { promise: ended, resolve: end } = Promise.withResolvers<string>();
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    for (const look of waiting) look();
  });
  for (const event of ['end', 'error', 'close']) socket.on(event, () => end(text));
  return {
    socket,
    received: () => text,
    send: (bytes) => void socket.write(bytes, 'latin1'),
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (!pattern.test(text)) return;
          waiting.delete(look);
          resolve(text);
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`the connection ended before ${pattern}: ${text.slice(-500)}`)));
      }),
  };
}
