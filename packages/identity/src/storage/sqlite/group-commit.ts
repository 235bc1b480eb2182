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

interface Waiting {
  run(): void;
  /** Tells the outcome of `run`, or what made the whole transaction fail. */
  settle(failure?: Failure): void;
}

interface Failure {
  readonly cause: unknown;
}

/** So that the event loop is not kept for long. */
const MAX_PER_COMMIT = 200;

export function createGroupCommit(database: DatabaseSync): GroupCommit {
  let waiting: Waiting[] = [];
  const flush = (): void => {
    while (waiting.length > 0) commit(database, waiting.splice(0, MAX_PER_COMMIT));
  };
  return {
    write: (work) =>
      new Promise((resolve, reject) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push(createWaiting(work, resolve, reject));
      }),
    flush,
  };
}

function createWaiting<T>(work: () => T, resolve: (value: T) => void, reject: (error: unknown) => void): Waiting {
  let outcome = (): void => undefined;
  return {
    run: () => {
      try {
        const value = work();
        outcome = () => resolve(value);
      } catch (error) {
        outcome = () => reject(error);
      }
    },
    settle: (failure) => (failure === undefined ? outcome() : reject(failure.cause)),
  };
}

function commit(database: DatabaseSync, batch: readonly Waiting[]): void {
  const failure = attempt(database, batch);
  for (const one of batch) one.settle(failure);
}

function attempt(database: DatabaseSync, batch: readonly Waiting[]): Failure | undefined {
  try {
    database.exec('BEGIN IMMEDIATE');
    for (const one of batch) {
      one.run();
      // A full disk and the like end the transaction: then nothing of it has happened.
      if (!database.isTransaction) throw new Error('the transaction was rolled back');
    }
    database.exec('COMMIT');
    return undefined;
  } catch (cause) {
    if (database.isOpen && database.isTransaction) database.exec('ROLLBACK');
    return { cause };
  }
}
