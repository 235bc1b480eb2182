/**
 * Owns what the frames of a client mean (RFC 9113 sections 4 to 6): each is checked, then does its one thing. What is wrong with one ends its
 * stream or the connection, as the RFC says; what is right and comes too often ends the connection.
 */
import type { HeadLimits } from '../head/raw-head.ts';
import { FrameReader } from './frame-reader.ts';
import { HeaderBlocks } from './header-blocks.ts';
import type { Block } from './hpack/decoder.ts';
import type { Http2Connection } from './http2-connection.ts';
import { Http2Stream } from './http2-stream.ts';
import { PeerSettings, SETTING_BYTES } from './peer-settings.ts';
import { CODE, FLAG, FRAME, MAX_WINDOW, PREFACE } from './protocol.ts';
import { ReceiveWindow } from './receive-window.ts';

/** What a client may send of all bodies before somebody has read it. */
export const CONNECTION_WINDOW = 1_048_576;
export const MAX_STREAMS = 128;
/** What things cost that ask for nothing; see `Http2Connection.annoy`. */
const SETTINGS_COST = 20;
const TOO_LARGE_COST = 50;

export class IncomingFrames {
  readonly settings: PeerSettings = new PeerSettings();
  readonly #connection: Http2Connection;
  readonly #frame = new FrameReader();
  readonly #blocks: HeaderBlocks;
  readonly #window = new ReceiveWindow(CONNECTION_WINDOW);
  #hasPreface = false;
  #hasSettings = false;

  constructor(connection: Http2Connection, limits: HeadLimits) {
    this.#connection = connection;
    this.#blocks = new HeaderBlocks(limits);
  }

  /** The client has said everything that it has to say first. */
  get hasBegun(): boolean {
    return this.#hasSettings;
  }

  /** A head has begun, and is not whole. */
  get isInHead(): boolean {
    return this.#blocks.stream !== 0;
  }

  take(chunk: Buffer): void {
    const frame = this.#frame;
    frame.push(chunk);
    if (!this.#hasPreface && !this.#skipPreface()) return;
    while (!this.#connection.isClosing) {
      const has = frame.next();
      if (has === 'too large') return this.#connection.fail(CODE.frameSize);
      if (!has) return;
      this.#onFrame();
    }
  }

  /** Bodies were read: the client may send as much again. */
  giveRoom(bytes: number): void {
    const told = this.#window.give(bytes);
    if (told > 0) this.#connection.writer.numbers(FRAME.windowUpdate, 0, [told]);
  }

  /** The client may be told of room for the last time. */
  giveAllRoom(): void {
    const told = this.#window.giveAll();
    if (told > 0) this.#connection.writer.numbers(FRAME.windowUpdate, 0, [told]);
  }

  #skipPreface(): boolean {
    const skipped = this.#frame.skip(PREFACE);
    this.#hasPreface = skipped === true;
    if (skipped === false) this.#connection.fail(CODE.protocol);
    return this.#hasPreface;
  }

