import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '@kfctl/core';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { createLocalConnector } from './local-connector.ts';

const hashOf = (cost: number): string => `$2b$${cost}$${'a'.repeat(53)}`;

function connector(): { costs: string[]; login(name: string): Promise<unknown> } {
  const costs: string[] = [];
  const user = { username: 'u', name: '', preferredUsername: '', groups: [], emailVerified: true };
  const { password } = createLocalConnector({
    users: [
      { ...user, email: 'ten@example.com', userId: '1', hash: new Secret(hashOf(10)) },
      { ...user, email: 'eleven@example.com', userId: '2', hash: new Secret(hashOf(11)) },
    ],
    storage: createMemoryStorage(),
    checker: {
      check: (_password, hash) => {
        costs.push(hash.slice(4, 6));
        return Promise.resolve(false);
      },
    },
    decoyKey: Buffer.from('key'),
  });
  return {
    costs,
    login: async (username) =>
      await password?.login({ username, password: 'x' }, { groups: false, offlineAccess: false }),
  };
}

test('a name that does not exist costs a check of a cost in use', async () => {
  const { costs, login } = connector();
  for (let count = 0; count < 40; count += 1) await login(`nobody${count}@example.com`);
  assert.equal(costs.length, 40);
  assert.deepEqual(new Set(costs), new Set(['10', '11']));
});

test('a name that does not exist costs the same each time', async () => {
  const { costs, login } = connector();
  for (let count = 0; count < 5; count += 1) await login('nobody@example.com');
  assert.equal(new Set(costs).size, 1);
});

test('a name that exists costs its own hash, once', async () => {
  const { costs, login } = connector();
  await login('Eleven@Example.com ');
  assert.deepEqual(costs, ['11']);
});

test('a stored hash that is too cheap or too dear lets nobody in, whatever the password, and the log is told', async () => {
  for (const [cost, reason] of [
    ['04', /cost 4; at least 10/],
    ['31', /cost 31; at most 16/],
  ] as const) {
    const storage = createMemoryStorage();
    const person = { username: 'u', name: '', preferredUsername: '', groups: [], emailVerified: true, userId: '3' };
    const hash = `$2b$${cost}$${'a'.repeat(53)}`;
    await storage.create('password', 'kim@example.com', { ...person, email: 'kim@example.com', hash });
    const checked: string[] = [];
    const { password } = createLocalConnector({
      users: [],
      storage,
      checker: {
        check: (_password, judged) => {
          checked.push(judged);
          return Promise.resolve(true);
        },
      },
      decoyKey: Buffer.from('key'),
    });
    const asked = { username: 'kim@example.com', password: 'x' };
    const outcome = await password?.login(asked, { groups: false, offlineAccess: false });
    assert.ok(outcome?.kind === 'denied');
    assert.match(outcome.reason, reason);
    assert.equal(checked.includes(hash), false, 'an expensive hash is never worked on');
  }
});
