/** Owns one bound address of the service proxy. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { forwardConnection, LOW_PORT_OFFSET } from './forward-connection.ts';
import { listenOn } from './listen-on.ts';
import type { Target } from './service-listeners.ts';

export interface PortListener {
  readonly address: string;
  /** The port that was really bound. */
  readonly boundPort: number;
  close(): void;
}

export interface PortListenerOptions {
  readonly address: string;
  readonly port: number;
  /** Asked for each connection. */
  targets(): readonly Target[];
}

/** Binds the address; a low port that may not be bound (or is taken by somebody on every address) becomes one 8000 above it. */
export async function openPortListener({ address, port, targets }: PortListenerOptions): Promise<PortListener> {
  const sockets = new Set<Socket>();
  let turn = 0;
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const known = targets();
    turn = (turn + 1) % Math.max(1, known.length);
    void forwardConnection(socket, [...known.slice(turn), ...known.slice(0, turn)]);
  });
  const boundPort = await bind(port);
  // A listener that fails later must not take the whole cluster along.
  server.on('error', () => server.close());
  return {
    address,
    boundPort,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };

  async function bind(wanted: number): Promise<number> {
    try {
      await listenOn(server, wanted, address);
      return wanted;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (wanted >= 1024 || (code !== 'EACCES' && code !== 'EADDRINUSE')) throw error;
      await listenOn(server, wanted + LOW_PORT_OFFSET, address);
      return wanted + LOW_PORT_OFFSET;
    }
  }
}
