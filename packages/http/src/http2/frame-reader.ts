/** Owns cutting a connection's bytes into frames (RFC 9113 section 4.1). What they mean is for others to say. */
import { FRAME_HEAD_BYTES, MAX_FRAME_BYTES } from './protocol.ts';

const EMPTY = Buffer.alloc(0);

/** One at a time: the reader stands at a frame until `next`. */
export class FrameReader {
  /** Where the frame's payload stands: from `at` to `end`. Its reader may move both closer. */
  bytes: Buffer = EMPTY;
  at = 0;
  end = 0;
  type = 0;
  flags = 0;
  stream = 0;
  #next = 0;

  /** Takes what has come. The bytes must not be overwritten. */
  push(chunk: Buffer): void {
    const left = this.bytes.length - this.#next;
    this.bytes = left === 0 ? chunk : Buffer.concat([this.bytes.subarray(this.#next), chunk]);
    this.#next = 0;
  }

  /** Takes `text` away from the start: false where something else stands there, undefined where too little has come. */
  skip(text: Buffer): boolean | undefined {
    const have = Math.min(text.length, this.bytes.length);
    if (text.compare(this.bytes, 0, have, 0, have) !== 0) return false;
    if (have < text.length) return undefined;
    this.#next = have;
    return true;
  }

  /** False: no whole frame has come. `too large`: one that nobody agreed to (section 4.2). */
  next(): boolean | 'too large' {
    const { bytes } = this;
    const start = this.#next;
    if (bytes.length - start < FRAME_HEAD_BYTES) return this.#wait();
    const length = ((bytes[start] ?? 0) << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0);
    if (length > MAX_FRAME_BYTES) return 'too large';
    const at = start + FRAME_HEAD_BYTES;
    if (bytes.length - at < length) return this.#wait();
    this.type = bytes[start + 3] ?? 0;
    this.flags = bytes[start + 4] ?? 0;
    this.stream = readNumber(bytes, start + 5) & 0x7f_ff_ff_ff;
    this.at = at;
    this.end = at + length;
    this.#next = this.end;
    return true;
  }

  get length(): number {
    return this.end - this.at;
  }

  /** A number of 32 bits in the payload. */
  number(offset: number): number {
    return readNumber(this.bytes, this.at + offset) >>> 0;
  }

  /** Takes padding off (section 6.1); false where there is more of it than payload. */
  unpad(): boolean {
    if (this.length === 0) return false;
    const padding = this.bytes[this.at] ?? 0;
    this.at += 1;
    this.end -= padding;
    return this.end >= this.at;
  }

  #wait(): false {
    if (this.#next === this.bytes.length) this.bytes = EMPTY;
    else if (this.#next > 0) this.bytes = this.bytes.subarray(this.#next);
    this.#next = 0;
    return false;
  }
}

function readNumber(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
