import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runStorageSuite, SAMPLE_RECORDS } from '../../../../testkit/src/identity-storage.ts';
import type { Storage } from '../storage.ts';
import { openSqliteStorage } from './sqlite-storage.ts';

function directory(t: TestContext): string {
  const dir = mkdtempSync(path.join(tmpdir(), 'identity-sqlite-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function open(t: TestContext, file = path.join(directory(t), 'dex.db')): Storage {
  const storage = openSqliteStorage(file);
  t.after(() => storage.close());
  return storage;
}

runStorageSuite({ name: 'sqlite', open });

test('two processes on one file see each other and never both take a code', async (t) => {
  const file = path.join(directory(t), 'dex.db');
  const [left, right] = [open(t, file), open(t, file)];
  const { id, record } = SAMPLE_RECORDS.authCode;
  await left.create('authCode', id, record);
  assert.deepEqual(await right.get('authCode', id), record);
  const taken = await Promise.all([left.take('authCode', id), right.take('authCode', id)]);
  assert.equal(taken.filter((item) => item !== undefined).length, 1);
});

test('the file is for its owner only', (t) => {
  const file = path.join(directory(t), 'dex.db');
  open(t, file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('names the file that cannot be opened', () => {
  assert.throws(() => openSqliteStorage('/nonexistent/dir/dex.db'), /cannot open the storage file/);
});
