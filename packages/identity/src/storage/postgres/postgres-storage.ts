/** Owns storage in PostgreSQL: a single table of JSON records, each operation one statement or one short transaction. */
import { AppError } from '@kfctl/core';
import type { Pool, PoolClient } from 'pg';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { expiryOf } from '../records.ts';
import type { RecordKind, Records } from '../records.ts';
import type { Storage, Stored } from '../storage.ts';
import { openPool } from './open-pool.ts';
import type { PostgresSettings } from './postgres-settings.ts';

interface Row {
  readonly id: string;
  readonly data: string;
}

// A number of our own choosing: replicas that start together make the table one after the other.
const SCHEMA_LOCK = 556_001;

// Text, not jsonb: jsonb refuses the character U+0000 and reorders keys. C: ids are bytes, in an order that no locale changes.
const PREPARE = `
  CREATE TABLE IF NOT EXISTS identity_record (
    kind text NOT NULL,
    id text COLLATE "C" NOT NULL,
    data text NOT NULL,
    expires_at bigint,
    PRIMARY KEY (kind, id)
  );
  CREATE INDEX IF NOT EXISTS identity_record_expiry ON identity_record (expires_at) WHERE expires_at IS NOT NULL;
`;

const SQL = {
  get: 'SELECT id, data FROM identity_record WHERE kind = $1 AND id = $2',
  lock: 'SELECT id, data FROM identity_record WHERE kind = $1 AND id = $2 FOR UPDATE',
  create: 'INSERT INTO identity_record (kind, id, data, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
  update: 'UPDATE identity_record SET data = $3, expires_at = $4 WHERE kind = $1 AND id = $2',
  take: 'DELETE FROM identity_record WHERE kind = $1 AND id = $2 RETURNING id, data',
  list: 'SELECT id, data FROM identity_record WHERE kind = $1 ORDER BY id',
  deleteExpired: 'DELETE FROM identity_record WHERE expires_at < $1',
} as const;

/** Connects and makes the table. Throws AppError when it cannot; the caller may try again. */
export async function openPostgresStorage(settings: PostgresSettings): Promise<Storage> {
  const pool = openPool(settings);
  try {
    await inTransaction(pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [SCHEMA_LOCK]);
      await client.query(PREPARE);
    });
  } catch (error) {
    await pool.end();
    throw error;
  }
  return createStorage(pool);
}

function createStorage(pool: Pool): Storage {
  const run = async (sql: string, values: readonly unknown[]): Promise<{ rows: Row[]; count: number }> => {
    try {
      const { rows, rowCount } = await pool.query<Row>(sql, [...values]);
      return { rows, count: rowCount ?? 0 };
    } catch (cause) {
      throw unusable(cause);
    }
  };
  return {
    get: async (kind, id) => parse((await run(SQL.get, [kind, id])).rows[0]),
    create: async (kind, id, record) => (await run(SQL.create, valuesOf(kind, id, record))).count === 1,
    update: (kind, id, change) =>
      inTransaction(pool, async (client) => {
        const current = parse<typeof kind>((await client.query<Row>(SQL.lock, [kind, id])).rows[0]);
        const next = current === undefined ? undefined : change(current);
        if (next !== undefined) await client.query(SQL.update, valuesOf(kind, id, next));
        return next;
      }),
    take: async (kind, id) => parse((await run(SQL.take, [kind, id])).rows[0]),
    list: async <K extends RecordKind>(kind: K) =>
      (await run(SQL.list, [kind])).rows.map((row): Stored<K> => ({
        id: row.id,
        record: JSON.parse(row.data) as Records[K],
      })),
    deleteExpired: async (nowMs) => (await run(SQL.deleteExpired, [nowMs])).count,
    close: () => pool.end(),
  };
}

function valuesOf(kind: RecordKind, id: string, record: Records[RecordKind]): unknown[] {
  return [kind, id, JSON.stringify(record), expiryOf(record) ?? null];
}

async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((cause: unknown) => {
    throw unusable(cause);
  });
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (cause) {
    // A connection whose transaction did not end well is not used again; the server rolls back when it goes.
    client.release(true);
    throw unusable(cause);
  }
}

function parse<K extends RecordKind>(row: Row | undefined): Records[K] | undefined {
  return row === undefined ? undefined : (JSON.parse(row.data) as Records[K]);
}

function unusable(cause: unknown): AppError {
  return new AppError(IDENTITY_ERRORS.storageFailed, 'the PostgreSQL storage cannot be used', {
    hint: 'Check storage.config: host, database, user, password and ssl.mode.',
    cause,
  });
}
