/** Owns keeping a request's body while the request may have to be sent again: as much as a bound allows, and not a byte longer than needed. */
import { Readable } from 'node:stream';

/** What all requests together keep. */
export interface ReplayBudget {
  /** False: too much is kept already. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
}

export function createReplayBudget(maxBytes: number): ReplayBudget {
  let kept = 0;
  return {
    take(bytes) {
      if (kept + bytes > maxBytes) return false;
      kept += bytes;
      return true;
    },
    giveBack: (bytes) => void (kept -= bytes),
  };
}

/** Envoy's bound for one request: beyond it the body goes on, and the request is not sent again. */
const MAX_BYTES = 1_048_576;
/** What a piece costs beside its bytes: many small ones are not free. */
const PIECE_BYTES = 256;

export class ReplayBody {
  readonly #source: Readable;
  readonly #budget: ReplayBudget;
  #kept: Buffer[] = [];
  #bytes = 0;
  #isWhole = true;
  #hasEnded = false;
  #isBroken = false;
  #current: Readable | undefined;

  constructor(source: Readable, budget: ReplayBudget) {
    this.#source = source;
    this.#budget = budget;
    const onBreak = (): void => this.#onBreak();
    source
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#onEnd())
      .on('close', onBreak)
      .on('error', onBreak)
      .pause();
  }

  /** All that came of the body so far is still here. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The body from its beginning. The one that was opened before gets no more of it. */
  open(): Readable {
    this.#current?.destroy();
    const body = new Readable({ read: () => void (this.#current === body && this.#source.resume()) });
    this.#current = body;
    for (const chunk of this.#kept) body.push(chunk);
    if (this.#hasEnded) body.push(null);
    else if (this.#isBroken) body.destroy();
    return body;
  }

  /** Nothing comes before the next opening: what came with nobody to send it to could be more than is kept. */
  hold(): void {
    this.#current?.destroy();
    this.#current = undefined;
    this.#source.pause();
  }

  /** The request is not sent again. */
  release(): void {
    this.#budget.giveBack(this.#bytes);
    this.#kept = [];
    this.#bytes = 0;
    this.#isWhole = false;
  }

  /** Nobody wants the rest. */
  stop(): void {
    this.release();
    this.#current = undefined;
  }

  #take(chunk: Buffer): void {
    if (this.#isWhole) this.#keep(chunk);
    if (this.#current?.push(chunk) === false) this.#source.pause();
  }

  #keep(chunk: Buffer): void {
    // A small piece of a large buffer would keep all of that.
    const own = chunk.buffer.byteLength > chunk.length * 2 ? Buffer.from(chunk) : chunk;
    const bytes = own.length + PIECE_BYTES;
    if (this.#bytes + bytes > MAX_BYTES || !this.#budget.take(bytes)) return this.release();
    this.#bytes += bytes;
    this.#kept.push(own);
  }

  #onEnd(): void {
    this.#hasEnded = true;
    this.#current?.push(null);
  }

  /** What is left of the body will not come. */
  #onBreak(): void {
    if (this.#hasEnded || this.#isBroken) return;
    this.#isBroken = true;
    this.release();
    this.#current?.destroy();
  }
}
