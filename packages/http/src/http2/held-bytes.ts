/** Owns the bytes of an answer that the client has no room for yet. */
import type { CopyPool } from '../connection/copy-pool.ts';

export class HeldBytes {
  readonly #copies: CopyPool;
  readonly #chunks: Buffer[] = [];
  /** Bytes that are gone of the first chunk. */
  #gone = 0;
  size = 0;

  constructor(copies: CopyPool) {
    this.#copies = copies;
  }

  add(chunk: Buffer): void {
    const isLarge = chunk.length >= this.#copies.smallest;
    const copy = isLarge ? this.#copies.take(chunk.length) : Buffer.allocUnsafe(chunk.length);
    chunk.copy(copy);
    this.#chunks.push(copy);
    this.size += copy.length;
  }

  /** At most so many of the first bytes. */
  peek(bytes: number): Buffer {
    const [first] = this.#chunks;
    return first === undefined ? Buffer.alloc(0) : first.subarray(this.#gone, this.#gone + bytes);
  }

  /** Drops as many as `peek` has given. */
  drop(bytes: number): void {
    this.size -= bytes;
    this.#gone += bytes;
    const [first] = this.#chunks;
    if (first === undefined || this.#gone < first.length) return;
    this.#chunks.shift();
    this.#gone = 0;
    if (first.length >= this.#copies.smallest) this.#copies.giveBack(first);
  }

  clear(): void {
    while (this.size > 0) this.drop(this.peek(this.size).length);
  }
}
