/** Owns what every storage of the identity provider must do when several ask at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { AuthCode, RefreshToken } from '../../identity/src/storage/records.ts';
import type { Storage } from '../../identity/src/storage/storage.ts';

interface Samples {
  readonly code: AuthCode;
  readonly refreshToken: RefreshToken;
}

export function testStorageRaces(
  open: (t: TestContext) => Promise<Storage> | Storage,
  { code, refreshToken }: Samples,
): void {
  test('of 50 takers exactly one gets the code', async (t) => {
    const storage = await open(t);
    await storage.create('authCode', 'c', code);
    const taken = await Promise.all(Array.from({ length: 50 }, () => storage.take('authCode', 'c')));
    assert.equal(taken.filter((record) => record !== undefined).length, 1);
  });

  test('of 20 creators exactly one makes the record', async (t) => {
    const storage = await open(t);
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        storage.create('refreshToken', 'r', { ...refreshToken, token: `${index}` }),
      ),
    );
    assert.equal(made.filter(Boolean).length, 1);
    assert.equal((await storage.get('refreshToken', 'r'))?.token, String(made.indexOf(true)));
  });

  test('a record that was taken does not come back through a change that was under way', async (t) => {
    const storage = await open(t);
    for (let round = 0; round < 5; round += 1) {
      await storage.create('refreshToken', 'r', refreshToken);
      const change = (): Promise<unknown> =>
        storage.update('refreshToken', 'r', (record) => ({ ...record, lastUsedAt: record.lastUsedAt + 1 }));
      const [, taken] = await Promise.all([change(), storage.take('refreshToken', 'r'), change(), change()]);
      assert.ok(taken);
      assert.equal(await storage.get('refreshToken', 'r'), undefined);
    }
  });

  test('of 20 swaps of one token exactly one is made', async (t) => {
    const storage = await open(t);
    await storage.create('refreshToken', 'r', refreshToken);
    const swaps = Array.from({ length: 20 }, (_, index) =>
      storage.update('refreshToken', 'r', (record) =>
        record.token === 'current' ? { ...record, token: `next-${index}` } : undefined,
      ),
    );
    const made = (await Promise.all(swaps)).filter((record) => record !== undefined);
    assert.equal(made.length, 1);
    assert.equal((await storage.get('refreshToken', 'r'))?.token, made[0]?.token);
  });

  test('a hundred records made, changed and taken side by side stay apart', async (t) => {
    const storage = await open(t);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const id = `r${index}`;
        await storage.create('refreshToken', id, { ...refreshToken, token: id });
        await storage.update('refreshToken', id, (record) => ({ ...record, obsoleteToken: record.token }));
        return (await storage.take('refreshToken', id))?.obsoleteToken === id;
      }),
    );
    assert.ok(outcomes.every(Boolean));
    assert.deepEqual(await storage.list('refreshToken'), []);
  });

  test('clean-up beside a redemption never gives a code twice', async (t) => {
    const storage = await open(t);
    await storage.create('authCode', 'c', { ...code, expiresAt: 1000 });
    const [first, removed, second] = await Promise.all([
      storage.take('authCode', 'c'),
      storage.deleteExpired(2000),
      storage.take('authCode', 'c'),
    ]);
    const gone = [first, second].filter((record) => record !== undefined).length;
    assert.equal(gone + removed, 1);
  });

  test('ten concurrent changes are all made', async (t) => {
    const storage = await open(t);
    await storage.create('refreshToken', 'r', { ...refreshToken, lastUsedAt: 1000 });
    await Promise.all(
      Array.from({ length: 10 }, () =>
        storage.update('refreshToken', 'r', (record) => ({ ...record, lastUsedAt: record.lastUsedAt + 1000 })),
      ),
    );
    assert.equal((await storage.get('refreshToken', 'r'))?.lastUsedAt, 11_000);
  });
}
