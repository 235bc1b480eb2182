/**
 * Owns the server side of SPDY/3.1 as port forwarding uses it: streams that the client opens, data both ways, no flow control
 * (neither side of the Kubernetes protocol keeps windows). Frames are bounded; anything malformed ends the connection.
 */
import { constants, createDeflate, createInflate } from 'node:zlib';
import { spdyDictionary } from './spdy-dictionary.ts';

export interface SpdyStream {
  readonly headers: ReadonlyMap<string, string>;
  onData: (bytes: Buffer) => void;
  onEnd: () => void;
  onClose: () => void;
  write(bytes: Uint8Array): void;
  end(): void;
  reset(): void;
}

export interface SpdyOptions {
  readonly send: (bytes: Buffer) => void;
  readonly onStream: (stream: SpdyStream) => void;
  readonly onFailure: () => void;
}

export interface SpdyServer {
  receive(bytes: Buffer): void;
  close(): void;
}

const TYPE = { synStream: 1, synReply: 2, reset: 3, ping: 6, goAway: 7 } as const;
const FIN = 1;
const MAX_FRAME = 1024 * 1024;
const MAX_HEADERS = 64 * 1024;
const MAX_STREAMS = 1000;
const PROTOCOL_ERROR = 1;

export function createSpdyServer(options: SpdyOptions): SpdyServer {
  const streams = new Map<number, SpdyStream>();
  const headers = createHeaderCodec();
  let pending: Buffer = Buffer.alloc(0);
  let work: Promise<void> = Promise.resolve();
  const closeAll = (): void => {
    for (const stream of streams.values()) stream.onClose();
    streams.clear();
    headers.close();
  };
  const fail = (): void => void (closeAll(), options.onFailure());
  const open = async (id: number, flags: number, block: Buffer): Promise<void> => {
    const parsed = parseHeaders(await headers.inflate(block));
    if (streams.size >= MAX_STREAMS) return options.send(control(TYPE.reset, ids(id, PROTOCOL_ERROR)));
    const stream = createStream(id, parsed, { send: options.send, forget: () => streams.delete(id) });
    streams.set(id, stream);
    options.send(control(TYPE.synReply, Buffer.concat([ids(id), await headers.deflateEmpty()])));
    options.onStream(stream);
    if ((flags & FIN) !== 0) stream.onEnd();
  };
  const handle = async (frame: Buffer): Promise<void> => {
    const flags = frame[4] ?? 0;
    const body = frame.subarray(8);
    const first = frame.readUInt32BE(0);
    if (first < 0x80000000) return receiveData(streams.get(first), flags, body);
    const type = first & 0xffff;
    if (type === TYPE.synStream) return open(body.readUInt32BE(0) & 0x7fffffff, flags, body.subarray(10));
    if (type === TYPE.ping) options.send(control(TYPE.ping, body));
    if (type !== TYPE.reset) return;
    const id = body.readUInt32BE(0) & 0x7fffffff;
    streams.get(id)?.onClose();
    streams.delete(id);
  };
  return {
    receive(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      while (pending.length >= 8) {
        const size = 8 + pending.readUIntBE(5, 3);
        if (size > MAX_FRAME) return fail();
        if (pending.length < size) return;
        const frame = pending.subarray(0, size);
        pending = pending.subarray(size);
        work = work.then(() => handle(frame)).catch(fail);
      }
    },
    close: closeAll,
  };
}

function receiveData(stream: SpdyStream | undefined, flags: number, body: Buffer): void {
  if (stream === undefined) return;
  if (body.length > 0) stream.onData(body);
  if ((flags & FIN) !== 0) stream.onEnd();
}

interface StreamDeps {
  readonly send: (bytes: Buffer) => void;
  readonly forget: () => void;
}

function createStream(id: number, headers: ReadonlyMap<string, string>, { send, forget }: StreamDeps): SpdyStream {
  let ended = false;
  return {
    headers,
    onData: () => undefined,
    onEnd: () => undefined,
    onClose: () => undefined,
    write(bytes) {
      if (!ended) send(dataFrame(id, 0, bytes));
    },
    end() {
      if (!ended) send(dataFrame(id, FIN, Buffer.alloc(0)));
      ended = true;
    },
    reset() {
      ended = true;
      send(control(TYPE.reset, ids(id, PROTOCOL_ERROR)));
      forget();
    },
  };
}

function dataFrame(id: number, flags: number, bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head[4] = flags;
  head.writeUIntBE(bytes.length, 5, 3);
  return Buffer.concat([head, bytes]);
}

function control(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUIntBE(body.length, 5, 3);
  return Buffer.concat([head, body]);
}

function ids(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, index * 4);
  return bytes;
}

function parseHeaders(block: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let offset = 4;
  const text = (): string => {
    const size = block.readUInt32BE(offset);
    const value = block.toString('utf8', offset + 4, offset + 4 + size);
    offset += 4 + size;
    return value;
  };
  const count = block.readUInt32BE(0);
  for (let index = 0; index < count && index < 100; index += 1) headers.set(text().toLowerCase(), text());
  return headers;
}

interface HeaderCodec {
  inflate(block: Buffer): Promise<Buffer>;
  deflateEmpty(): Promise<Buffer>;
  close(): void;
}

/** Header blocks of one connection share one zlib stream in each direction. */
function createHeaderCodec(): HeaderCodec {
  const dictionary = spdyDictionary();
  const inflater = createInflate({ dictionary, finishFlush: constants.Z_SYNC_FLUSH });
  const deflater = createDeflate({ dictionary, level: 0 });
  const run = (stream: typeof inflater | typeof deflater, input: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const collect = (chunk: Buffer): void => {
        size += chunk.length;
        if (size > MAX_HEADERS) reject(new Error('header block too large'));
        else chunks.push(chunk);
      };
      stream.on('data', collect);
      stream.once('error', reject);
      stream.write(input);
      stream.flush(constants.Z_SYNC_FLUSH, () => {
        stream.off('data', collect);
        stream.off('error', reject);
        resolve(Buffer.concat(chunks));
      });
    });
  return {
    inflate: (block) => run(inflater, block),
    deflateEmpty: () => run(deflater, ids(0)),
    close() {
      inflater.destroy();
      deflater.destroy();
    },
  };
}
