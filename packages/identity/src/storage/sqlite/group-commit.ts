/**
 * Owns the transactions of one SQLite connection: writes that are asked for in one turn of the event loop are committed together,
 * so that a burst of them waits for the disk once. A write is answered after its commit, never before.
 */
import type { DatabaseSync } from 'node:sqlite';

export interface GroupCommit {
  /** Runs the work inside a transaction with others; what it returns is given when that is on the disk. */
  write<T>(work: () => T): Promise<T>;
  /** Commits what waits. */
  flush(): void;
}

interface Failure {
  readonly cause: unknown;
}

/** So that the event loop is not kept for long. */
const MAX_PER_COMMIT = 200;

/** `toError`: what a write is rejected with, of what went wrong. */
export function createGroupCommit(
  database: DatabaseSync,
  toError: (cause: unknown) => unknown = (cause) => cause,
): GroupCommit {
  const transaction = createTransaction(database);
  let waiting: Waiting<unknown>[] = [];
  const flush = (): void => {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_PER_COMMIT);
      const failure = transaction(batch);
      for (const one of batch) one.settle(failure, toError);
    }
  };
  return {
    write: <T>(work: () => T) =>
      new Promise<T>((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(new Waiting(work, resolve, reject) as Waiting<unknown>);
      }),
    flush,
  };
}

class Waiting<T> {
  readonly #work: () => T;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  #value: T | undefined;
  #failure: Failure | undefined;

  constructor(work: () => T, resolve: (value: T) => void, reject: (error: unknown) => void) {
    this.#work = work;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  run(): void {
    try {
      this.#value = this.#work();
    } catch (cause) {
      this.#failure = { cause };
    }
  }

  /** Tells the outcome of `run`, or what made the whole transaction fail. */
  settle(ofAll: Failure | undefined, toError: (cause: unknown) => unknown): void {
    const failure = ofAll ?? this.#failure;
    if (failure === undefined) this.#resolve(this.#value as T);
    else this.#reject(toError(failure.cause));
  }
}

/** Gives why nothing of the batch has happened, if it has not. */
function createTransaction(database: DatabaseSync): (batch: readonly Waiting<unknown>[]) => Failure | undefined {
  const begin = database.prepare('BEGIN IMMEDIATE');
  const end = database.prepare('COMMIT');
  return (batch) => {
    try {
      begin.run();
      for (const one of batch) {
        one.run();
        // A full disk and the like end the transaction: then nothing of it has happened.
        if (!database.isTransaction) throw new Error('the transaction was rolled back');
      }
      end.run();
      return undefined;
    } catch (cause) {
      if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
      return { cause };
    }
  };
}
