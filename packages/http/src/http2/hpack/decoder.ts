/** Owns the reading of header blocks (RFC 7541): each representation becomes a field. What fields may be is for whoever takes them. */
import { DynamicTable, MAX_TABLE_BYTES } from './dynamic-table.ts';
import { createHeaderField } from './header-field.ts';
import type { HeaderField } from './header-field.ts';
import { decodeHuffman } from './huffman.ts';
import { STATIC_TABLE } from './static-table.ts';

/** Where a block stands. */
export interface Block {
  readonly bytes: Buffer;
  readonly at: number;
  readonly end: number;
}

export interface FieldTaker {
  take(field: HeaderField): void;
}

const STATIC: readonly HeaderField[] = STATIC_TABLE.map(([name, value]) => createHeaderField(name, value));
const BAD = -1;
/** Larger numbers have no use here; more bytes for a smaller one neither. */
const MAX_SHIFT = 21;
/** RFC 7541 section 4.2: the smallest of several sizes, and the last. */
const MAX_RESIZES = 2;
const EMPTY = Buffer.alloc(0);

export class HpackDecoder {
  readonly #table = new DynamicTable();
  /** Changes with everything that changes what blocks mean. */
  #resized = 0;
  #bytes: Buffer = EMPTY;
  #at = 0;
  #end = 0;

  /** A block that was read when this was the same, and left it the same, means now what it meant then. */
  get version(): number {
    return this.#table.added + this.#resized;
  }

  /** False: the block is none, and nothing that follows on the connection can be read (RFC 9113 section 4.3). */
  decode({ bytes, at, end }: Block, taker: FieldTaker): boolean {
    [this.#bytes, this.#at, this.#end] = [bytes, at, end];
    const isGood = this.#resize() && this.#fields(taker);
    this.#bytes = EMPTY;
    return isGood;
  }

  #fields(taker: FieldTaker): boolean {
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at] ?? 0;
      const field = (byte & 0x80) === 0 ? this.#literal(byte) : this.#get(this.#number(0x7f));
      if (field === undefined) return false;
      taker.take(field);
    }
    return true;
  }

  /** Sizes of the table come before everything else. */
  #resize(): boolean {
    for (let times = 0; this.#at < this.#end && ((this.#bytes[this.#at] ?? 0) & 0xe0) === 0x20; times += 1) {
      const size = this.#number(0x1f);
      if (size === BAD || size > MAX_TABLE_BYTES || times === MAX_RESIZES) return false;
      this.#table.resize(size);
      this.#resized += 1;
    }
    return true;
  }

  #literal(byte: number): HeaderField | undefined {
    const isKept = (byte & 0x40) !== 0;
    if (!isKept && (byte & 0x20) !== 0) return undefined;
    const index = this.#number(isKept ? 0x3f : 0x0f);
    const name = index === 0 ? this.#text() : this.#get(index)?.name;
    const value = name === undefined ? undefined : this.#text();
    if (name === undefined || value === undefined) return undefined;
    const field = createHeaderField(name, value);
    if (isKept) {
      this.#table.add(field);
      // Where it did not fit, it has emptied the table.
      this.#resized += 1;
    }
    return field;
  }

  #get(index: number): HeaderField | undefined {
    return index <= STATIC.length ? STATIC[index - 1] : this.#table.get(index - STATIC.length - 1);
  }

  /** RFC 7541 section 5.1. */
  #number(mask: number): number {
    const first = (this.#bytes[this.#at++] ?? 0) & mask;
    if (first < mask) return first;
    let value = mask;
    for (let shift = 0; shift <= MAX_SHIFT && this.#at < this.#end; shift += 7) {
      const byte = this.#bytes[this.#at++] ?? 0;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return BAD;
  }

  /** RFC 7541 section 5.2. */
  #text(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const isCoded = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#number(0x7f);
    const start = this.#at;
    if (length === BAD || length > this.#end - start) return undefined;
    this.#at += length;
    return isCoded ? decodeHuffman(this.#bytes, start, this.#at) : this.#bytes.toString('latin1', start, this.#at);
  }
}