  #onFrame(): void {
    const { type, stream } = this.#frame;
    const isOutOfTurn = this.#blocks.stream !== 0 && type !== FRAME.continuation;
    if (isOutOfTurn || (!this.#hasSettings && type !== FRAME.settings)) return this.#fail(CODE.protocol);
    switch (type) {
      case FRAME.data:
        return stream === 0 ? this.#fail(CODE.protocol) : this.#onData(stream);
      case FRAME.headers:
        return this.#onHeaders(stream);
      case FRAME.continuation:
        return this.#onContinuation(stream);
      case FRAME.priority:
        return this.#onPriority(stream);
      case FRAME.reset:
        return this.#onReset(stream);
      case FRAME.settings:
        return stream === 0 ? this.#onSettings() : this.#fail(CODE.protocol);
      case FRAME.ping:
        return stream === 0 ? this.#onPing() : this.#fail(CODE.protocol);
      case FRAME.goaway:
        return stream === 0 ? this.#onGoaway() : this.#fail(CODE.protocol);
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(stream);
      case FRAME.pushPromise:
        return this.#fail(CODE.protocol);
      default:
        // Section 5.5: what is not known is ignored.
        return this.#connection.annoy(1);
    }
  }

  #onData(id: number): void {
    const [frame, connection] = [this.#frame, this.#connection];
    const { length, flags } = frame;
    const ended = (flags & FLAG.endStream) !== 0;
    if (!this.#window.take(length)) return this.#fail(CODE.flowControl);
    if ((flags & FLAG.padded) !== 0 && !frame.unpad()) return this.#fail(CODE.protocol);
    if (frame.length === 0 && !ended) connection.annoy(1);
    const stream = connection.streams.find(id);
    if (stream === undefined) {
      this.giveRoom(length);
      return this.#onPast(id);
    }
    const wrong = stream.receive(frame.bytes.subarray(frame.at, frame.end), frame.bytes, length);
    if (wrong === CODE.streamClosed || wrong === CODE.flowControl || wrong === CODE.protocol) this.giveRoom(length);
    if (wrong !== undefined) return connection.resetFaulty(stream, wrong);
    if (ended) this.#end(stream, []);
  }

  #onHeaders(id: number): void {
    const frame = this.#frame;
    const { flags } = frame;
    if (id === 0 || id % 2 === 0) return this.#fail(CODE.protocol);
    if ((flags & FLAG.padded) !== 0 && !frame.unpad()) return this.#fail(CODE.protocol);
    if ((flags & FLAG.priority) !== 0) {
      if (frame.length < 5) return this.#fail(CODE.frameSize);
      // Section 5.3.2: priorities are ignored; a stream that depends on itself is not worth the trouble of one.
      if ((frame.number(0) & MAX_WINDOW) === id) return this.#fail(CODE.protocol);
      frame.at += 5;
    }
    if ((flags & FLAG.endHeaders) !== 0) this.#onBlock(frame, id, (flags & FLAG.endStream) !== 0);
    else this.#blocks.begin(frame, id, flags);
  }

  #onContinuation(id: number): void {
    const [frame, blocks] = [this.#frame, this.#blocks];
    if (blocks.stream === 0 || blocks.stream !== id) return this.#fail(CODE.protocol);
    if (!blocks.add(frame)) return this.#fail(CODE.calm);
    if ((frame.flags & FLAG.endHeaders) === 0) return;
    this.#onBlock(blocks.finish(), id, (blocks.flags & FLAG.endStream) !== 0);
  }

  #onBlock(block: Block, id: number, ended: boolean): void {
    const { streams } = this.#connection;
    const stream = streams.find(id);
    if (stream !== undefined) return this.#onTrailers(stream, block, ended);
    if (id > streams.highest) return this.#onRequest(block, id, ended);
    // What follows builds on the table that this block may change.
    if (this.#blocks.readTrailers(block) === 'undecodable') return this.#fail(CODE.compression);
    this.#onPast(id);
  }

  #onRequest(block: Block, id: number, ended: boolean): void {
    const connection = this.#connection;
    const head = this.#blocks.readHead(block, ended);
    if (head === 'undecodable') return this.#fail(CODE.compression);
    // Section 6.8: what comes after the last stream of a GOAWAY was not seen; the client asks somebody else.
    if (connection.isLeaving) return;
    connection.streams.highest = id;
    if (head === 'malformed') return connection.refuse(id, CODE.protocol);
    if (connection.streams.count >= MAX_STREAMS) return connection.refuse(id, CODE.refused);
    if (head === 'too large') return this.#refuseLarge(id, ended);
    connection.serve(new Http2Stream(connection, id, head));
  }

