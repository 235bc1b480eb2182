/** Owns memory of what was made for somebody lately: bounded, so that what is quickly made again does not fill a process. */

/**
 * Keeps what is set for the second time in a short while. What is made for somebody who does not come again dies young and costs next to
 * nothing; kept, it would live until the collector looks at everything, and hundreds of megabytes of it would stand until then.
 */
export class RecentMap<Key, Value> {
  readonly #half: number;
  #young = new Map<Key, Value | undefined>();
  #old = new Map<Key, Value | undefined>();

  /** Knows the `capacity / 2` that came last, and at most as many more. */
  constructor(capacity: number) {
    this.#half = capacity / 2;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#put(key, old);
    return old;
  }

  /** The first time only the key is remembered. */
  set(key: Key, value: Value): void {
    this.#put(key, this.#young.has(key) || this.#old.has(key) ? value : undefined);
  }

  #put(key: Key, value: Value | undefined): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
