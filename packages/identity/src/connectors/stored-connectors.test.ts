import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '@kfctl/core';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import type { ConnectorEntry } from './connector.ts';
import { createStoredConnectors } from './stored-connectors.ts';
import type { StoredConnectors } from './stored-connectors.ts';

interface Setting {
  readonly storage: Storage;
  readonly log: string[];
  /** Every list that was put to use. */
  readonly used: (readonly ConnectorEntry[])[];
  readonly stored: StoredConnectors;
  /** What the storage says instead of a list. */
  failure: string;
}

function start(): Setting {
  const memory = createMemoryStorage();
  const [log, used]: [string[], (readonly ConnectorEntry[])[]] = [[], []];
  const setting = { log, used, failure: '' };
  const storage: Storage = {
    ...memory,
    list: async (kind) => {
      if (setting.failure !== '') throw new Error(setting.failure);
      return await memory.list(kind);
    },
  };
  const logger = createLogger({ level: 'debug', write: (line) => log.push(line) });
  const stored = createStoredConnectors({
    storage,
    env: {},
    log: logger,
    use: (entries) => void used.push(entries),
  });
  return Object.assign(setting, { storage, stored });
}

const RECORD = { type: 'mockCallback', name: 'One', resourceVersion: '1', config: 'e30=', grantTypes: [] };

test('only what changed is told: entries that stay are the same, and nothing new puts nothing to use', async () => {
  const { storage, stored, used } = start();
  await storage.create('connector', 'a', { ...RECORD, id: 'a' });
  await storage.create('connector', 'b', { ...RECORD, id: 'b' });
  await stored.refresh();
  await stored.refresh();
  assert.equal(used.length, 1);
  await storage.update('connector', 'b', (record) => ({ ...record, name: 'Two' }));
  await stored.refresh();
  assert.equal(used.length, 2);
  assert.equal(used[1]?.[0], used[0]?.[0]);
  assert.notEqual(used[1]?.[1], used[0]?.[1]);
  await storage.take('connector', 'b');
  await stored.refresh();
  assert.deepEqual(
    used[2]?.map(({ id }) => id),
    ['a'],
  );
});

test('while the storage fails the connectors stay, and each reason is logged once', async () => {
  const setting = start();
  const { storage, stored, used, log } = setting;
  await storage.create('connector', 'a', { ...RECORD, id: 'a' });
  await stored.refresh();
  const told = (): number => log.filter((line) => line.includes('stored connectors cannot be read')).length;
  for (const [failure, count] of [
    ['down', 1],
    ['down', 1],
    ['forbidden', 2],
    ['', 2],
    ['forbidden', 3],
  ] as const) {
    setting.failure = failure;
    await stored.refresh();
    assert.equal(told(), count, failure);
  }
  assert.equal(used.length, 1);
});

test('readings do not overtake each other', async () => {
  const { storage, stored, used } = start();
  const all: Promise<void>[] = [];
  for (let count = 0; count < 20; count += 1) {
    await storage.create('connector', `c${count}`, { ...RECORD, id: `c${count}` });
    all.push(stored.refresh());
  }
  await Promise.all(all);
  assert.equal(used.at(-1)?.length, 20);
  const sizes = used.map((entries) => entries.length);
  assert.deepEqual(
    sizes,
    sizes.toSorted((left, right) => left - right),
  );
});
