import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AppError, silentLogger } from '@kfctl/core';
import type { KubeObject } from '../client/object.ts';
import type { Informer } from '../informer/informer.ts';
import { ObjectCache } from '../informer/object-cache.ts';
import type { Reconcile } from './reconcile.ts';
import { keyOf, runReconciler } from './run-reconciler.ts';

const object = (name: string, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', labels },
});

function source(...objects: KubeObject[]): { cache: ObjectCache<KubeObject>; informer: Informer<KubeObject> } {
  const cache = new ObjectCache<KubeObject>(silentLogger);
  cache.replaceAll(objects);
  const informer: Informer<KubeObject> = {
    start: () => undefined,
    synced: Promise.resolve(),
    get: (name, namespace) => cache.get(name, namespace),
    list: (namespace) => cache.list(namespace),
    onChange: (listener) => cache.onChange(listener),
  };
  return { cache, informer };
}

/** Runs until `enough` names have been reconciled. */
async function run(
  enough: number,
  reconcile: (name: string, count: number) => ReturnType<Reconcile>,
  options: { cache: ObjectCache<KubeObject>; informer: Informer<KubeObject>; concurrency?: number },
): Promise<string[]> {
  const abort = new AbortController();
  const seen: string[] = [];
  await runReconciler({
    name: 'test',
    log: silentLogger,
    signal: abort.signal,
    maxBackoffMs: 1,
    concurrency: options.concurrency ?? 1,
    sources: [
      {
        informer: options.informer,
        keys: (child) =>
          child.metadata.labels?.['owner']
            ? [{ name: child.metadata.labels['owner'], namespace: 'n' }]
            : [keyOf(child)],
      },
    ],
    reconcile: async ({ name }) => {
      seen.push(name);
      if (seen.length >= enough) abort.abort();
      return reconcile(name, seen.length);
    },
  });
  return seen;
}

describe('runReconciler', () => {
  it('reconciles each object once at the start', async () => {
    assert.deepEqual(await run(2, async () => undefined, source(object('a'), object('b'))), ['a', 'b']);
  });

  it('runs a key again that changed while it was worked on, once however often', async () => {
    const from = source(object('a'));
    const seen = await run(
      2,
      async (_name, count) => {
        if (count === 1) for (let change = 0; change < 5; change += 1) from.cache.put(object('a'));
        return undefined;
      },
      from,
    );
    assert.deepEqual(seen, ['a', 'a']);
  });

  it('never works on one key twice at the same time', async () => {
    const from = source(object('a'), object('b'));
    const active = new Set<string>();
    await run(
      20,
      async (name) => {
        assert.equal(active.has(name), false);
        active.add(name);
        from.cache.put(object('a'));
        from.cache.put(object('b'));
        await new Promise(setImmediate);
        active.delete(name);
        return undefined;
      },
      { ...from, concurrency: 4 },
    );
  });

  it('retries a failure and comes back after requeueAfterMs', async () => {
    const seen = await run(
      3,
      async (_name, count) => {
        if (count === 1) throw new Error('no');
        return { requeueAfterMs: 1 };
      },
      source(object('a')),
    );
    assert.deepEqual(seen, ['a', 'a', 'a']);
  });

  it('does not retry a terminal error before the next change', async () => {
    const from = source(object('a'), object('b'));
    const seen = await run(
      3,
      async (name, count) => {
        if (name === 'a' && count === 1) throw new AppError('TERMINAL', 'never');
        if (name === 'b') setTimeout(() => from.cache.put(object('a')), 5);
        return undefined;
      },
      from,
    );
    assert.deepEqual(seen, ['a', 'b', 'a']);
  });

  it('maps a child to its owner, the former owner included', async () => {
    const from = source();
    setImmediate(() => {
      from.cache.put(object('child', { owner: 'x' }));
      setImmediate(() => from.cache.put(object('child', { owner: 'y' })));
    });
    const seen = await run(3, async () => undefined, from);
    assert.deepEqual(seen.toSorted(), ['x', 'x', 'y']);
  });
});
