/**
 * Owns load on a token endpoint: so many kept connections, on each one refresh after the other with the token of the answer before.
 * Plain sockets and the least parsing that answers of known shape need, so that the asking side costs little.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const HEAD_END = '\r\n\r\n';

export interface TokenLoad {
  readonly port: number;
  readonly path: string;
  readonly authorization: string;
  /** One connection each. */
  readonly tokens: readonly string[];
}

export interface RefreshLoad {
  /** Asks for so long and resolves with the number of answers; throws when one is not 200. */
  run(milliseconds: number): Promise<number>;
  close(): void;
}

export function createRefreshLoad({ port, path, authorization, tokens }: TokenLoad): RefreshLoad {
  const open = (): Socket =>
    connect(port, '127.0.0.1')
      .setNoDelay()
      .on('error', () => undefined);
  const lanes = tokens.map((token) => ({ socket: open(), token }));
  const head = `POST ${path} HTTP/1.1\r\nHost: bench\r\nAuthorization: ${authorization}\r\nContent-Type: application/x-www-form-urlencoded\r\n`;
  const turn = async (lane: (typeof lanes)[number]): Promise<void> => {
    const body = `grant_type=refresh_token&refresh_token=${lane.token}`;
    const answered = readAnswer(lane.socket);
    lane.socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    const text = await answered;
    if (!text.startsWith('HTTP/1.1 200')) throw new Error(`the token endpoint answered ${text.slice(0, 300)}`);
    lane.token = /"refresh_token":"([^"]+)"/.exec(text)?.[1] ?? lane.token;
  };
  return {
    run: async (milliseconds) => {
      const end = performance.now() + milliseconds;
      let count = 0;
      const drive = async (lane: (typeof lanes)[number]): Promise<void> => {
        // Servers end connections that rest while others are measured.
        if (lane.socket.destroyed || lane.socket.readableEnded) lane.socket = open();
        for (; performance.now() < end; count += 1) await turn(lane);
      };
      await Promise.all(lanes.map(drive));
      return count;
    },
    close: () => {
      for (const { socket } of lanes) socket.destroy();
    },
  };
}

function readAnswer(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const read = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const end = text.indexOf(HEAD_END);
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < end + HEAD_END.length + length) return;
      socket.off('data', read).off('close', lost);
      resolve(text);
    };
    const lost = (): void => reject(new Error('the connection was closed'));
    if (socket.destroyed) return lost();
    socket.on('data', read).on('close', lost);
  });
}
