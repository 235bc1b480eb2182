/** Owns finding the end of an HTTP/1.1 message's body, counted or in chunks (RFC 9112 sections 6 and 7), for requests and responses alike. */
import { parseTrailers } from './trailers.ts';

export interface BodySink {
  /** The bytes may be overwritten once this returns. */
  onBody(chunk: Buffer): void;
  onEnd(trailers: readonly string[]): void;
}

type State = 'length' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

const MAX_CHUNK_LINE_BYTES = 256;
const MAX_TRAILER_BYTES = 16_384;

/** One reader reads one body after another; a start begins each. */
export class BodyReader {
  readonly #sink: BodySink;
  #state: State = 'done';
  #left = 0;

  constructor(sink: BodySink) {
    this.#sink = sink;
  }

  /** Every byte of the body has been seen. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  startCounted(bytes: number): void {
    this.#left = bytes;
    this.#state = bytes === 0 ? 'done' : 'length';
  }

  startChunked(): void {
    this.#state = 'chunk-size';
  }

  stop(): void {
    this.#state = 'done';
  }

  /**
   * Takes what it can from the start of `bytes` and gives the others: those after the body when `isDone`, otherwise the beginning of
   * something that needs more bytes behind it. A text says what is wrong.
   */
  push(bytes: Buffer): Buffer | string {
    let rest = bytes;
    while (this.#state !== 'done' && rest.length > 0) {
      const next = this.#step(rest);
      if (next === undefined) return rest;
      if (typeof next === 'string') return next;
      rest = next;
    }
    return rest;
  }

  /** The bytes after one element; undefined when it is not complete. */
  #step(bytes: Buffer): Buffer | string | undefined {
    switch (this.#state) {
      case 'chunk-size':
        return this.#readChunkSize(bytes);
      case 'chunk-end':
        return this.#readChunkEnd(bytes);
      case 'trailers':
        return this.#readTrailers(bytes);
      default:
        return this.#readCounted(bytes);
    }
  }

  #readCounted(bytes: Buffer): Buffer {
    const size = Math.min(this.#left, bytes.length);
    const wasLast = size === this.#left;
    const inChunks = this.#state === 'chunk-data';
    this.#left -= size;
    if (wasLast) this.#state = inChunks ? 'chunk-end' : 'done';
    this.#sink.onBody(size === bytes.length ? bytes : bytes.subarray(0, size));
    if (wasLast && !inChunks) this.#sink.onEnd([]);
    return bytes.subarray(size);
  }

  #readChunkSize(bytes: Buffer): Buffer | string | undefined {
    const end = bytes.indexOf('\r\n');
    if (end < 0 || end > MAX_CHUNK_LINE_BYTES) return bytes.length > MAX_CHUNK_LINE_BYTES ? 'chunk size' : undefined;
    const size = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e]*)?$/.exec(bytes.toString('latin1', 0, end))?.[1];
    if (size === undefined) return 'chunk size';
    this.#left = Number.parseInt(size, 16);
    this.#state = this.#left === 0 ? 'trailers' : 'chunk-data';
    return bytes.subarray(end + 2);
  }

  #readChunkEnd(bytes: Buffer): Buffer | string | undefined {
    if (bytes.length < 2) return bytes[0] === 0x0d ? undefined : 'chunk end';
    if (bytes[0] !== 0x0d || bytes[1] !== 0x0a) return 'chunk end';
    this.#state = 'chunk-size';
    return bytes.subarray(2);
  }

  #readTrailers(bytes: Buffer): Buffer | string | undefined {
    if (bytes.length >= 2 && bytes[0] === 0x0d && bytes[1] === 0x0a) {
      this.#finish([]);
      return bytes.subarray(2);
    }
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 || end > MAX_TRAILER_BYTES) return bytes.length > MAX_TRAILER_BYTES ? 'trailers too large' : undefined;
    const trailers = parseTrailers(bytes.toString('latin1', 0, end));
    if (trailers === undefined) return 'trailers';
    this.#finish(trailers);
    return bytes.subarray(end + 4);
  }

  #finish(trailers: readonly string[]): void {
    this.#state = 'done';
    this.#sink.onEnd(trailers);
  }
}
