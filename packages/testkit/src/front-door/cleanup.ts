/** Owns the ends of what a test or a benchmark started. */

/** Whatever runs steps at its end: a test's context is one. */
export interface CleansUp {
  after(step: () => Promise<unknown> | void): void;
}

/** What ends, last started first. */
export class Cleanup implements CleansUp {
  readonly #steps: (() => Promise<unknown> | void)[] = [];

  after(step: () => Promise<unknown> | void): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}
