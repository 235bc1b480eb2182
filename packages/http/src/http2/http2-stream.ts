/**
 * Owns one request that came over HTTP/2, and its answer.
 *
 *   client:  HEADERS ── DATA … ── END_STREAM           an answer that is complete before its request: what still comes is thrown away
 *   answer:      HEADERS ── DATA … ── END_STREAM       for a moment, then the stream is reset, without an error (RFC 9113 section 8.1);
 *                                                      at once, if that would not do
 */
import type { Duplex, Readable } from 'node:stream';
import { AppError } from '@kfctl/core';
import { NO_LISTENER } from '../connection/downstream.ts';
import type { Downstream, DownstreamListener } from '../connection/downstream.ts';
import type { RawHead } from '../head/raw-head.ts';
import type { FieldList } from '../message/fields.ts';
import { HeldBytes } from './held-bytes.ts';
import type { Http2Connection } from './http2-connection.ts';
import { CODE, FRAME } from './protocol.ts';
import type { Code } from './protocol.ts';
import { ReceiveWindow } from './receive-window.ts';
import { RequestBody, STREAM_WINDOW } from './request-body.ts';
import type { DecodedHead } from './request-fields.ts';
import type { Sender } from './send-turns.ts';
import { StreamTunnel } from './stream-tunnel.ts';

/** Of a body that nobody wants, this much is taken. */
const MAX_DISCARDED_BYTES = 1_048_576;
const LINGER_MS = 100;
/** Nobody but the connection looks after an answer that is complete and that the client does not take. */
const TAKE_TIMEOUT_MS = 60_000;
const NONE: FieldList = [];

export class Http2Stream implements Downstream, Sender {
  readonly id: number;
  readonly raw: RawHead;
  readonly port: number;
  readonly isTls: boolean;
  readonly sni: string;
  readonly remoteAddress: string;
  listener: DownstreamListener = NO_LISTENER;
  trailers: FieldList = NONE;
  sendWindow: number;
  isInLine = false;
  readonly #connection: Http2Connection;
  /** What the client says its body has. */
  readonly #length: number | undefined;
  readonly #held: HeldBytes;
  #body: RequestBody | undefined;
  #window: ReceiveWindow | undefined;
  #tunnel: StreamTunnel | undefined;
  #received = 0;
  #discarded = 0;
  #clientEnded: boolean;
  /** Nothing more comes from whoever answers. */
  #isAnswered = false;
  #lastFields: FieldList = NONE;
  #isSuccess = false;
  /** END_STREAM has been written. */
  #hasEnded = false;
  #isClosed = false;
  #deadline = Number.POSITIVE_INFINITY;

  constructor(connection: Http2Connection, id: number, { raw, length }: DecodedHead) {
    const { place } = connection;
    this.id = id;
    this.raw = raw;
    this.port = place.port;
    this.isTls = place.isTls;
    this.sni = connection.sni;
    this.remoteAddress = connection.remoteAddress;
    this.sendWindow = connection.initialWindow;
    this.#connection = connection;
    this.#length = length;
    this.#held = new HeldBytes(connection.copies);
    this.#clientEnded = raw.ended;
  }

  /** The request is complete: nothing more may come of it. */
  get hasClientEnded(): boolean {
    return this.#clientEnded;
  }

