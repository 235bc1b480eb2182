/** Owns the parsing of one HTTP/1 response from a stream of chunks. It must not know sockets. */
import { BodyReader } from '@kfctl/http';
import type { FieldNames } from '@kfctl/http';
import { parseResponseHead } from './response-head.ts';
import type { ResponseHead } from './response-head.ts';

export interface ResponseEvents {
  onHead(head: ResponseHead): void;
  onBody(chunk: Buffer): void;
  onEnd(trailers: readonly string[]): void;
}

type State = 'head' | 'body' | 'until-close' | 'done';

const MAX_HEAD_BYTES = 65_536;
const HEAD_END = Buffer.from('\r\n\r\n');
const MAX_INFORMATIONAL = 8;
const EMPTY = Buffer.alloc(0);

/** One parser parses one response after another; `start` begins each. */
export class ResponseParser {
  readonly #names: FieldNames;
  readonly #body: BodyReader;
  #state: State = 'done';
  #events: ResponseEvents | undefined;
  #method = '';
  #pending: Buffer = EMPTY;
  #informational = 0;

  constructor(names: FieldNames) {
    this.#names = names;
    this.#body = new BodyReader({
      onBody: (chunk) => this.#events?.onBody(chunk),
      onEnd: (trailers) => this.#finish(trailers),
    });
  }

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
      if (this.#state === 'done') return 'bytes beyond the response';
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

  /** Handles what stands at the start of `bytes`: the remaining bytes, undefined when more are needed, or a problem. */
  #step(bytes: Buffer): Buffer | string | undefined {
    if (this.#state === 'head') return this.#readHead(bytes);
    if (this.#state === 'body') return this.#readBody(bytes);
    this.#events?.onBody(bytes);
    return EMPTY;
  }

  #readBody(bytes: Buffer): Buffer | string {
    const rest = this.#body.push(bytes);
    if (typeof rest === 'string' || this.#body.isDone || rest.length === 0) return rest;
    this.#pending = Buffer.from(rest);
    return EMPTY;
  }

  #readHead(bytes: Buffer): Buffer | string | undefined {
    const end = bytes.indexOf(HEAD_END);
    if (end < 0 && bytes.includes('\n\n')) return 'stray control character';
    if (end < 0 || end > MAX_HEAD_BYTES) return bytes.length > MAX_HEAD_BYTES ? 'head too large' : undefined;
    // No more than the head: its pieces keep the whole text alive.
    const text = bytes.toString('latin1', 0, end);
    const head = parseResponseHead(text, this.#method, this.#names);
    if (typeof head === 'string') return head;
    const rest = bytes.subarray(end + 4);
    if (head.status < 200 && head.status !== 101) {
      this.#informational += 1;
      return this.#informational > MAX_INFORMATIONAL ? 'too many informational responses' : rest;
    }
    return this.#beginBody(head, rest);
  }

  #beginBody(head: ResponseHead, rest: Buffer): Buffer {
    if (head.status === 101) return this.#switchProtocols(head, rest);
    if (head.framing === 'length') this.#body.startCounted(head.length ?? 0);
    else if (head.framing === 'chunked') this.#body.startChunked();
    const states = { none: 'done', length: 'body', chunked: 'body', 'until-close': 'until-close' } as const;
    this.#state = states[head.framing];
    this.#events?.onHead(head);
    if (head.framing === 'none') this.#finish([]);
    return rest;
  }

  #switchProtocols(head: ResponseHead, rest: Buffer): Buffer {
    this.#state = 'done';
    this.#pending = Buffer.from(rest);
    const events = this.#events;
    this.#events = undefined;
    events?.onHead(head);
    return EMPTY;
  }

  #finish(trailers: readonly string[]): void {
    this.#state = 'done';
    const events = this.#events;
    this.#events = undefined;
    events?.onEnd(trailers);
  }
}
