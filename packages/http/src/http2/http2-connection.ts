/**
 * Owns one HTTP/2 connection of a client (RFC 9113): its streams, its limits, its end.
 *
 *   open ──retire──► GOAWAY, streams still taken ──round trip──► GOAWAY, no more ──last stream──► closed
 *    └── what is no HTTP/2, or too much of it ──► GOAWAY with its reason ──► closed
 */
import type { Socket } from 'node:net';
import { NOT_WATCHED } from '../connection/coarse-clock.ts';
import type { CoarseClock, Watched } from '../connection/coarse-clock.ts';
import type { CopyPool } from '../connection/copy-pool.ts';
import type { DownstreamHandler, ListenerPlace } from '../connection/downstream.ts';
import type { HeadLimits } from '../head/raw-head.ts';
import { FrameWriter } from './frame-writer.ts';
import type { HpackEncoder } from './hpack/encoder.ts';
import type { Http2Stream } from './http2-stream.ts';
import { CONNECTION_WINDOW, IncomingFrames, MAX_STREAMS } from './incoming-frames.ts';
import { Patience } from './patience.ts';
import { PieceOutput } from './piece-output.ts';
import { CODE, DEFAULT_WINDOW, FRAME, MAX_WINDOW, SETTING } from './protocol.ts';
import type { Code } from './protocol.ts';
import { STREAM_WINDOW } from './request-body.ts';
import { SendTurns } from './send-turns.ts';
import { StreamTable } from './stream-table.ts';

export interface Http2ConnectionOptions {
  readonly place: ListenerPlace;
  /** Serves one request; never throws. */
  readonly handler: DownstreamHandler;
  readonly clock: CoarseClock;
  readonly copies: CopyPool;
  readonly encoder: HpackEncoder;
  readonly head: HeadLimits;
  readonly headTimeoutMs: number;
  readonly idleMs: number;
  readonly onClose: () => void;
}

const SETTINGS = [
  [SETTING.maxConcurrentStreams, MAX_STREAMS],
  [SETTING.initialWindowSize, STREAM_WINDOW],
  [SETTING.enableConnectProtocol, 1],
] as const;
/** For streams that were reset, by a client (CVE-2023-44487) or for what it did (CVE-2025-8671): each has cost a request. */
const RESETS = { burst: 200, perSecond: 50 };
/** For what asks for nothing: pings, settings, priorities, windows that open byte by byte, empty frames. */
const NOISE = { burst: 2_000, perSecond: 200 };
const REQUEST_WORTH = 4;
const BYTES_WORTH_ONE = 512;
/** A client may answer each piece of an answer with two windows and a ping, as some for gRPC do. */
const PIECE_WORTH = 4;
const SETTINGS_TIMEOUT_MS = 30_000;
/** For a client to take what was written. */
const TAKE_TIMEOUT_MS = 120_000;
/** For a client to read why it has to go. */
const LINGER_MS = 1_000;
const GOODBYE = Buffer.from('kfctl-go');

export class Http2Connection implements Watched {
  slot: number = NOT_WATCHED;
  readonly socket: Socket;
  readonly place: ListenerPlace;
  readonly sni: string;
  readonly remoteAddress: string;
  readonly copies: CopyPool;
  readonly streams: StreamTable = new StreamTable();
  readonly writer: FrameWriter;
  readonly turns: SendTurns;
  readonly #options: Http2ConnectionOptions;
  readonly #out: PieceOutput;
  readonly #incoming: IncomingFrames;
  readonly #resets: Patience;
  readonly #noise: Patience;
  #isAcknowledged = false;
  #isRetired = false;
  /** No stream is taken any more. */
  isLeaving = false;
  isClosing = false;
  #headDeadline: number;
  #idleDeadline: number;
  #takeDeadline: number;
  #taken = 0;
  readonly #settingsDeadline: number;

