/** Owns sessions in one SQLite file: for a single replica with a volume. */
import { closeSync, fchmodSync, openSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { StatementResultingChanges } from 'node:sqlite';
import type { Clock } from '@kfctl/core';
import type { StoredSession } from '@kfctl/oidc';
import type { SessionStore } from './session-store.ts';

export interface FileStoreOptions {
  readonly path: string;
  readonly clock: Clock;
}

const PAGE = 500;

/** Opens or makes the file; throws when it cannot be written. */
export async function openFileStore({ path, clock }: FileStoreOptions): Promise<SessionStore> {
  const { DatabaseSync } = await import('node:sqlite');
  makePrivate(path);
  const database = new DatabaseSync(path, { timeout: 5_000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
  database.exec(
    'CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, sealed TEXT NOT NULL, expires_at_ms INTEGER NOT NULL)',
  );
  const insert = database.prepare('INSERT OR IGNORE INTO session (id, sealed, expires_at_ms) VALUES (?, ?, ?)');
  const update = database.prepare('UPDATE session SET sealed = ?2, expires_at_ms = ?3 WHERE id = ?1 AND sealed = ?4');
  const remove = database.prepare('DELETE FROM session WHERE id = ?');
  const prune = database.prepare('DELETE FROM session WHERE expires_at_ms <= ?');
  const one = database.prepare('SELECT id, sealed, expires_at_ms FROM session WHERE id = ?');
  const page = database.prepare('SELECT id, sealed, expires_at_ms FROM session WHERE id > ? ORDER BY id LIMIT ?');
  return {
    follow: async (listener) => {
      prune.run(clock.now());
      let last = '';
      for (let rows = page.all(last, PAGE); rows.length > 0; rows = page.all(last, PAGE)) {
        for (const row of rows) listener.put(toStored(row));
        last = String(rows.at(-1)?.['id']);
        // Opening a hundred thousand takes seconds, in which requests are told 503 rather than nothing.
        await setImmediate();
      }
    },
    write: async ({ id, sealed, expiresAtMs }, replaces) =>
      changed(
        replaces === undefined
          ? insert.run(id, sealed, expiresAtMs)
          : update.run(id, sealed, expiresAtMs, replaces.sealed),
      ),
    delete: async (id) => void remove.run(id),
    get: async (id) => {
      const row = one.get(id);
      return row === undefined ? undefined : toStored(row);
    },
    close: async () => database.close(),
  };
}

/** SQLite gives its files the mode of the first one. */
function makePrivate(path: string): void {
  const file = openSync(path, 'a', 0o600);
  try {
    fchmodSync(file, 0o600);
  } finally {
    closeSync(file);
  }
}

function changed({ changes }: StatementResultingChanges): boolean {
  return Number(changes) > 0;
}

function toStored(row: Readonly<Record<string, unknown>>): StoredSession {
  return { id: String(row['id']), sealed: String(row['sealed']), expiresAtMs: Number(row['expires_at_ms']) };
}
