import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runStorageSuite, SAMPLE_RECORDS } from '../../../../testkit/src/identity-storage.ts';
import type { RefreshToken } from '../records.ts';
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

test('a change after a reading is made to what another process has written meanwhile', async (t) => {
  const file = path.join(directory(t), 'dex.db');
  const [left, right] = [open(t, file), open(t, file)];
  const { id, record } = SAMPLE_RECORDS.refreshToken;
  const rotate = (token: string) => (current: RefreshToken) => ({ ...current, token, obsoleteToken: current.token });
  await left.create('refreshToken', id, record);
  await left.get('refreshToken', id);
  await right.update('refreshToken', id, rotate('theirs'));
  const seen: string[] = [];
  const changed = await left.update('refreshToken', id, (current) => {
    seen.push(current.token);
    return rotate('ours')(current);
  });
  assert.deepEqual([changed?.token, changed?.obsoleteToken, seen.at(-1)], ['ours', 'theirs', 'theirs']);
  assert.deepEqual(await right.get('refreshToken', id), changed);
  // A change that finds nothing to do in what was read looks again.
  await right.update('refreshToken', id, rotate('newer'));
  const onlyNewer = (current: RefreshToken): RefreshToken | undefined =>
    current.token === 'newer' ? rotate('newest')(current) : undefined;
  assert.equal((await left.update('refreshToken', id, onlyNewer))?.token, 'newest');
  await left.get('refreshToken', id);
  await right.take('refreshToken', id);
  assert.equal(await left.update('refreshToken', id, rotate('late')), undefined);
  assert.equal(await right.get('refreshToken', id), undefined);
});

test('the file is for its owner only', (t) => {
  const file = path.join(directory(t), 'dex.db');
  open(t, file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('names the file that cannot be opened', () => {
  assert.throws(() => openSqliteStorage('/nonexistent/dir/dex.db'), /cannot open the storage file/);
});
