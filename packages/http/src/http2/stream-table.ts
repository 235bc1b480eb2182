/** Owns which streams of a connection there are, and what is remembered of those that there were (RFC 9113 section 5.1). */
import type { Http2Stream } from './http2-stream.ts';

/** `reset`: by us, and the client may not know it yet. `done`: the client knows. `never`: it skipped the number. */
export type Past = 'reset' | 'done' | 'never';

/** The latest ones only: what comes for a stream that ended long ago is a mistake. */
const MAX_PAST = 256;

export class StreamTable {
  /** Few, and looked through faster than a Map, which grows old with each request. */
  readonly #open: Http2Stream[] = [];
  readonly #past: number[] = [];
  readonly #wasReset: boolean[] = [];
  #turn = 0;
  /** The highest number that a client has used. */
  highest = 0;

  get count(): number {
    return this.#open.length;
  }

  find(id: number): Http2Stream | undefined {
    for (const stream of this.#open) if (stream.id === id) return stream;
    return undefined;
  }

  add(stream: Http2Stream): void {
    this.#open.push(stream);
  }

  /** `byUs`: frames of the stream may still be on their way. */
  remove(stream: Http2Stream, byUs: boolean): void {
    const at = this.#open.indexOf(stream);
    if (at < 0) return;
    const last = this.#open.pop();
    if (last !== undefined && last !== stream) this.#open[at] = last;
    this.remember(stream.id, byUs);
  }

  remember(id: number, byUs: boolean): void {
    this.#past[this.#turn] = id;
    this.#wasReset[this.#turn] = byUs;
    this.#turn = (this.#turn + 1) % MAX_PAST;
  }

  /** What became of a number up to the highest that belongs to no open stream. */
  past(id: number): Past {
    const at = this.#past.lastIndexOf(id);
    if (at < 0) return 'never';
    return this.#wasReset[at] === true ? 'reset' : 'done';
  }

  /** All of them now: what is done with one may remove others. */
  all(): readonly Http2Stream[] {
    return this.#open.slice();
  }
}
