/**
 * Owns one HTTP/1 connection of a client: its bytes become requests, one at a time and in order, each served before the next is looked at.
 *
 *   head ──good──► body ──complete──► answer ──complete──► head …       with limits of size and time at every step
 *    └─ not HTTP: 400, 408, 431 and the end        └─ not wanted any more: discarded up to a limit, or the end
 */
import type { Socket } from 'node:net';
import type { BodyFraming } from '../head/framing.ts';
import { HeadReader } from '../head/head-reader.ts';
import { BodyReader } from '../message/body-reader.ts';
import { NOT_WATCHED } from './coarse-clock.ts';
import type { Watched } from './coarse-clock.ts';
import type { Http1ConnectionOptions } from './connection-options.ts';
import type { ListenerPlace } from './downstream.ts';
import { Http1Downstream } from './http1-downstream.ts';
import { Outgoing } from './outgoing.ts';
import { giveOwnBytes, ownBytes } from './shared-read-socket.ts';

/** Of a body that nobody wants, this much is read to keep the connection. */
const MAX_DISCARDED_BYTES = 1_048_576;
/** Time for a refused client to read the refusal, and for one whose answer is complete to take it. */
const LINGER_MS = 1_000;
const EMPTY = Buffer.alloc(0);

export class Http1Connection implements Watched {
  slot: number = NOT_WATCHED;
  readonly socket: Socket;
  readonly place: ListenerPlace;
  readonly sni: string;
  readonly out: Outgoing;
  readonly keepAliveFields: string;
  readonly remoteAddress: string;
  readonly #options: Http1ConnectionOptions;
  readonly #heads: HeadReader;
  readonly #body: BodyReader;
  #request: Http1Downstream | undefined;
  /** Bytes that were not looked at yet. */
  #pending: Buffer = EMPTY;
  #deadline: number;
  #isReading = false;
  #isRetired = false;
  #isClosing = false;
  #clientEnded = false;
  /** Bytes of an unwanted body that may still come; undefined: the body is wanted. */
  #discard: number | undefined;
  readonly #listeners = [
    ['data', (chunk: Buffer) => this.#onData(chunk)],
    ['drain', () => this.#onDrain()],
    ['end', () => this.#onEnd()],
    ['error', () => this.socket.destroy()],
    ['close', () => this.#onClose()],
  ] as const;

  constructor(socket: Socket, sni: string, options: Http1ConnectionOptions) {
    this.socket = socket;
    this.place = options.place;
    this.sni = sni;
    this.out = new Outgoing(socket, options.copies);
    this.keepAliveFields = options.keepAliveFields;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.#options = options;
    this.#deadline = options.clock.now + options.headTimeoutMs;
    this.#heads = new HeadReader(options.head);
    this.#body = new BodyReader({ onBody: (chunk) => this.#onBody(chunk), onEnd: () => this.#onBodyEnd() });
    options.clock.watch(this);
    for (const [event, listener] of this.#listeners) socket.on(event, listener);
  }

  /** No request, and no part of one. */
  get isIdle(): boolean {
    return this.#request === undefined && this.#pending.length === 0;
  }

  /** The request under way, or the next one, is the last. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Ends a connection that carries nothing. */
  closeIdle(): void {
    if (this.isIdle) this.#close();
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  check(now: number): void {
    if (now < this.#deadline) return;
    const request = this.#request;
    // Somebody who began a request is told; a connection that is merely idle ends in silence.
    const hasBegun = request === undefined ? this.#pending.length > 0 : !request.hasBegun;
    if (!hasBegun || this.#isClosing) return void this.socket.destroy();
    this.#refuse('408 Request Timeout');
    request?.breakOff();
  }

  /** The client takes its answer too slowly; whoever waits for it does so no longer than is allowed. */
  awaitClient(): void {
    const { exchangeTimeoutMs, clock } = this.#options;
    if (exchangeTimeoutMs !== undefined) this.#deadline = clock.now + exchangeTimeoutMs;
  }

  /** The request's body is known, and the proxy may ask for it. */
  expectBody(framing: BodyFraming): void {
    if (framing.kind === 'chunked') this.#body.startChunked();
    else this.#body.startCounted(framing.kind === 'length' ? framing.bytes : 0);
    if (!this.#body.isDone) this.awaitClient();
  }

  get isBodyComplete(): boolean {
    return this.#body.isDone;
  }

  /** Somebody reads the body. */
  readBody(): void {
    if (this.#isClosing) return;
    if (this.socket.isPaused()) this.socket.resume();
    // Not in the middle of a read of the stream: what waits here comes in the next turn, or as the look that is under way goes on.
    if (this.#pending.length > 0 && !this.#isReading) process.nextTick(advance, this);
  }

  /** The answer is complete. `isLast`: nothing more is taken from this connection. */
  finish(isLast: boolean): void {
    if (isLast || this.#isClosing) return this.#close();
    if (!this.#body.isDone) {
      // Only what is behind the body can be the next request.
      this.#discard = MAX_DISCARDED_BYTES;
      this.#request?.cutBody();
      this.#deadline = this.#options.clock.now + this.#options.headTimeoutMs;
      if (this.socket.isPaused()) this.socket.resume();
      return this.advance();
    }
    this.#next();
  }

  /** The connection becomes something else's: what the client sent after its request comes first. */
  release(): Buffer {
    const rest = ownBytes(this.socket, this.#pending);
    this.#pending = EMPTY;
    for (const [event, listener] of this.#listeners) this.socket.off(event, listener);
    giveOwnBytes(this.socket);
    this.#forget();
    return rest;
  }

  #next(): void {
    this.#request = undefined;
    this.#discard = undefined;
    this.#deadline = this.#options.clock.now + this.#options.keepAliveMs;
    if (this.socket.isPaused()) this.socket.resume();
    if (this.#pending.length > 0 || this.#clientEnded) this.advance();
  }

  #onData(chunk: Buffer): void {
    if (this.#isClosing) return;
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    this.advance();
    if (this.#pending.length === 0 || this.#isClosing) return;
    this.#pending = ownBytes(this.socket, this.#pending);
    if (!this.#needsMore()) this.socket.pause();
  }

  /** Whether what is pending is the beginning of something. Further requests, or a body that nobody reads yet, wait in the kernel. */
  #needsMore(): boolean {
    if (this.#request === undefined) return !this.socket.writableNeedDrain;
    return !this.#body.isDone && (this.#discard !== undefined || this.#request.wantsBody);
  }

  /** Looks at what has come, as far as it can. */
  advance(): void {
    // An answer given at once leads back here: the loop below goes on, not a call within a call for each pipelined request.
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#pending.length > 0 && !this.#isClosing && this.#step());
    this.#isReading = false;
    // A client that has ended sends no rest of a head; requests that wait for the client to read are still served.
    if (this.#clientEnded && this.#request === undefined && !this.#isClosing && !this.socket.writableNeedDrain) {
      this.#close();
    }
  }

  /** Handles what stands first; false: more bytes are needed, or the answer. */
  #step(): boolean {
    if (this.#request === undefined) return !this.socket.writableNeedDrain && this.#readHead();
    if (this.#body.isDone) return false;
    if (this.#discard === undefined && !this.#request.wantsBody) return false;
    return this.#readBody();
  }

  #readHead(): boolean {
    const head = this.#heads.read(this.#pending);
    this.#pending = this.#heads.rest;
    if (head === 'too large') return this.#refuse('431 Request Header Fields Too Large');
    if (head === 'malformed') return this.#refuse('400 Bad Request');
    if (typeof head === 'string') {
      // The time of a head counts from its first bytes, however slowly the others come; empty lines change nothing.
      if (head === 'begun') this.#deadline = this.#options.clock.now + this.#options.headTimeoutMs;
      return false;
    }
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#request = new Http1Downstream(this, head);
    this.#options.handler(this.#request);
    return true;
  }

  #readBody(): boolean {
    const before = this.#pending.length;
    const rest = this.#body.push(this.#pending);
    if (typeof rest === 'string') return this.#breakBody();
    this.#pending = rest;
    if (!this.#body.isDone || this.#discard === undefined) return rest.length > 0 && rest.length < before;
    this.#next();
    return true;
  }

  #onBodyEnd(): void {
    if (this.#discard !== undefined) return;
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#request?.endBody();
  }

  #onBody(chunk: Buffer): void {
    if (this.#discard === undefined) {
      if (this.#request?.pushBody(ownBytes(this.socket, chunk)) === false) this.socket.pause();
      return;
    }
    this.#discard -= chunk.length;
    if (this.#discard < 0) this.#close();
  }

  /** The body is not one: whoever reads it must not take it for complete. */
  #breakBody(): boolean {
    const request = this.#request;
    if (request === undefined || request.hasBegun) {
      this.socket.destroy();
      return false;
    }
    this.#refuse('400 Bad Request');
    request.breakOff();
    return false;
  }

  #onDrain(): void {
    if (this.#request !== undefined && this.#body.isDone && !this.#isClosing) this.#deadline = Number.POSITIVE_INFINITY;
    this.#request?.listener.onDrain();
    if (this.#request !== undefined) return;
    if (this.socket.isPaused()) this.socket.resume();
    this.advance();
  }

  #onEnd(): void {
    this.#clientEnded = true;
    if (this.#request === undefined) return this.advance();
    // Half a body is none; a client that has sent everything may still wait for its answer.
    if (!this.#body.isDone) this.socket.destroy();
    else if (this.#options.endsWithClient === true) this.#close();
  }

  #onClose(): void {
    this.#isClosing = true;
    this.#forget();
    this.#request?.breakOff();
    this.#request = undefined;
    this.#pending = EMPTY;
  }

  #forget(): void {
    this.#options.clock.forget(this);
    this.#options.onClose();
  }

  /** What cannot be parsed gets one plain answer, and the connection ends: nobody knows where the next request would start. */
  #refuse(status: string): false {
    this.#options.onRefused?.(Number.parseInt(status, 10), this.remoteAddress);
    this.out.text(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    this.#close();
    return false;
  }

  /** Says everything that is to be said, then ends; the client gets a moment to read it, while what it still sends is thrown away. */
  #close(): void {
    this.#isClosing = true;
    this.#pending = EMPTY;
    if (this.socket.destroyed) return;
    this.out.flush();
    this.socket.end();
    if (this.#clientEnded) return;
    if (this.socket.isPaused()) this.socket.resume();
    // The time to take a long answer is that of an idle connection; a moment counts from its last byte.
    this.#deadline = this.#options.clock.now + this.#options.keepAliveMs;
    const linger = (): void => void setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
    if (this.socket.writableFinished) linger();
    else this.socket.once('finish', linger);
  }
}

function advance(connection: Http1Connection): void {
  connection.advance();
}
