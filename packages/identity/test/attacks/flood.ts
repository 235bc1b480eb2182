/** Owns the attack of asking for more than the storage should hold. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { loginForCode, openLogin, startTestIdentity } from '../test-identity.ts';

/** Device codes for a public client need no secret: so many may be open and no more, logins go on, and time makes room again. */
export async function attackDeviceFlood(t: TestContext): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-flood-'));
  const file = path.join(directory, 'dex.db');
  const identity = await startTestIdentity({ storage: `type: sqlite3, config: {file: ${file}}` });
  const database = new DatabaseSync(file, { readOnly: true });
  t.after(async () => {
    database.close();
    await identity.stop();
    rmSync(directory, { recursive: true });
  });
  const rows = (): number => Number(Object.values(database.prepare('SELECT count(*) FROM record').get() ?? {})[0]);
  const flood = async (): Promise<number[]> => {
    const ask = async (): Promise<number> => {
      const response = await identity.post('/dex/device/code', { client_id: 'cli' });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses: number[] = [];
    for (let batch = 0; batch < 24; batch += 1) {
      statuses.push(...(await Promise.all(Array.from({ length: 50 }, ask))));
      await Promise.all(Array.from({ length: 20 }, () => openLogin(identity)));
    }
    return statuses;
  };
  const before = rows();
  const statuses = await flood();
  assert.equal(statuses.filter((status) => status === 200).length, 1000);
  assert.equal(statuses.filter((status) => status === 503).length, 200);
  assert.equal(rows() - before, 2000);
  assert.notEqual(await loginForCode(identity), '');
  identity.now += 600_000;
  assert.equal((await identity.post('/dex/device/code', { client_id: 'cli' })).status, 200);
}
