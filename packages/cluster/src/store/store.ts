/** Owns the contract of durable storage below the object tables; an implementation knows nothing of Kubernetes. */

export interface StoredRow {
  readonly table: string;
  readonly key: string;
  readonly revision: number;
  readonly json: string;
}

export interface StoreWrite {
  readonly table: string;
  readonly key: string;
  readonly revision: number;
  /** Undefined deletes. */
  readonly json: string | undefined;
}

/** Durable storage of rows. Writes are visible after a kill -9 once `commit` returned. */
export interface Store {
  /** Every row, and the highest revision ever committed. */
  load(): { readonly rows: Iterable<StoredRow>; readonly revision: number };
  /** Writes all of it or nothing; synchronous. */
  commit(writes: readonly StoreWrite[]): void;
  close(): void;
}

/** Keeps nothing: for tests and throw-away clusters. */
export function createVolatileStore(): Store {
  return { load: () => ({ rows: [], revision: 0 }), commit: () => undefined, close: () => undefined };
}
