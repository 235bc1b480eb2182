import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '@kfctl/core';
import type { ConnectorEntry } from './connector.ts';
import { createConnectorSet } from './connector-set.ts';
import type { ConnectorSet } from './connector-set.ts';

const deps = { log: silentLogger, clock: { now: () => Date.now() }, callbackPath: '/dex/callback' };

interface Spy extends ConnectorEntry {
  opened: number;
  closed: number;
}

function spy(id: string, name = id): Spy {
  const entry: Spy = {
    id,
    name,
    type: 'mock',
    grantTypes: [],
    opened: 0,
    closed: 0,
    open: () => {
      entry.opened += 1;
      return Promise.resolve({
        close: () => {
          entry.closed += 1;
          return Promise.resolve();
        },
      });
    },
  };
  return entry;
}

const names = ({ list }: ConnectorSet): readonly string[] => list.map(({ name }) => name);
/** Lets what hangs on promises alone go on. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a stored connector that stays is not opened again; one that changes is, and the one before closes after thirty seconds', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [fixed, stays, before, after] = [spy('file'), spy('stays'), spy('x', 'Before'), spy('x', 'After')];
  const set = createConnectorSet([fixed], deps);
  set.useStored([stays, before]);
  await Promise.all(['file', 'stays', 'x'].map((id) => set.open(id)));
  set.useStored([after, stays]);
  assert.deepEqual(names(set), ['After', 'file', 'stays']);
  await Promise.all(['file', 'stays', 'x'].map((id) => set.open(id)));
  assert.deepEqual([fixed.opened, stays.opened, before.opened, after.opened], [1, 1, 1, 1]);
  t.mock.timers.tick(29_999);
  await settle();
  assert.equal(before.closed, 0, 'requests under way may finish');
  t.mock.timers.tick(1);
  await settle();
  assert.equal(before.closed, 1);
  await set.close();
  assert.deepEqual([fixed.closed, stays.closed, before.closed, after.closed], [1, 1, 1, 1]);
});

test('the end of the set closes those that are leaving too, each once, and opens none for it', async () => {
  const [open, unused] = [spy('open'), spy('unused')];
  const set = createConnectorSet([], deps);
  set.useStored([open, unused]);
  await set.open('open');
  set.useStored([]);
  assert.equal(await set.open('open'), undefined);
  await set.close();
  await settle();
  assert.deepEqual([open.opened, open.closed, unused.opened, unused.closed], [1, 1, 0, 0]);
});

test('one of the file is never replaced by a stored one of its id', async () => {
  const [fixed, stored] = [spy('x', 'File'), spy('x', 'Stored')];
  const set = createConnectorSet([fixed], deps);
  set.useStored([stored]);
  assert.deepEqual(names(set), ['File']);
  await set.open('x');
  set.useStored([]);
  assert.ok(await set.open('x'));
  assert.deepEqual([fixed.opened, stored.opened], [1, 0]);
  await set.close();
});

test('a connector that fails to close keeps nobody from closing', async () => {
  const [bad, good] = [spy('bad'), spy('good')];
  const failing: ConnectorEntry = {
    ...bad,
    open: () => Promise.resolve({ close: () => Promise.reject(new Error('no')) }),
  };
  const set = createConnectorSet([failing, good], deps);
  await Promise.all([set.open('bad'), set.open('good')]);
  await set.close();
  assert.equal(good.closed, 1);
});