  constructor(socket: Socket, sni: string, options: Http2ConnectionOptions) {
    const { clock, encoder, copies, head } = options;
    this.socket = socket;
    this.place = options.place;
    this.sni = sni;
    this.remoteAddress = socket.remoteAddress ?? '';
    this.copies = copies;
    this.#options = options;
    this.#out = new PieceOutput(socket, copies, {
      onRoom: () => this.turns.go(),
      onOverrun: () => this.#cut(),
    });
    this.writer = new FrameWriter(this.#out, encoder);
    this.#incoming = new IncomingFrames(this, head);
    this.#resets = new Patience(RESETS, clock.now);
    this.#noise = new Patience(NOISE, clock.now);
    this.turns = new SendTurns(this.writer, (bytes, isWhole) =>
      this.#noise.give(bytes / BYTES_WORTH_ONE + (isWhole ? PIECE_WORTH : 0)),
    );
    this.#headDeadline = clock.now + options.headTimeoutMs;
    this.#idleDeadline = clock.now + options.idleMs;
    this.#settingsDeadline = clock.now + SETTINGS_TIMEOUT_MS;
    this.#takeDeadline = clock.now + TAKE_TIMEOUT_MS;
    this.writer.settings([...SETTINGS, [SETTING.maxHeaderListSize, head.maxBytes]]);
    this.writer.numbers(FRAME.windowUpdate, 0, [CONNECTION_WINDOW - DEFAULT_WINDOW]);
    clock.watch(this);
    socket
      .on('data', (chunk: Buffer) => this.#onBytes(chunk))
      // A client that ends its side has ended the connection.
      .on('end', () => socket.destroy())
      .on('error', () => socket.destroy())
      .on('close', () => this.#onClose());
  }

  /** By the clock of the listener. */
  get now(): number {
    return this.#options.clock.now;
  }

  get initialWindow(): number {
    return this.#incoming.settings.initialWindow;
  }

  /** Takes no new streams, once the client knows (section 6.8); ends when those that there are have ended. */
  retire(): void {
    if (this.#isRetired || this.isClosing) return;
    this.#isRetired = true;
    this.writer.numbers(FRAME.goaway, 0, [MAX_WINDOW, CODE.none]);
    this.writer.ping(GOODBYE, false);
    this.#headDeadline = this.now + LINGER_MS;
  }

  /** The client has answered: it knows of the GOAWAY before, and what it has sent by now was seen. */
  answered(): void {
    if (!this.#isRetired || this.isLeaving) return this.annoy(1);
    this.#leave();
  }

  acknowledged(): void {
    if (this.#isAcknowledged) this.annoy(1);
    this.#isAcknowledged = true;
  }

  /** The client has done something that asks for nothing. */
  annoy(amount: number): void {
    if (!this.#noise.take(amount, this.now)) this.fail(CODE.calm);
  }

  serve(stream: Http2Stream): void {
    this.streams.add(stream);
    this.#noise.give(REQUEST_WORTH);
    this.#options.handler(stream);
  }

  /** The client has reset a stream. */
  cancelled(stream: Http2Stream): void {
    // Whoever has its answer may do without saying the rest of its request.
    const wasServed = stream.hasEnded;
    this.#remove(stream, false);
    stream.breakOff();
    if (!wasServed) this.#countReset();
  }

  /** Resets a stream for what the client did with it (section 5.4.2). */
  resetFaulty(stream: Http2Stream, code: Code): void {
    this.reset(stream, code);
    this.#countReset();
  }

  /** Refuses a stream that was not opened. */
  refuse(id: number, code: Code): void {
    this.writer.numbers(FRAME.reset, id, [code]);
    this.streams.remember(id, true);
    this.#countReset();
  }

  /** Resets a stream; it is nobody's fault. */
  reset(stream: Http2Stream, code: Code): void {
    if (this.isClosing) return;
    this.writer.numbers(FRAME.reset, stream.id, [code]);
    this.#remove(stream, true);
    stream.breakOff();
  }

  /** Both sides of a stream have ended. */
  closed(stream: Http2Stream): void {
    this.#remove(stream, false);
    stream.breakOff();
  }

  giveRoom(bytes: number): void {
    if (!this.isClosing) this.#incoming.giveRoom(bytes);
  }

  giveAllRoom(): void {
    if (!this.isClosing) this.#incoming.giveAllRoom();
  }

  /** Ends the connection for what the client did (section 5.4.1). */
  fail(code: Code): void {
    if (this.isClosing) return;
    this.writer.numbers(FRAME.goaway, 0, [this.streams.highest, code]);
    this.#close();
  }

  check(now: number): void {
    if (!this.#isTaken(now)) return void this.socket.destroy();
    if (this.isClosing) return;
    if (this.#isRetired && !this.isLeaving && now >= this.#headDeadline) return this.#leave();
    if (!this.#isAcknowledged && now >= this.#settingsDeadline) return this.fail(CODE.settingsTimeout);
    if (this.#incoming.hasBegun && !this.#incoming.isInHead) this.#headDeadline = this.#nextHeadDeadline(now);
    else if (now >= this.#headDeadline) return this.fail(CODE.calm);
    if (this.streams.count > 0) this.#idleDeadline = now + this.#options.idleMs;
    else if (now >= this.#idleDeadline) this.retire();
    for (const stream of this.streams.all()) stream.check(now);
  }

  /** The client takes what is written, or there is nothing. */
  #isTaken(now: number): boolean {
    const { taken, isUnderWay } = this.#out;
    if (!isUnderWay || taken !== this.#taken) this.#takeDeadline = now + TAKE_TIMEOUT_MS;
    this.#taken = taken;
    return now < this.#takeDeadline;
  }

  #nextHeadDeadline(now: number): number {
    return this.#isRetired ? this.#headDeadline : now + this.#options.headTimeoutMs;
  }

  #onBytes(chunk: Buffer): void {
    if (!this.isClosing) this.#incoming.take(chunk);
  }

  #countReset(): void {
    if (!this.#resets.take(1, this.now)) this.fail(CODE.calm);
  }

  #remove(stream: Http2Stream, byUs: boolean): void {
    this.streams.remove(stream, byUs);
    this.#idleDeadline = this.now + this.#options.idleMs;
    if (this.isLeaving && this.streams.count === 0) this.#close();
  }

  #leave(): void {
    this.isLeaving = true;
    this.writer.numbers(FRAME.goaway, 0, [this.streams.highest, CODE.none]);
    if (this.streams.count === 0) this.#close();
  }

  /** Says everything that is to be said, then ends; the client gets a moment to read it. */
  #close(): void {
    if (this.isClosing) return;
    this.isClosing = true;
    this.#out.end();
    this.#breakAll();
    this.socket.end();
    const linger = (): void => void setTimeout(() => this.socket.destroy(), LINGER_MS).unref();
    if (this.socket.writableFinished) linger();
    else this.socket.once('finish', linger);
  }

  /** Its streams are told when it has closed: somebody is writing now. */
  #cut(): void {
    this.isClosing = true;
    this.socket.destroy();
  }

  #onClose(): void {
    this.isClosing = true;
    this.#options.clock.forget(this);
    this.#options.onClose();
    this.#breakAll();
  }

  #breakAll(): void {
    for (const stream of this.streams.all()) {
      this.streams.remove(stream, false);
      stream.breakOff();
    }
  }
}
