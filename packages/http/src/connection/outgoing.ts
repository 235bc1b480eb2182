/**
 * Owns what is on its way out of a connection. Short pieces are held and written as one when the turn of the event loop ends, those of all
 * connections in a row: a peer that sleeps is woken once for all of them, not once for each, which costs more than everything else here.
 */
import type { Socket } from 'node:net';
import type { CopyPool } from './copy-pool.ts';
import { atTurnEnd } from './turn-end.ts';
import type { Flushed } from './turn-end.ts';

/** What node writes from its stack, without memory of its own for each write; more than that is not held. */
const MAX_HELD = 16_384;

interface Piece {
  readonly before: string;
  readonly chunk: Buffer;
  readonly after: string;
}

export class Outgoing implements Flushed {
  readonly #socket: Socket;
  readonly #copies: CopyPool | undefined;
  /** One byte a character. */
  #held = '';

  /** `copies`: for bytes that may be overwritten as soon as they were given; without it, they are kept as they are. */
  constructor(socket: Socket, copies?: CopyPool) {
    this.#socket = socket;
    this.#copies = copies;
  }

  /** Takes text of one byte a character. */
  text(text: string): void {
    if (this.#held === '') atTurnEnd(this);
    this.#held += text;
    if (this.#held.length > MAX_HELD) this.flush();
  }

  /** Takes bytes between two texts. False: wait for `drain`. */
  bytes(before: string, chunk: Buffer, after: string): boolean {
    const size = this.#held.length + before.length + chunk.length + after.length;
    if (size <= MAX_HELD) {
      this.text(`${before}${chunk.toString('latin1')}${after}`);
      return !this.#socket.writableNeedDrain;
    }
    if (this.#copies !== undefined) return this.#copy({ before: `${this.#held}${before}`, chunk, after }, this.#copies);
    this.text(before);
    this.flush();
    const hasRoom = this.#socket.write(chunk);
    this.text(after);
    return hasRoom;
  }

  /** Writes now what is held. */
  flush(): void {
    const text = this.#held;
    this.#held = '';
    if (text !== '' && !this.#socket.destroyed) this.#socket.write(text, 'latin1');
  }

  #copy({ before, chunk, after }: Piece, copies: CopyPool): boolean {
    this.#held = '';
    if (this.#socket.destroyed) return true;
    const size = before.length + chunk.length + after.length;
    const bytes = copies.take(size);
    if (before !== '') bytes.write(before, 0, 'latin1');
    chunk.copy(bytes, before.length);
    if (after !== '') bytes.write(after, size - after.length, 'latin1');
    return this.#socket.write(bytes, (error) => {
      if (!(error instanceof Error)) copies.giveBack(bytes);
    });
  }
}
