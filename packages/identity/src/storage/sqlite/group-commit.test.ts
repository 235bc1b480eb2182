import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { createGroupCommit } from './group-commit.ts';
import type { GroupCommit } from './group-commit.ts';

function open(): { database: DatabaseSync; commits: GroupCommit; count(): number } {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE t (n INTEGER PRIMARY KEY)');
  const count = (): number => (database.prepare('SELECT count(*) AS c FROM t').get() as { c: number }).c;
  return { database, commits: createGroupCommit(database), count };
}

test('a write is answered after its commit, and writes of one turn share one', async () => {
  const { database, commits, count } = open();
  const transactions = new Set<boolean>();
  const writes = [1, 2, 3].map((n) =>
    commits.write(() => {
      transactions.add(database.isTransaction);
      database.prepare('INSERT INTO t VALUES (?)').run(n);
      return n;
    }),
  );
  assert.equal(count(), 0);
  assert.deepEqual(await Promise.all(writes), [1, 2, 3]);
  assert.equal(database.isTransaction, false);
  assert.deepEqual([...transactions], [true]);
  assert.equal(count(), 3);
});

test('work that throws fails alone', async () => {
  const { database, commits, count } = open();
  const insert = (n: number): Promise<unknown> =>
    commits.write(() => database.prepare('INSERT INTO t VALUES (?)').run(n));
  const outcomes = await Promise.allSettled([
    insert(1),
    commits.write(() => {
      throw new Error('no');
    }),
    insert(1),
    insert(2),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  );
  assert.equal(count(), 2);
});

test('when the transaction cannot go on, nobody is told that a write happened', async () => {
  const { database, commits, count } = open();
  const outcomes = await Promise.allSettled([
    commits.write(() => database.prepare('INSERT INTO t VALUES (1)').run()),
    commits.write(() => database.exec('ROLLBACK')),
    commits.write(() => database.prepare('INSERT INTO t VALUES (2)').run()),
  ]);
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(['rejected']));
  assert.equal(count(), 0);
});

test('closing commits what waits', async () => {
  const { database, commits } = open();
  const write = commits.write(() => database.prepare('INSERT INTO t VALUES (1)').run());
  commits.flush();
  database.close();
  assert.equal((await write).changes, 1);
});

test('a write after the end is refused like any other failure', async () => {
  const { database, commits } = open();
  database.close();
  await assert.rejects(commits.write(() => undefined));
});