  /** The answer has left, to its end. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  get body(): Readable {
    return this.#openBody().stream;
  }

  accept(): void {
    // HTTP/2 frames the body itself.
  }

  retire(): void {
    // Each request has a stream of its own.
  }

  sendContinue(): void {
    if (!this.#isClosed)
      this.#connection.writer.head({ stream: this.id, status: 100, fields: NONE, endsStream: false });
  }

  sendHead(status: number, fields: FieldList, hasBody: boolean): void {
    if (this.#isClosed) return;
    this.#isSuccess = status < 300;
    if (!hasBody) this.#welcomeRest();
    this.#connection.writer.head({ stream: this.id, status, fields, endsStream: !hasBody });
    if (hasBody) return;
    this.#isAnswered = true;
    this.#onEnded();
  }

  write(chunk: Buffer): boolean {
    if (this.#isClosed || this.#hasEnded || chunk.length === 0) return true;
    const sent = this.#held.size > 0 ? 0 : this.#connection.turns.send(this, chunk);
    if (sent === chunk.length) return true;
    this.#held.add(chunk.subarray(sent));
    this.#connection.turns.wait(this);
    return false;
  }

  end(trailers: FieldList = NONE): void {
    if (this.#isAnswered || this.#isClosed) return;
    this.#isAnswered = true;
    this.#lastFields = trailers;
    if (this.#held.size === 0) return this.#sendEnd();
    this.#await();
    this.#dropBody();
  }

  abort(): void {
    this.#isAnswered = true;
    if (!this.#isClosed) this.#connection.reset(this, CODE.internal);
  }

  acceptWebSocket(fields: FieldList): Duplex {
    if (this.raw.extendedProtocol === undefined) {
      throw new AppError('NOT_AN_UPGRADE', 'the client did not ask for another protocol');
    }
    if (!this.#isClosed) this.#connection.writer.head({ stream: this.id, status: 200, fields, endsStream: false });
    const tunnel = new StreamTunnel({
      body: this.body,
      write: (chunk) => this.write(chunk),
      end: () => this.end(),
      giveUp: (isFault) => this.#giveUp(isFault),
    });
    this.#tunnel = tunnel;
    if (this.#isClosed) tunnel.destroy();
    return tunnel;
  }

  get isWaiting(): boolean {
    return this.#held.size > 0 && !this.#isClosed;
  }

  sendNext(): boolean {
    const chunk = this.#held.peek(Math.min(this.#held.size, this.#connection.writer.room));
    const sent = this.#connection.turns.send(this, chunk);
    if (sent === 0) return false;
    this.#held.drop(sent);
    if (this.#isAnswered) this.#await();
    if (this.#held.size > 0) return true;
    if (this.#isAnswered) this.#sendEnd();
    else (this.#tunnel ?? this.listener).onDrain();
    return true;
  }

  /** A DATA frame; `taken` is what it took of the windows. Gives what is wrong with it. */
  receive(chunk: Buffer, whole: Buffer, taken: number): Code | undefined {
    if (this.#clientEnded) return CODE.streamClosed;
    this.#window ??= new ReceiveWindow(STREAM_WINDOW);
    if (!this.#window.take(taken)) return CODE.flowControl;
    this.#received += chunk.length;
    if (this.#length !== undefined && this.#received > this.#length) return CODE.protocol;
    if (this.#isAnswered) return this.#discard(taken);
    if (taken > chunk.length) this.#onRead(taken - chunk.length);
    if (chunk.length > 0) this.#openBody().push(chunk, whole);
    return undefined;
  }

  /** The request is complete. Gives what is wrong with it. */
  receiveEnd(trailers: FieldList): Code | undefined {
    if (this.#clientEnded) return CODE.streamClosed;
    this.#clientEnded = true;
    if (this.#length !== undefined && this.#received !== this.#length) return CODE.protocol;
    this.trailers = trailers;
    // What was thrown away is missing: whoever reads on must not take the rest for all of it.
    if (this.#discarded === 0) this.#body?.end();
    if (this.#hasEnded) this.#connection.closed(this);
    return undefined;
  }

  /** The stream is no more; whoever still works for it is told. */
  breakOff(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#held.clear();
    this.#dropBody();
    this.#body?.destroy();
    this.#tunnel?.destroy();
    if (this.#isAnswered || this.#tunnel !== undefined) return;
    this.#isAnswered = true;
    this.listener.onGone();
  }

  check(now: number): void {
    if (now < this.#deadline) return;
    this.#connection.reset(this, this.#hasEnded ? CODE.none : CODE.cancel);
  }

  #sendEnd(): void {
    const { writer } = this.#connection;
    this.#welcomeRest();
    const fields = this.#lastFields;
    if (fields.length === 0) writer.endData(this.id);
    else writer.head({ stream: this.id, status: undefined, fields, endsStream: true });
    this.#onEnded();
  }

  #onEnded(): void {
    this.#hasEnded = true;
    this.#tunnel?.onSent();
    if (this.#isClosed) return;
    if (this.#clientEnded) return this.#connection.closed(this);
    if (this.#isHopeless) return this.#connection.reset(this, CODE.none);
    this.#deadline = this.#connection.now + LINGER_MS;
    this.#dropBody();
  }

  /**
   * A body that will not be taken to its end. Who is refused stops by itself, who is not would go on: it is told with the answer, as Envoy does.
   */
  get #isHopeless(): boolean {
    return this.#isSuccess && this.#rest > MAX_DISCARDED_BYTES && this.#length !== undefined;
  }

  /** What is still to come of the body, for all that is known. */
  get #rest(): number {
    return (this.#length ?? Number.POSITIVE_INFINITY) - this.#received;
  }

  /** An answer is about to end before its request. Some clients read nothing after it (curl 7.88), so room for what is thrown away comes before. */
  #welcomeRest(): void {
    if (this.#clientEnded || this.#isClosed || this.#isHopeless) return;
    this.#dropBody();
    this.#connection.giveAllRoom();
    this.#window ??= new ReceiveWindow(STREAM_WINDOW);
    const told = this.#window.open(Math.min(this.#rest, MAX_DISCARDED_BYTES));
    if (told > 0) this.#connection.writer.numbers(FRAME.windowUpdate, this.id, [told]);
  }

  #await(): void {
    this.#deadline = this.#connection.now + TAKE_TIMEOUT_MS;
  }

  #giveUp(isFault: boolean): void {
    if (this.#isClosed) return;
    const code = this.#hasEnded ? CODE.none : CODE.cancel;
    this.#connection.reset(this, isFault ? CODE.internal : code);
  }

  #discard(bytes: number): Code | undefined {
    this.#discarded += bytes;
    this.#onRead(bytes);
    // Not an error of the client's: it is told that this is enough.
    if (this.#discarded > MAX_DISCARDED_BYTES && this.#hasEnded) this.#connection.reset(this, CODE.none);
    return undefined;
  }

  #dropBody(): void {
    const bytes = this.#body?.drop() ?? 0;
    if (bytes > 0) this.#onRead(bytes);
  }

  #openBody(): RequestBody {
    if (this.#body !== undefined) return this.#body;
    const body = new RequestBody((bytes) => this.#onRead(bytes));
    this.#body = body;
    if (this.#clientEnded) body.end();
    return body;
  }

  #onRead(bytes: number): void {
    this.#connection.giveRoom(bytes);
    if (this.#clientEnded || this.#isClosed) return;
    const told = this.#window?.give(bytes) ?? 0;
    if (told > 0) this.#connection.writer.numbers(FRAME.windowUpdate, this.id, [told]);
  }
}
