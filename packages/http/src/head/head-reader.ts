/** Owns the reading of one head after the other from what has come of a connection, and the telling of when one has begun. */
import { beginsWithEmptyLine, findHead, INCOMPLETE, STRAY, TOO_LARGE } from './find-head.ts';
import { parseHead } from './parse-head.ts';
import type { HeadLimits, RawHead } from './raw-head.ts';

export type ReadHead =
  | RawHead
  /** Nothing of a head has come: an empty line begins none. */
  | 'none'
  /** The first bytes of one. */
  | 'begun'
  /** Some more of them. */
  | 'unfinished'
  | 'too large'
  | 'malformed';

const EMPTY = Buffer.alloc(0);

export class HeadReader {
  readonly #limits: HeadLimits;
  /** What is left of the bytes that were read last. */
  rest: Buffer = EMPTY;
  /** How much of them is known to hold no end of a head. */
  #searched = 0;
  /** The one empty line that is forgiven has come. */
  #hasSkippedLine = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** `bytes`: `rest` of the last time, and what has come since. */
  read(bytes: Buffer): ReadHead {
    this.rest = this.#skipEmptyLine(bytes);
    if (this.rest.length === 0) return 'none';
    const head = findHead(this.rest, this.#searched, this.#limits.maxBytes);
    if (head === TOO_LARGE) return 'too large';
    if (head === INCOMPLETE) return this.#wait();
    const raw = head === STRAY ? undefined : parseHead(head, this.#limits.maxFields);
    if (raw === undefined || head === STRAY) return 'malformed';
    const size = head.length + 4;
    this.rest = this.rest.length === size ? EMPTY : this.rest.subarray(size);
    this.#searched = 0;
    this.#hasSkippedLine = false;
    return raw;
  }

  #wait(): 'begun' | 'unfinished' {
    const isFirst = this.#searched === 0;
    this.#searched = this.rest.length;
    return isFirst ? 'begun' : 'unfinished';
  }

  /** Its two bytes may come one by one. */
  #skipEmptyLine(bytes: Buffer): Buffer {
    if (this.#searched > 1 || this.#hasSkippedLine || !beginsWithEmptyLine(bytes)) return bytes;
    this.#hasSkippedLine = true;
    this.#searched = 0;
    return bytes.subarray(2);
  }
}
