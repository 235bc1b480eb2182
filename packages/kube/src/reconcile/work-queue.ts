/** Owns the order of work: each key waits at most once, is worked on by one worker at a time, and may come back later. */

interface Later {
  readonly timer: NodeJS.Timeout;
  readonly dueAt: number;
}

export class WorkQueue {
  readonly #ready = new Set<string>();
  readonly #working = new Set<string>();
  readonly #again = new Set<string>();
  readonly #later = new Map<string, Later>();
  readonly #takers: ((key: string | undefined) => void)[] = [];
  #closed = false;

  /** Due now; a key that is being worked on comes again afterwards. */
  add(key: string): void {
    if (this.#closed) return;
    this.#forget(key);
    if (this.#working.has(key)) this.#again.add(key);
    else this.#ready.add(key);
    this.#hand();
  }

  /** Due after `ms`; an earlier due time of the same key wins. */
  addAfter(key: string, ms: number): void {
    if (this.#closed || this.#ready.has(key) || this.#again.has(key)) return;
    const dueAt = performance.now() + ms;
    const present = this.#later.get(key);
    if (present !== undefined && present.dueAt <= dueAt) return;
    this.#forget(key);
    this.#later.set(key, { timer: setTimeout(() => this.add(key), ms), dueAt });
  }

  /** The next key, or undefined once the queue is closed. Pair with `done`. */
  take(): Promise<string | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#hand();
    });
  }

  done(key: string): void {
    this.#working.delete(key);
    if (this.#again.delete(key)) this.add(key);
  }

  close(): void {
    this.#closed = true;
    for (const key of this.#later.keys()) this.#forget(key);
    for (const resolve of this.#takers.splice(0)) resolve(undefined);
  }

  #hand(): void {
    while (this.#takers.length > 0) {
      const [key] = this.#ready;
      if (key === undefined) return;
      this.#ready.delete(key);
      this.#working.add(key);
      this.#takers.shift()?.(key);
    }
  }

  #forget(key: string): void {
    clearTimeout(this.#later.get(key)?.timer);
    this.#later.delete(key);
  }
}
