/** Owns a request as servers see it, and the way of its answer: what few of them ask for is made when it is asked for, the body within its limit. */
import { randomToken } from '@kfctl/core';
import type { DownstreamListener } from '../connection/downstream.ts';
import type { Http1Downstream } from '../connection/http1-downstream.ts';
import type { ServedHead } from '../head/judge-head.ts';
import { collectBody } from './collect-body.ts';
import type { HttpRequest } from './message.ts';

const NO_PARAMS: HttpRequest['params'] = Object.freeze({});
/** Longer bodies are not copied together with their head. */
const SMALL_BYTES = 16_384;
const PIECE_BYTES = 65_536;

export class ServedRequest implements HttpRequest, DownstreamListener {
  readonly method: string;
  /** The target: path and query as sent. */
  readonly url: string;
  readonly headers: HttpRequest['headers'];
  readonly remoteAddress: string;
  readonly params: HttpRequest['params'] = NO_PARAMS;
  readonly #downstream: Http1Downstream;
  readonly #maxBodyBytes: number;
  #isGone = false;
  #path: string | undefined;
  #id: string | undefined;
  #query: URLSearchParams | undefined;
  #abort: AbortController | undefined;
  #body: Promise<Buffer> | undefined;
  #resume: (() => void) | undefined;

  constructor(downstream: Http1Downstream, { method, target, headers }: ServedHead, maxBodyBytes: number) {
    this.method = method;
    this.url = target;
    this.headers = headers;
    this.remoteAddress = downstream.remoteAddress;
    this.#downstream = downstream;
    this.#maxBodyBytes = maxBodyBytes;
    downstream.listener = this;
  }

  get path(): string {
    return (this.#path ??= cutQuery(this.url));
  }

  get id(): string {
    return (this.#id ??= randomToken(9));
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.url.slice(this.path.length + 1)));
  }

  /** The client went away before its answer was complete: nobody hears one. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** An answer has begun. */
  get hasBegun(): boolean {
    return this.#downstream.hasBegun;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#isGone) this.#abort.abort();
    }
    return this.#abort.signal;
  }

  body(maxBytes: number = this.#maxBodyBytes): Promise<Buffer> {
    return (this.#body ??= collectBody(this.#downstream, maxBytes));
  }

  /** Answers, once: `fields` are lines with their ends, without those of length and connection. Large bodies leave as the client takes them. */
  answer(status: number, fields: string, body: string | Buffer): void {
    const bytes = typeof body === 'string' ? oneByteEach(body) : body;
    if (typeof bytes === 'string') return this.#downstream.answer(status, fields, bytes);
    if (bytes.length <= SMALL_BYTES || this.method === 'HEAD' || status === 204 || status === 304)
      return this.#downstream.answer(status, fields, bytes.toString('latin1'));
    this.#downstream.begin(status, fields, bytes.length);
    this.#sendFrom(bytes, 0);
  }

  /** Breaks off, so that the client can tell that something went wrong. */
  abort(): void {
    this.#downstream.abort();
  }

  onDrain(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  onGone(): void {
    this.#isGone = true;
    this.#abort?.abort();
  }

  #sendFrom(bytes: Buffer, start: number): void {
    let from = start;
    while (from < bytes.length) {
      const piece = bytes.subarray(from, from + PIECE_BYTES);
      from += piece.length;
      if (this.#downstream.write(piece) || from === bytes.length) continue;
      this.#resume = () => this.#sendFrom(bytes, from);
      return;
    }
    this.#downstream.end();
  }
}

function cutQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}

/** The text whose characters are the bytes of this one in UTF-8; the bytes themselves where there are many. */
function oneByteEach(text: string): string | Buffer {
  const length = Buffer.byteLength(text, 'utf8');
  return length === text.length && length <= SMALL_BYTES ? text : Buffer.from(text, 'utf8');
}
