/** Owns the memory of records as they were read last, with the text they came from: for a change that is made only where the text is still that. */
import type { RecordKind, Records } from '../records.ts';

export interface LastRead<K extends RecordKind> {
  readonly kind: K;
  readonly text: string;
  readonly record: Records[K];
}

/** Between the reading of a record and its change stand a few others; what is no longer here is read again. */
const MAX_KEPT = 128;

export class LastReads {
  readonly #reads = new Map<string, LastRead<RecordKind>>();

  keep<K extends RecordKind>(id: string, read: LastRead<K>): void {
    this.#reads.set(id, read);
    if (this.#reads.size <= MAX_KEPT) return;
    for (const oldest of this.#reads.keys()) {
      this.#reads.delete(oldest);
      return;
    }
  }

  /** Once: after the change it is another record. */
  take<K extends RecordKind>(kind: K, id: string): LastRead<K> | undefined {
    const read = this.#reads.get(id);
    if (read?.kind !== kind) return undefined;
    this.#reads.delete(id);
    return read as LastRead<K>;
  }
}
