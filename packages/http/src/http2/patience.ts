/**
 * Owns how much a client may ask of a connection without asking for anything: a bucket that each such thing takes from, and that time and
 * useful work fill again. What it protects from is named where it is taken from.
 */

export interface PatienceLimits {
  readonly burst: number;
  readonly perSecond: number;
}

export class Patience {
  readonly #limits: PatienceLimits;
  #left: number;
  #filledMs: number;

  /** `nowMs` by the clock of the connection. */
  constructor(limits: PatienceLimits, nowMs: number) {
    this.#limits = limits;
    this.#left = limits.burst;
    this.#filledMs = nowMs;
  }

  /** False: it is used up. */
  take(amount: number, nowMs: number): boolean {
    this.give(((nowMs - this.#filledMs) / 1_000) * this.#limits.perSecond);
    this.#filledMs = nowMs;
    this.#left -= amount;
    return this.#left >= 0;
  }

  give(amount: number): void {
    this.#left = Math.min(this.#limits.burst, this.#left + amount);
  }
}
