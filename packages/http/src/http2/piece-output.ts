/**
 * Owns the memory in which the frames of a connection leave. They are written into one piece, which goes to the socket when the turn of the
 * event loop ends. One piece is under way at a time: what comes meanwhile fills the next, and DATA waits when that is full. So a client
 * that takes nothing costs two pieces, and what its streams keep.
 */
import type { Socket } from 'node:net';
import type { CopyPool } from '../connection/copy-pool.ts';
import { atTurnEnd } from '../connection/turn-end.ts';
import type { Flushed } from '../connection/turn-end.ts';

/** What the pool keeps. */
export const PIECE_BYTES: number = 65_536 + 8_192;
/** Heads and the answers to what a client asks of the connection cannot wait: of them, this many pieces are held. */
const MAX_PIECES = 16;
const EMPTY = Buffer.alloc(0);

export interface OutputEvents {
  /** There is room again. */
  onRoom(): void;
  /** More is held than a client may ask for. */
  onOverrun(): void;
}

export class PieceOutput implements Flushed {
  readonly #socket: Socket;
  readonly #copies: CopyPool;
  readonly #events: OutputEvents;
  /** The piece that is being filled, up to `used`. */
  piece: Buffer = EMPTY;
  used = 0;
  /** Pieces that have left, and this one's number: what was written into an earlier one cannot be changed. */
  number = 0;
  /** Pieces that were taken. */
  taken = 0;
  #underWay = 0;
  #isScheduled = false;
  #hasEnded = false;

  constructor(socket: Socket, copies: CopyPool, events: OutputEvents) {
    this.#socket = socket;
    this.#copies = copies;
    this.#events = events;
  }

  /** Has the piece begin or go on with room for `length` bytes, at most those of a piece. */
  reserve(length: number): void {
    if (!this.#isScheduled) this.#schedule();
    if (this.used + length <= this.piece.length) return;
    if (this.used > 0) this.#send();
    if (this.#underWay > MAX_PIECES) this.#events.onOverrun();
    if (this.piece === EMPTY) this.piece = this.#copies.take(PIECE_BYTES);
  }

  /** Bytes that can be written without being held behind more than one piece. */
  get room(): number {
    if (this.#underWay === 0) return PIECE_BYTES;
    return this.#underWay === 1 ? PIECE_BYTES - this.used : 0;
  }

  /** The client has not taken what was written last. */
  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  /** Writes what is held, unless something is under way: then that is waited for. */
  flush(): void {
    this.#isScheduled = false;
    if (this.#underWay === 0) this.#send();
  }

  /** Writes what is held, whatever is under way; nothing that follows is written. */
  end(): void {
    this.#send();
    this.#hasEnded = true;
  }

  #send(): void {
    const { piece, used } = this;
    if (used === 0) return;
    this.piece = EMPTY;
    this.used = 0;
    this.number += 1;
    if (this.#hasEnded || this.#socket.destroyed) return;
    this.#underWay += 1;
    this.#socket.write(piece.subarray(0, used), (error) => this.#onWritten(piece, error));
  }

  #onWritten(piece: Buffer, error: unknown): void {
    this.#underWay -= 1;
    this.taken += 1;
    if (error instanceof Error) return;
    this.#copies.giveBack(piece);
    if (this.#underWay > 0) return;
    this.#events.onRoom();
    if (this.used > 0 && !this.#isScheduled) this.#schedule();
  }

  #schedule(): void {
    this.#isScheduled = true;
    atTurnEnd(this);
  }
}
