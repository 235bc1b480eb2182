/** Owns calls of gRPC that go on: each message is answered as it comes, until the caller has no more. Bounded in size and count. */
import type { ServerHttp2Stream } from 'node:http2';
import { GRPC } from './api-method.ts';

/** Bytes of a request in, bytes of a response out. */
export type ApiStream = (bytes: Buffer) => Buffer;

const PREFIX_BYTES = 5;
const MAX_MESSAGE_BYTES = 16_384;
const MAX_MESSAGES = 200;

export function serveStream(stream: ServerHttp2Stream, answer: ApiStream): void {
  let status = 0;
  let waiting: Buffer = Buffer.alloc(0);
  let count = 0;
  const stop = (code: number): void => {
    status = code;
    stream.removeAllListeners('data');
    stream.resume();
    stream.end();
  };
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': String(status) }));
  stream.on('end', () => stream.end());
  stream.on('data', (chunk: Buffer) => {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= PREFIX_BYTES) {
      const length = waiting.readUInt32BE(1);
      if (waiting[0] !== 0 || length > MAX_MESSAGE_BYTES || count >= MAX_MESSAGES) return stop(GRPC.invalidArgument);
      if (waiting.length < PREFIX_BYTES + length) return;
      count += 1;
      stream.write(frame(answer(waiting.subarray(PREFIX_BYTES, PREFIX_BYTES + length))));
      waiting = waiting.subarray(PREFIX_BYTES + length);
    }
  });
}

/** gRPC's frame: a byte for compression, four for the length. */
export function frame(message: Buffer): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
