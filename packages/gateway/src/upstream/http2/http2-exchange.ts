/** Owns one request and its answer on an HTTP/2 session (RFC 9113 section 8). */
import { describeError } from '@kfctl/core';
import { constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import type { FieldList } from '@kfctl/http';
import type { UpstreamExchange, UpstreamFailure, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import type { Http2Session } from './http2-session.ts';
import { sendBody } from './request-body.ts';
import { readResponseHead, readTrailers, requestFields } from './stream-fields.ts';

export interface Http2ExchangeOptions {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  readonly session: Http2Session;
}

/** RFC 9113 section 6.2. */
const END_STREAM = 1;
const MAX_INFORMATIONAL = 8;

export class Http2Exchange implements UpstreamExchange {
  readonly #request: UpstreamRequest;
  readonly #handler: UpstreamHandler;
  readonly #session: Http2Session;
  #stream: ClientHttp2Stream | undefined;
  #detachBody: (() => void) | undefined;
  #trailers: FieldList = [];
  #informational = 0;
  #hasHead = false;
  #isDone = false;
  #isReleased = false;

  constructor({ request, handler, session }: Http2ExchangeOptions) {
    this.#request = request;
    this.#handler = handler;
    this.#session = session;
  }

  begin(session: ClientHttp2Session): void {
    try {
      this.#stream = this.#open(session);
    } catch (error) {
      this.fail({ kind: 'protocol', sent: false, reused: false, detail: describeError(error) });
    }
  }

  resume(): void {
    this.#stream?.resume();
  }

  abort(): void {
    if (this.#isDone) return;
    this.#finish();
    if (this.#stream === undefined) return this.#release();
    this.#drop(constants.NGHTTP2_CANCEL);
  }

  /** There is no stream, or there never was. */
  fail(failure: UpstreamFailure): void {
    this.#release();
    if (this.#isDone) return;
    this.#finish();
    this.#handler.onFailure(failure);
  }

  #open(session: ClientHttp2Session): ClientHttp2Stream {
    const { body } = this.#request;
    const stream = session.request(requestFields(this.#request), {
      endStream: body.kind === 'none',
      // Without it `close` ends the body before it resets the stream: half a body would look like a whole one.
      waitForTrailers: body.kind !== 'none',
    });
    let trouble: unknown;
    stream.on('error', (error) => void (trouble = error));
    stream.on('response', (_headers: IncomingHttpHeaders, flags: number, raw?: readonly string[]) =>
      this.#onHead(raw ?? [], (flags & END_STREAM) !== 0),
    );
    stream.on('headers', () => this.#onInformational());
    stream.on('trailers', (_headers: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      this.#trailers = readTrailers(raw ?? []);
    });
    stream.on('data', (chunk: Buffer) => {
      if (!this.#isDone && !this.#handler.onData(chunk)) stream.pause();
    });
    stream.on('end', () => this.#onEnd());
    stream.on('close', () => this.#onClose(stream, trouble));
    if (body.kind !== 'none') {
      const onBroken = (detail: string): void => this.#break({ kind: 'reset', sent: true, reused: false, detail });
      this.#detachBody = sendBody(stream, body, onBroken);
    }
    return stream;
  }

  #onHead(raw: readonly string[], isEnd: boolean): void {
    if (this.#isDone) return;
    const head = readResponseHead(raw, isEnd || this.#request.method === 'HEAD');
    if (typeof head === 'string') return this.#break({ kind: 'protocol', sent: true, reused: false, detail: head });
    this.#hasHead = true;
    try {
      this.#handler.onHead(head);
    } catch (error) {
      // Whatever an answer makes the handler throw is that answer's fault: it must not end the process.
      this.#break({ kind: 'protocol', sent: true, reused: false, detail: describeError(error) });
    }
  }

  #onInformational(): void {
    this.#informational += 1;
    if (this.#informational <= MAX_INFORMATIONAL) return;
    this.#break({ kind: 'protocol', sent: true, reused: false, detail: 'too many informational responses' });
  }

  #onEnd(): void {
    const stream = this.#stream;
    if (this.#isDone || !this.#hasHead || stream === undefined) return;
    // A reset looks like an end when its code is 0, and a session that is gone has no more to say.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.session?.destroyed === true) return;
    this.#finish();
    // RFC 9113 section 8.1: the answer may be complete before the request; the rest of that is not wanted.
    if (!stream.writableEnded) this.#drop(constants.NGHTTP2_NO_ERROR);
    this.#handler.onEnd(this.#trailers);
  }

  #onClose(stream: ClientHttp2Stream, error: unknown): void {
    this.#release();
    if (this.#isDone) return;
    this.#finish();
    this.#handler.onFailure(this.#session.explain(stream.rstCode, stream.id, error));
  }

  /** The answer is not what it should be, or the request cannot go on. */
  #break(failure: UpstreamFailure): void {
    if (this.#isDone) return;
    this.#finish();
    this.#drop(failure.kind === 'protocol' ? constants.NGHTTP2_PROTOCOL_ERROR : constants.NGHTTP2_CANCEL);
    this.#handler.onFailure(failure);
  }

  #drop(code: number): void {
    this.#stream?.close(code);
    // What still comes is thrown away.
    this.#stream?.resume();
  }

  #finish(): void {
    this.#isDone = true;
    this.#detachBody?.();
  }

  #release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#session.release(this);
  }
}
