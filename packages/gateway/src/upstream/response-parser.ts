/** Owns the parsing of one HTTP/1 response from a stream of chunks. It must not know sockets. */
import { parseResponseHead, parseTrailers } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

export interface ResponseEvents {
  onHead(head: ResponseHead): void;
  onBody(chunk: Buffer): void;
  onEnd(trailers: readonly string[]): void;
}

type State = 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailers' | 'done';

const MAX_HEAD_BYTES = 65_536;
const MAX_CHUNK_LINE_BYTES = 256;
const MAX_TRAILER_BYTES = 16_384;
const MAX_INFORMATIONAL = 8;
const EMPTY = Buffer.alloc(0);

/** One parser parses one response after another; `start` begins each. */
export class ResponseParser {
  #state: State = 'done';
  #events: ResponseEvents | undefined;
  #method = '';
  #pending: Buffer = EMPTY;
  #left = 0;
  #informational = 0;

  start(method: string, events: ResponseEvents): void {
    this.#state = 'head';
    this.#method = method;
    this.#events = events;
    this.#pending = EMPTY;
    this.#informational = 0;
  }

  /** The response is complete, or none is expected. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** Bytes after a 101 head belong to the upgraded protocol. */
  takeRest(): Buffer {
    const rest = this.#pending;
    this.#pending = EMPTY;
    return rest;
  }

  /** Takes bytes, which may be overwritten afterwards; returns what is wrong with them. Bytes beyond the response are wrong. */
  push(chunk: Buffer): string | undefined {
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = EMPTY;
    while (rest.length > 0) {
      if (this.#state === 'done') {
        return 'bytes beyond the response';
      }
      const next = this.#step(rest);
      if (typeof next === 'string') return next;
      if (next === undefined) {
        this.#pending = Buffer.from(rest);
        return undefined;
      }
      rest = next;
    }
    return undefined;
  }

  /** The peer ended the stream; returns what is wrong with that, or undefined when the response ends so. */
  end(): string | undefined {
    if (this.#state === 'done') return undefined;
    if (this.#state !== 'until-close') return 'response cut short';
    this.#finish([]);
    return undefined;
  }

  /** Handles one element at the start of `bytes`: the remaining bytes, undefined when more are needed, or a problem. */
  #step(bytes: Buffer): Buffer | string | undefined {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes);
      case 'length':
      case 'chunk-data':
        return this.#readCounted(bytes);
      case 'chunk-size':
        return this.#readChunkSize(bytes);
      case 'chunk-end':
        return this.#readChunkEnd(bytes);
      case 'trailers':
        return this.#readTrailers(bytes);
      default:
        this.#events?.onBody(bytes);
        return EMPTY;
    }
  }

  #readHead(bytes: Buffer): Buffer | string | undefined {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0 && bytes.includes('\n\n')) return 'stray control character';
    if (end < 0 || end > MAX_HEAD_BYTES) return bytes.length > MAX_HEAD_BYTES ? 'head too large' : undefined;
    const head = parseResponseHead(bytes.toString('latin1', 0, end), this.#method);
    if (typeof head === 'string') return head;
    const rest = bytes.subarray(end + 4);
    if (head.status < 200 && head.status !== 101) {
      this.#informational += 1;
      return this.#informational > MAX_INFORMATIONAL ? 'too many informational responses' : rest;
    }
    this.#left = head.length ?? 0;
    const states = { none: 'done', length: 'length', chunked: 'chunk-size', 'until-close': 'until-close' } as const;
    this.#state = states[head.framing];
    if (head.status === 101) return this.#switchProtocols(head, rest);
    this.#events?.onHead(head);
    if (head.framing === 'none') this.#finish([]);
    return rest;
  }

  #switchProtocols(head: ResponseHead, rest: Buffer): Buffer {
    this.#pending = Buffer.from(rest);
    const events = this.#events;
    this.#events = undefined;
    events?.onHead(head);
    return EMPTY;
  }

  #readCounted(bytes: Buffer): Buffer {
    const size = Math.min(this.#left, bytes.length);
    this.#left -= size;
    const wasLast = this.#left === 0;
    this.#events?.onBody(size === bytes.length ? bytes : bytes.subarray(0, size));
    if (wasLast && this.#state === 'length') this.#finish([]);
    else if (wasLast) this.#state = 'chunk-end';
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
    const events = this.#events;
    this.#events = undefined;
    events?.onEnd(trailers);
  }
}
