/** Owns the contract of storage: few operations, each atomic, on records with a kind and an id. */
import type { RecordKind, Records } from './records.ts';

export interface Stored<K extends RecordKind> {
  readonly id: string;
  readonly record: Records[K];
}

/** Every method throws when the storage cannot be reached; "there is none" is a value. Kept by the conformance suite in testkit. */
export interface Storage {
  get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined>;
  /** False when the id is taken; then nothing is written. */
  create<K extends RecordKind>(kind: K, id: string, record: Records[K]): Promise<boolean>;
  /**
   * Replaces a record by what `change` makes of it, atomically: `change` may be called again with a newer record when
   * another writer came between, and gives undefined to leave the record alone. Resolves with the record written, if any.
   */
  update<K extends RecordKind>(
    kind: K,
    id: string,
    change: (record: Records[K]) => Records[K] | undefined,
  ): Promise<Records[K] | undefined>;
  /** Removes a record and gives it: exactly one of any number of concurrent callers gets it, the others undefined. */
  take<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined>;
  list<K extends RecordKind>(kind: K): Promise<readonly Stored<K>[]>;
  /** Removes the records that expired before `nowMs`; resolves with their number. */
  deleteExpired(nowMs: number): Promise<number>;
  close(): Promise<void>;
}
