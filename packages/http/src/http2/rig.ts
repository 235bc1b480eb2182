/** Owns an HTTP/2 connection over a real socket whose client talks frames, with a clock that tests move. Imported by tests only. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';
import type { TestContext } from 'node:test';
import {
  END_HEADERS,
  END_STREAM,
  FRAME,
  frame,
  headerBlock,
  PREFACE,
  readFrames,
  settings,
} from '../../../testkit/src/http2-wire.ts';
import type { Frame } from '../../../testkit/src/http2-wire.ts';
import type { CoarseClock, Watched } from '../connection/coarse-clock.ts';
import { createCopyPool } from '../connection/copy-pool.ts';
import type { Downstream } from '../connection/downstream.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import { Http2Connection } from './http2-connection.ts';

export type Handler = (request: Downstream) => void;
export type Fields = readonly (readonly [name: string, value: string])[];

export interface Http2Rig {
  readonly port: number;
  readonly connections: Set<Http2Connection>;
  /** `acks`: acknowledges settings by itself. */
  open(first?: Buffer, acks?: boolean): Peer;
  /** Lets time pass for the server. */
  advance(ms: number): void;
  /** Requests that were handed over: method and target. */
  readonly seen: string[];
  /** Waits until the server has no connection. */
  empty(): Promise<void>;
}

const HEAD = { maxBytes: 65_536, maxFields: 100 };
export const HEAD_TIMEOUT_MS = 10_000;
export const IDLE_MS = 300_000;

export async function startHttp2Rig(t: TestContext, handler: Handler): Promise<Http2Rig> {
  const seen: string[] = [];
  const connections = new Set<Http2Connection>();
  const { clock, advance } = createMovedClock();
  const shared = {
    clock,
    copies: createCopyPool(),
    encoder: new HpackEncoder(),
    head: HEAD,
    place: { port: 443, isTls: true },
  };
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    const connection = new Http2Connection(socket, 'example.com', {
      ...shared,
      headTimeoutMs: HEAD_TIMEOUT_MS,
      idleMs: IDLE_MS,
      handler: (request) => {
        seen.push(`${request.raw.method} ${request.raw.target}`);
        handler(request);
      },
      onClose: () => connections.delete(connection),
    });
    connections.add(connection);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const peers: Peer[] = [];
  t.after(() => {
    for (const peer of peers) peer.socket.destroy();
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  const open = (first: Buffer = Buffer.concat([PREFACE, settings()]), acks = true): Peer => {
    const peer = new Peer(connect(port, '127.0.0.1'), acks);
    peers.push(peer);
    peer.send(first);
    return peer;
  };
  const empty = async (): Promise<void> => {
    while (connections.size > 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return { port, connections, open, advance, seen, empty };
}

function createMovedClock(): { clock: CoarseClock; advance: (ms: number) => void } {
  const watched = new Set<Watched>();
  let now = 0;
  const clock = {
    get now(): number {
      return now;
    },
    watch: (item: Watched): void => void watched.add(item),
    forget: (item: Watched): void => void watched.delete(item),
    stop: (): void => undefined,
  };
  const advance = (ms: number): void => {
    now += ms;
    for (const item of watched) item.check(now);
  };
  return { clock, advance };
}

interface Waiting {
  readonly wants: (frame: Frame) => boolean;
  readonly resolve: (frame: Frame | undefined) => void;
}

/** A client that sends frames as it is told to. */
export class Peer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<void>;
  readonly #decoder = new HpackDecoder();
  #waiting: Waiting[] = [];
  #isClosed = false;
  readonly #acks: boolean;

  constructor(socket: Socket, acks: boolean) {
    this.socket = socket;
    this.#acks = acks;
    socket.on('error', () => undefined);
    readFrames(socket, 0, (item) => this.#onFrame(item));
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.#isClosed = true;
        for (const { resolve: give } of this.#waiting) give(undefined);
        resolve();
      }),
    );
  }

  send(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  request(stream: number, fields: Fields, flags: number = END_STREAM): void {
    this.send(head(stream, fields, flags));
  }

  /** The first frame so far, or from now on, that is wanted; undefined when the connection ends without one. */
  find(wants: (frame: Frame) => boolean): Promise<Frame | undefined> {
    const known = this.frames.find(wants);
    if (known !== undefined || this.#isClosed) return Promise.resolve(known);
    return new Promise((resolve) => this.#waiting.push({ wants, resolve }));
  }

  /** Waits until the server has taken everything that was sent before. */
  async settle(): Promise<void> {
    const mark = Buffer.from(String(this.frames.length).padStart(8, '.'));
    this.send(frame({ type: FRAME.ping, flags: 0, stream: 0 }, mark));
    await this.find(({ type, payload }) => type === FRAME.ping && payload.equals(mark));
  }

  /** The code that a stream is reset with. */
  async resetCode(stream: number): Promise<number | undefined> {
    const found = await this.find((item) => item.type === FRAME.reset && item.stream === stream);
    return found?.payload.readUInt32BE(0);
  }

  /** The code that the connection ends with. */
  async goawayCode(): Promise<number | undefined> {
    const found = await this.find((item) => item.type === FRAME.goaway);
    return found?.payload.readUInt32BE(4);
  }

  /** A whole answer: its head, what came of the body, its trailers. */
  async answer(stream: number): Promise<{ status: string; fields: string[]; text: string; trailers: string[] }> {
    const isLast = ({ flags, stream: id, type }: Frame): boolean =>
      id === stream && (type === FRAME.reset || ((flags & END_STREAM) !== 0 && type <= FRAME.headers));
    await this.find(isLast);
    const own = this.frames.filter((item) => item.stream === stream);
    const heads = own.filter(({ type }) => type === FRAME.headers).map(({ payload }) => this.#read(payload));
    const [first = [], ...rest] = heads.filter(([status]) => status !== ':status: 100');
    const body = own.filter(({ type }) => type === FRAME.data).map(({ payload }) => payload);
    const text = Buffer.concat(body).toString('latin1');
    return { status: first[0]?.slice(9) ?? '', fields: first.slice(1), text, trailers: rest[0] ?? [] };
  }

  #read(block: Buffer): string[] {
    const lines: string[] = [];
    this.#decoder.decode(
      { bytes: block, at: 0, end: block.length },
      { take: ({ name, value }) => void lines.push(`${name}: ${value}`) },
    );
    return lines;
  }

  #onFrame(item: Frame): void {
    this.frames.push(item);
    if (this.#acks && item.type === FRAME.settings && (item.flags & 1) === 0)
      this.send(frame({ type: FRAME.settings, flags: 1, stream: 0 }));
    const met = this.#waiting.filter(({ wants }) => wants(item));
    this.#waiting = this.#waiting.filter((each) => !met.includes(each));
    for (const { resolve } of met) resolve(item);
  }
}

export const GET: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'example.com'],
  [':path', '/'],
];
export const POST: Fields = [[':method', 'POST'], ...GET.slice(1)];

export const to = (path: string, fields: Fields = GET): Fields => [
  ...fields.slice(0, 3),
  [':path', path],
  ...fields.slice(4),
];

export function head(stream: number, fields: Fields, flags: number = END_STREAM): Buffer {
  return frame({ type: FRAME.headers, flags: flags | END_HEADERS, stream }, headerBlock(fields));
}

export function data(stream: number, bytes: string | Buffer, flags = 0): Buffer {
  return frame({ type: FRAME.data, flags, stream }, Buffer.from(bytes));
}

/** A frame of one number with 32 bits. */
export function number(type: number, stream: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return frame({ type, flags: 0, stream }, payload);
}
