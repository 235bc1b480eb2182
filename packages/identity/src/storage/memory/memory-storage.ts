/** Owns storage in the memory of one process: for trying things out and for tests. */
import { EXPIRING_KINDS, expiryOf, RECORD_KINDS } from '../records.ts';
import type { RecordKind, Records } from '../records.ts';
import type { Storage, Stored } from '../storage.ts';

export function createMemoryStorage(): Storage {
  const tables = new Map<RecordKind, Map<string, unknown>>(RECORD_KINDS.map((kind) => [kind, new Map()]));
  const table = <K extends RecordKind>(kind: K): Map<string, Records[K]> => tables.get(kind) as Map<string, Records[K]>;
  return {
    get: (kind, id) => Promise.resolve(table(kind).get(id)),
    create: (kind, id, record) => {
      const rows = table(kind);
      if (rows.has(id)) return Promise.resolve(false);
      rows.set(id, record);
      return Promise.resolve(true);
    },
    update: async (kind, id, change) => {
      const rows = table(kind);
      const current = rows.get(id);
      const next = current === undefined ? undefined : change(current);
      if (next !== undefined) rows.set(id, next);
      return next;
    },
    take: (kind, id) => {
      const rows = table(kind);
      const record = rows.get(id);
      rows.delete(id);
      return Promise.resolve(record);
    },
    list: <K extends RecordKind>(kind: K) =>
      Promise.resolve([...table(kind)].map(([id, record]): Stored<K> => ({ id, record }))),
    deleteExpired: (nowMs) => {
      let count = 0;
      for (const kind of EXPIRING_KINDS) {
        for (const [id, record] of table(kind)) {
          if ((expiryOf(record) ?? Infinity) < nowMs && table(kind).delete(id)) count += 1;
        }
      }
      return Promise.resolve(count);
    },
    close: () => Promise.resolve(),
  };
}
