/**
 * Owns the header blocks of a connection: put together from their frames (RFC 9113 section 4.3), read in the order in which they came, and
 * remembered where the same bytes mean the same again.
 */
import type { HeadLimits } from '../head/raw-head.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import type { Block } from './hpack/decoder.ts';
import { RequestFields } from './request-fields.ts';
import type { DecodedHead, Unusable } from './request-fields.ts';

/** The table that all later blocks build on is lost. */
export type Undecodable = 'undecodable';

interface Remembered {
  readonly block: Buffer;
  readonly version: number;
  readonly ended: boolean;
  readonly head: DecodedHead;
}

/** Of a client that asks for the same again, a block is little more than references into its table. */
const MAX_REMEMBERED_BYTES = 96;
const MAX_REMEMBERED = 4;
const MAX_CONTINUATIONS = 32;
const EMPTY = Buffer.alloc(0);

export class HeaderBlocks {
  readonly #limits: HeadLimits;
  readonly #decoder = new HpackDecoder();
  readonly #remembered: Remembered[] = [];
  #turn = 0;
  /** The stream whose block is not whole yet; 0: none is. */
  stream = 0;
  /** Of its first frame. */
  flags = 0;
  #parts: Buffer = EMPTY;
  #continuations = 0;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** A HEADERS frame that is not the whole block. */
  begin({ bytes, at, end }: Block, stream: number, flags: number): void {
    this.stream = stream;
    this.flags = flags;
    this.#parts = Buffer.from(bytes.subarray(at, end));
    this.#continuations = 0;
  }

  /** False: no head is that long, nor comes in that many pieces. */
  add({ bytes, at, end }: Block): boolean {
    this.#continuations += 1;
    if (this.#continuations > MAX_CONTINUATIONS || end === at) return false;
    if (this.#parts.length + end - at > this.#limits.maxBytes) return false;
    this.#parts = Buffer.concat([this.#parts, bytes.subarray(at, end)]);
    return true;
  }

  /** The whole block. */
  finish(): Block {
    const block = { bytes: this.#parts, at: 0, end: this.#parts.length };
    this.#parts = EMPTY;
    this.stream = 0;
    return block;
  }

  readHead(block: Block, ended: boolean): DecodedHead | Unusable | Undecodable {
    const { version } = this.#decoder;
    const known = this.#recall(block, version, ended);
    if (known !== undefined) return known;
    const fields = new RequestFields(this.#limits);
    if (!this.#decoder.decode(block, fields)) return 'undecodable';
    const head = fields.head(ended);
    const length = block.end - block.at;
    if (typeof head === 'object' && length <= MAX_REMEMBERED_BYTES && this.#decoder.version === version) {
      const own = Buffer.from(block.bytes.subarray(block.at, block.end));
      this.#remembered[this.#turn++ % MAX_REMEMBERED] = { block: own, version, ended, head };
    }
    return head;
  }

  readTrailers(block: Block): readonly string[] | Unusable | Undecodable {
    const fields = new RequestFields(this.#limits);
    return this.#decoder.decode(block, fields) ? fields.trailers() : 'undecodable';
  }

  #recall({ bytes, at, end }: Block, version: number, ended: boolean): DecodedHead | undefined {
    for (const known of this.#remembered) {
      const { block } = known;
      if (known.version !== version || known.ended !== ended || block.length !== end - at) continue;
      if (block.compare(bytes, at, end) === 0) return known.head;
    }
    return undefined;
  }
}
