import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { describeError, Secret } from '@kfctl/core';
import { runStorageSuite, SAMPLE_RECORDS } from '../../../../testkit/src/identity-storage.ts';
import { POSTGRES_MISSING, startPostgres } from '../../../../testkit/src/postgres.ts';
import type { PostgresServer } from '../../../../testkit/src/postgres.ts';
import { readSettings, trySettings } from '../../../test/read-settings.ts';
import type { Storage } from '../storage.ts';
import { placeOf } from './open-pool.ts';
import { postgresSettings } from './postgres-settings.ts';
import type { PostgresSettings } from './postgres-settings.ts';
import { openPostgresStorage } from './postgres-storage.ts';

const needed = POSTGRES_MISSING === undefined ? {} : { skip: POSTGRES_MISSING };
let server: PostgresServer;
let databases = 0;

before(async () => {
  if (POSTGRES_MISSING === undefined) server = await startPostgres();
});
after(() => server?.remove());

function settings(database: string): PostgresSettings {
  const yaml = `{host: "${server.host}:${server.port}", database: ${database}, user: dex, password: ${server.password}, ssl: {mode: disable}}`;
  return readSettings(postgresSettings, yaml);
}

function newDatabase(): string {
  databases += 1;
  server.createDatabase(`d${databases}`);
  return `d${databases}`;
}

async function open(t: TestContext, database = newDatabase()): Promise<Storage> {
  const storage = await openPostgresStorage(settings(database));
  t.after(() => storage.close());
  return storage;
}

runStorageSuite({ name: 'postgres', open, ...needed });

test('replicas that start together agree, and never both take a code', needed, async (t) => {
  const database = newDatabase();
  const replicas = await Promise.all([open(t, database), open(t, database), open(t, database)]);
  const { id, record } = SAMPLE_RECORDS.authCode;
  await replicas[0]?.create('authCode', id, record);
  const taken = await Promise.all(replicas.map((replica) => replica.take('authCode', id)));
  assert.equal(taken.filter((item) => item !== undefined).length, 1);
});

test('names and values that look like SQL are kept as they are', needed, async (t) => {
  const storage = await open(t);
  const id = `x'; DROP TABLE identity_record; --`;
  await storage.create('authCode', id, {
    ...SAMPLE_RECORDS.authCode.record,
    nonce: `$1 ' " \\ ${String.fromCodePoint(0)}`,
  });
  assert.equal((await storage.get('authCode', id))?.nonce, `$1 ' " \\ ${String.fromCodePoint(0)}`);
});

test('a wrong password is told without the password', needed, async () => {
  const wrong = { ...settings('postgres'), password: new Secret('hunter2') };
  await assert.rejects(openPostgresStorage(wrong), (error) => {
    assert.match(describeError(error), /cannot be used/);
    assert.doesNotMatch(describeError(error), /hunter2/);
    return true;
  });
});

test('a server without TLS is refused unless the settings allow it', needed, async () => {
  const { value } = trySettings(
    postgresSettings,
    `{host: ${server.host}, port: ${server.port}, database: postgres, user: dex, password: ${server.password}}`,
  );
  assert.equal(value.ssl.mode, 'verify-full');
  await assert.rejects(openPostgresStorage(value), /cannot be used/);
});

test('reads host, host:port, addresses and sockets', () => {
  assert.deepEqual(placeOf({ host: 'db', port: 0 }), { host: 'db', port: 5432 });
  assert.deepEqual(placeOf({ host: 'db:6000', port: 0 }), { host: 'db', port: 6000 });
  assert.deepEqual(placeOf({ host: '[::1]:6000', port: 0 }), { host: '::1', port: 6000 });
  assert.deepEqual(placeOf({ host: '::1', port: 7000 }), { host: '::1', port: 7000 });
  assert.deepEqual(placeOf({ host: '/run/postgresql', port: 0 }), { host: '/run/postgresql', port: 5432 });
});
