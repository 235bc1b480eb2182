/** Owns the SQLite file of the cluster: one row an object, write-ahead log, group commits. */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { Store, StoredRow, StoreWrite } from './store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS objects (
    tbl TEXT NOT NULL, key TEXT NOT NULL, revision INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (tbl, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL);
  INSERT OR IGNORE INTO counter (id, revision) VALUES (1, 0);
`;

/** Opens (or makes, mode 0600) the database. In WAL mode with synchronous=NORMAL a killed process loses nothing that was committed. */
export function openSqliteStore(file: string): Store {
  const database = new DatabaseSync(file);
  chmodSync(file, 0o600);
  database.exec(
    'PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-1024',
  );
  database.exec(SCHEMA);
  const put = database.prepare('INSERT OR REPLACE INTO objects (tbl, key, revision, json) VALUES (?, ?, ?, ?)');
  const drop = database.prepare('DELETE FROM objects WHERE tbl = ? AND key = ?');
  const count = database.prepare('UPDATE counter SET revision = ? WHERE id = 1');
  const apply = (write: StoreWrite): void => {
    if (write.json === undefined) drop.run(write.table, write.key);
    else put.run(write.table, write.key, write.revision, write.json);
  };
  return {
    load() {
      const rows = database.prepare('SELECT tbl AS "table", key, revision, json FROM objects').all();
      const { revision } = database.prepare('SELECT revision FROM counter').get() as { revision: number };
      return { rows: rows as unknown as StoredRow[], revision };
    },
    commit(writes) {
      database.exec('BEGIN IMMEDIATE');
      try {
        for (const write of writes) apply(write);
        count.run(Math.max(...writes.map((write) => write.revision)));
        database.exec('COMMIT');
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
    close: () => database.close(),
  };
}
