/** Owns storage in one SQLite file: a single table of JSON records, durable before an answer is given. */
import { chmodSync, closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '@kfctl/core';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { expiryOf } from '../records.ts';
import type { RecordKind, Records } from '../records.ts';
import type { Storage, Stored } from '../storage.ts';
import { createGroupCommit } from './group-commit.ts';
import { LastReads } from './last-reads.ts';

interface Data {
  readonly data: string;
}

interface Row extends Data {
  readonly id: string;
}

type Change<K extends RecordKind> = (record: Records[K]) => Records[K] | undefined;

// FULL: a code that was redeemed must stay redeemed after a power cut.
const PREPARE = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA busy_timeout = 5000;
  CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS record_expiry ON record (expires_at) WHERE expires_at IS NOT NULL;
`;

/** Opens or makes the file (readable by its owner only); `:memory:` works too. Throws AppError when it cannot. */
export function openSqliteStorage(file: string): Storage {
  const database = open(file);
  const statement = prepareStatements(database);
  const lastReads = new LastReads();
  const { write, flush } = createGroupCommit(database, failure);
  const read = <K extends RecordKind>(kind: K, id: string): Records[K] | undefined =>
    parse(statement.get.get(kind, id) as Data | undefined);
  const readForChange = <K extends RecordKind>(kind: K, id: string): Records[K] | undefined => {
    const row = statement.get.get(kind, id) as Data | undefined;
    const record = parse<K>(row);
    if (row !== undefined && record !== undefined) lastReads.keep(id, { kind, text: row.data, record });
    return record;
  };
  // Most changes follow a reading: then the record need not be read again, only be the one that was read.
  const swap = <K extends RecordKind>(kind: K, id: string, change: Change<K>): Records[K] | undefined => {
    const last = lastReads.take(kind, id);
    const next = last && change(last.record);
    if (last === undefined || next === undefined) return undefined;
    const { changes } = statement.swap.run(JSON.stringify(next), expiryOf(next) ?? null, kind, id, last.text);
    return changes === 1 ? next : undefined;
  };
  const readAndChange = <K extends RecordKind>(kind: K, id: string, change: Change<K>): Records[K] | undefined => {
    const current = read(kind, id);
    const next = current === undefined ? undefined : change(current);
    if (next !== undefined) statement.update.run(JSON.stringify(next), expiryOf(next) ?? null, kind, id);
    return next;
  };
  return {
    get: (kind, id) => attempt(() => readForChange(kind, id)),
    create: (kind, id, record) =>
      write(() => statement.create.run(kind, id, JSON.stringify(record), expiryOf(record) ?? null).changes === 1),
    update: (kind, id, change) => write(() => swap(kind, id, change) ?? readAndChange(kind, id, change)),
    take: (kind, id) => write(() => parse(statement.take.get(kind, id) as Data | undefined)),
    list: <K extends RecordKind>(kind: K) =>
      attempt(() =>
        (statement.list.all(kind) as unknown as Row[]).map((row): Stored<K> => ({
          id: row.id,
          record: JSON.parse(row.data) as Records[K],
        })),
      ),
    deleteExpired: (nowMs) => write(() => Number(statement.deleteExpired.run(nowMs).changes)),
    close: () =>
      attempt(() => {
        flush();
        database.close();
      }),
  };
}

function prepareStatements(database: DatabaseSync) {
  return {
    get: database.prepare('SELECT data FROM record WHERE kind = ? AND id = ?'),
    create: database.prepare('INSERT OR IGNORE INTO record (kind, id, data, expires_at) VALUES (?, ?, ?, ?)'),
    update: database.prepare('UPDATE record SET data = ?, expires_at = ? WHERE kind = ? AND id = ?'),
    swap: database.prepare('UPDATE record SET data = ?, expires_at = ? WHERE kind = ? AND id = ? AND data = ?'),
    take: database.prepare('DELETE FROM record WHERE kind = ? AND id = ? RETURNING data'),
    list: database.prepare('SELECT id, data FROM record WHERE kind = ? ORDER BY id'),
    deleteExpired: database.prepare('DELETE FROM record WHERE expires_at < ?'),
  };
}

function open(file: string): DatabaseSync {
  try {
    if (file !== ':memory:') {
      closeSync(openSync(file, 'a', 0o600));
      chmodSync(file, 0o600);
    }
    const database = new DatabaseSync(file);
    database.exec(PREPARE);
    return database;
  } catch (cause) {
    throw new AppError(IDENTITY_ERRORS.storageFailed, `cannot open the storage file ${file}`, {
      hint: 'Name a file in an existing, writable directory in storage.config.file.',
      cause,
    });
  }
}

function parse<K extends RecordKind>(row: Data | undefined): Records[K] | undefined {
  return row === undefined ? undefined : (JSON.parse(row.data) as Records[K]);
}

function attempt<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work());
  } catch (cause) {
    return Promise.reject(failure(cause));
  }
}

function failure(cause: unknown): AppError {
  return new AppError(IDENTITY_ERRORS.storageFailed, 'the storage file cannot be used', { cause });
}