  /** RFC 6585 section 5. */
  #refuseLarge(id: number, ended: boolean): void {
    const connection = this.#connection;
    connection.annoy(TOO_LARGE_COST);
    if (connection.isClosing) return;
    connection.writer.head({ stream: id, status: 431, fields: ['content-length', '0'], endsStream: true });
    if (!ended) connection.writer.numbers(FRAME.reset, id, [CODE.none]);
    connection.streams.remember(id, !ended);
  }

  #onTrailers(stream: Http2Stream, block: Block, ended: boolean): void {
    const fields = this.#blocks.readTrailers(block);
    if (fields === 'undecodable') return this.#fail(CODE.compression);
    if (stream.hasClientEnded) return this.#connection.resetFaulty(stream, CODE.streamClosed);
    if (typeof fields === 'string' || !ended) return this.#connection.resetFaulty(stream, CODE.protocol);
    this.#end(stream, fields);
  }

  #end(stream: Http2Stream, trailers: readonly string[]): void {
    if (this.#connection.streams.find(stream.id) === undefined) return;
    const wrong = stream.receiveEnd(trailers);
    if (wrong !== undefined) this.#connection.resetFaulty(stream, wrong);
  }

  #onPriority(id: number): void {
    if (id === 0) return this.#fail(CODE.protocol);
    if (this.#frame.length !== 5) return this.#fail(CODE.frameSize);
    if ((this.#frame.number(0) & MAX_WINDOW) === id) return this.#fail(CODE.protocol);
    this.#connection.annoy(1);
  }

  #onReset(id: number): void {
    const connection = this.#connection;
    if (this.#frame.length !== 4) return this.#fail(CODE.frameSize);
    if (id === 0 || (id > connection.streams.highest && !connection.isLeaving)) return this.#fail(CODE.protocol);
    const stream = connection.streams.find(id);
    if (stream === undefined) connection.annoy(1);
    else connection.cancelled(stream);
  }

  #onSettings(): void {
    const [frame, connection, settings] = [this.#frame, this.#connection, this.settings];
    if ((frame.flags & FLAG.ack) !== 0)
      return frame.length === 0 ? connection.acknowledged() : this.#fail(CODE.frameSize);
    if (frame.length % SETTING_BYTES !== 0) return this.#fail(CODE.frameSize);
    const before = settings.initialWindow;
    const wrong = settings.take(frame);
    if (wrong !== undefined) return this.#fail(wrong);
    if (this.#hasSettings) connection.annoy(SETTINGS_COST + frame.length / SETTING_BYTES);
    this.#hasSettings = true;
    if (connection.isClosing) return;
    if (settings.lowersTable) connection.writer.announceTable();
    connection.writer.settingsAck();
    if (settings.initialWindow !== before) this.#moveWindows(settings.initialWindow - before);
  }

  /** Section 6.9.2: of all streams that there are, by as much as the size for new ones has changed. */
  #moveWindows(change: number): void {
    for (const stream of this.#connection.streams.all()) {
      stream.sendWindow += change;
      if (stream.sendWindow > MAX_WINDOW) return this.#fail(CODE.flowControl);
    }
    this.#connection.turns.go();
  }

  #onPing(): void {
    const frame = this.#frame;
    if (frame.length !== 8) return this.#fail(CODE.frameSize);
    if ((frame.flags & FLAG.ack) !== 0) return this.#connection.answered();
    this.#connection.annoy(1);
    if (!this.#connection.isClosing) this.#connection.writer.ping(frame.bytes.subarray(frame.at, frame.end), true);
  }

  /** The client opens no more streams; those that there are go on. */
  #onGoaway(): void {
    if (this.#frame.length < 8) return this.#fail(CODE.frameSize);
    this.#connection.annoy(1);
    this.#connection.retire();
  }

  #onWindowUpdate(id: number): void {
    const connection = this.#connection;
    if (this.#frame.length !== 4) return this.#fail(CODE.frameSize);
    const bytes = this.#frame.number(0) & MAX_WINDOW;
    connection.annoy(1);
    if (id > connection.streams.highest && !connection.isLeaving) return this.#fail(CODE.protocol);
    if (id === 0) {
      if (bytes === 0) return this.#fail(CODE.protocol);
      if (!connection.turns.widen(bytes)) return this.#fail(CODE.flowControl);
      return connection.turns.go();
    }
    const stream = connection.streams.find(id);
    if (stream === undefined) return;
    stream.sendWindow += bytes;
    if (bytes === 0) return connection.resetFaulty(stream, CODE.protocol);
    if (stream.sendWindow > MAX_WINDOW) return connection.resetFaulty(stream, CODE.flowControl);
    connection.turns.go();
  }

  /** Section 5.1: DATA or HEADERS of a stream that is no more. */
  #onPast(id: number): void {
    const { streams } = this.#connection;
    const past = id > streams.highest ? 'never' : streams.past(id);
    if (past === 'reset' || this.#isUnseen(id)) return this.#connection.annoy(1);
    this.#fail(past === 'done' ? CODE.streamClosed : CODE.protocol);
  }

  /** Section 6.8: the stream was opened after the last that is served, by a client that did not know. */
  #isUnseen(id: number): boolean {
    return this.#connection.isLeaving && id > this.#connection.streams.highest;
  }

  #fail(code: (typeof CODE)[keyof typeof CODE]): void {
    this.#connection.fail(code);
  }
}
