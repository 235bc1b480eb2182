/**
 * Owns a request's body between its DATA frames and whoever reads it: kept in blocks, however small its frames are, and never more than the
 * stream's window; the window opens again as the body is read (RFC 9113 section 5.2).
 */
import { Readable } from 'node:stream';

/** What a client may send of one body before somebody has read it. */
export const STREAM_WINDOW = 262_144;
const BLOCK_BYTES = 4_096;

export class RequestBody {
  readonly #onRead: (bytes: number) => void;
  readonly #blocks: Buffer[] = [];
  /** Bytes that are used of the last block. */
  #used = 0;
  #stream: Readable | undefined;
  #isWanted = false;
  #hasEnded = false;
  /** Some of it was dropped: what there is must not look like all of it. */
  #isCut = false;
  /** Bytes that are kept here. */
  size = 0;

  /** `onRead`: so many bytes are somebody else's now. */
  constructor(onRead: (bytes: number) => void) {
    this.#onRead = onRead;
  }

  /** One block at a time is in the stream: more of them would be kept twice. */
  get stream(): Readable {
    if (this.#stream !== undefined) return this.#stream;
    const stream = new Readable({ highWaterMark: 1, read: () => this.#read() });
    // A client that breaks off is no error of ours; `close` tells it.
    stream.on('error', () => undefined);
    this.#stream = stream;
    return stream;
  }

  /** `chunk` is a part of `whole`, which must not be kept for a small one. */
  push(chunk: Buffer, whole: Buffer): void {
    if (this.#isWanted && this.#stream !== undefined) {
      this.#isWanted = false;
      this.#onRead(chunk.length);
      this.#stream.push(own(chunk, whole));
      return;
    }
    this.size += chunk.length;
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used + chunk.length <= last.length) {
      chunk.copy(last, this.#used);
      this.#used += chunk.length;
      return;
    }
    this.#trimLast();
    this.#used = chunk.length;
    if (chunk.length >= BLOCK_BYTES) return void this.#blocks.push(own(chunk, whole));
    const block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    chunk.copy(block);
    this.#blocks.push(block);
  }

  end(): void {
    if (this.#isCut) return;
    this.#hasEnded = true;
    if (this.#isWanted && this.#blocks.length === 0) this.#stream?.push(null);
  }

  /** The rest will not come, or is not wanted: gives how much of it was here. */
  drop(): number {
    const { size } = this;
    if (size > 0) [this.#isCut, this.#hasEnded] = [true, false];
    this.size = 0;
    this.#blocks.length = 0;
    return size;
  }

  /** For readers: there is no more. */
  destroy(): void {
    this.#stream?.destroy();
  }

  #read(): void {
    this.#trimLast();
    const block = this.#blocks.shift();
    if (block === undefined) {
      this.#isWanted = true;
      if (this.#hasEnded) this.#stream?.push(null);
      return;
    }
    this.size -= block.length;
    this.#onRead(block.length);
    this.#stream?.push(block);
  }

  #trimLast(): void {
    const last = this.#blocks.at(-1);
    if (last !== undefined && this.#used < last.length)
      this.#blocks[this.#blocks.length - 1] = last.subarray(0, this.#used);
  }
}

function own(chunk: Buffer, whole: Buffer): Buffer {
  return chunk.length * 2 >= whole.length ? chunk : Buffer.from(chunk);
}
