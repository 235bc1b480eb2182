/** Owns one wake-up call: of all moments asked for, the earliest counts. */

export class Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #due = Infinity;
  #isStopped = false;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Rings once, `ms` from now at the latest. */
  ringIn(ms: number): void {
    const due = performance.now() + ms;
    if (this.#isStopped || due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      this.#ring();
    }, ms);
  }

  /** Never rings again. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }
}
