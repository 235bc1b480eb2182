/** Owns the wrapper that keeps secrets out of logs, JSON and error messages. */

const MASK = '[secret]';

/** util.inspect.custom; registered globally, so that node:util need not be loaded for it. */
const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A value that prints as `[secret]` everywhere; `reveal()` is the one way to read it, so that uses can be searched for. */
export class Secret<T = string> {
  static {
    Object.defineProperty(this.prototype, INSPECT, { value: () => MASK });
  }

  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }
}
