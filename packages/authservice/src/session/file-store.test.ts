import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '@kfctl/core';
import { sampleSession, Told, testSessionStore } from '../../../testkit/src/session-store.ts';
import { openFileStore } from './file-store.ts';

async function makePath(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sessions-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'sessions.db');
}

testSessionStore('file', async (t) => {
  const path = await makePath(t);
  return { open: () => openFileStore({ path, clock: systemClock }), shared: false };
});

test('what is over is not told after a restart', async (t) => {
  const path = await makePath(t);
  const store = await openFileStore({ path, clock: systemClock });
  await store.write({ ...sampleSession(1), expiresAtMs: 1_000 });
  await store.write(sampleSession(2));
  const told = new Told();
  await store.follow(told, AbortSignal.abort());
  assert.deepEqual([...told.sessions.keys()], [sampleSession(2).id]);
  await store.close?.();
});

test('nobody else on the machine may read the file', async (t) => {
  const path = await makePath(t);
  const store = await openFileStore({ path, clock: systemClock });
  await store.write(sampleSession(1));
  assert.equal((await stat(path)).mode & 0o077, 0);
  await store.close?.();
  assert.ok((await readFile(path)).length > 0);
});

test('while many are told, others get a turn', async (t) => {
  const path = await makePath(t);
  const store = await openFileStore({ path, clock: systemClock });
  for (let seed = 1; seed <= 1_201; seed += 1) await store.write(sampleSession(seed));
  const told = new Told();
  const following = store.follow(told, AbortSignal.abort());
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (told.sessions.size < 1_201) setImmediate(count);
  };
  setImmediate(count);
  await following;
  assert.equal(told.sessions.size, 1_201);
  assert.ok(turns >= 2, String(turns));
  await store.close?.();
});
