import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import type { ListResult, WatchEvent } from '../client/kube-client.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { KubeError } from '../errors.ts';
import { configMaps } from '../resources/core.ts';
import type { ConfigMap } from '../resources/core.ts';
import { createInformer } from './create-informer.ts';

const object = (name: string, resourceVersion: string, namespace = 'n'): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, resourceVersion, uid: `${namespace}/${name}` },
});

interface Source {
  lists: (ListResult<ConfigMap> | Error)[];
  watches: (WatchEvent<ConfigMap> | Error)[][];
}

/** Plays lists and watches in turn; the last watch stays open. */
function play(
  context: TestContext,
  source: Source,
): {
  told: string[];
  informer: ReturnType<typeof createInformer<ConfigMap>>;
  versions: (string | undefined)[];
  settled: Promise<void>;
} {
  const abort = new AbortController();
  context.after(() => abort.abort());
  const versions: (string | undefined)[] = [];
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const client = {
    list: <T extends KubeObject>(_type: ResourceType<T>): Promise<ListResult<T>> => {
      const next = source.lists.shift();
      if (next === undefined || next instanceof Error) return Promise.reject(next ?? new Error('no more lists'));
      return Promise.resolve(next as unknown as ListResult<T>);
    },
    async *watch<T extends KubeObject>(
      _type: ResourceType<T>,
      options?: { readonly resourceVersion?: string; readonly signal?: AbortSignal },
    ): AsyncGenerator<WatchEvent<T>> {
      versions.push(options?.resourceVersion);
      for (const event of source.watches.shift() ?? []) {
        if (event instanceof Error) throw event;
        yield event as unknown as WatchEvent<T>;
      }
      if (source.watches.length > 0) return;
      resolve();
      await new Promise<void>((end) => options?.signal?.addEventListener('abort', () => end(), { once: true }));
    },
  };
  const informer = createInformer({ client, type: configMaps, log: silentLogger, maxBackoffMs: 1 });
  const told: string[] = [];
  informer.onChange((next, previous) => {
    const kind = next === undefined ? '-' : previous === undefined ? '+' : '~';
    told.push(`${kind}${(next ?? previous)?.metadata.name}`);
  });
  informer.start(abort.signal);
  return { told, informer, versions, settled };
}

describe('createInformer', () => {
  it('holds what list and watch tell, and continues a watch where it ended', async (t) => {
    const { told, informer, versions, settled } = play(t, {
      lists: [{ items: [object('a', '1'), object('b', '2', 'm')], resourceVersion: '2' }],
      watches: [
        [
          { kind: 'added', object: object('c', '3') },
          { kind: 'modified', object: object('a', '4') },
          { kind: 'deleted', object: object('b', '5', 'm') },
          { kind: 'bookmark', resourceVersion: '9' },
        ],
        [],
      ],
    });
    await informer.synced;
    await settled;
    assert.deepEqual(told, ['+a', '+b', '+c', '~a', '-b']);
    assert.deepEqual(versions, ['2', '9']);
    assert.deepEqual(
      informer.list('n').map((item) => item.metadata.name),
      ['a', 'c'],
    );
    assert.deepEqual(informer.list('m'), []);
    assert.equal(informer.get('a', 'n')?.metadata.resourceVersion, '4');
  });

  it('lists again after 410 and tells only the differences', async (t) => {
    const { told, settled } = play(t, {
      lists: [
        { items: [object('a', '1'), object('b', '1')], resourceVersion: '1' },
        { items: [object('a', '1'), object('c', '8')], resourceVersion: '8' },
      ],
      watches: [[new KubeError({ status: 410, reason: 'Expired', message: 'too old' })], []],
    });
    await settled;
    assert.deepEqual(told, ['+a', '+b', '-b', '+c']);
  });

  it('tries again when the server refuses the list', async (t) => {
    const { told, settled } = play(t, {
      lists: [
        new KubeError({ status: 403, reason: 'Forbidden', message: 'no' }),
        { items: [object('a', '1')], resourceVersion: '1' },
      ],
      watches: [[]],
    });
    await settled;
    assert.deepEqual(told, ['+a']);
  });

  it('survives a listener that throws', async (t) => {
    const { informer, told, settled } = play(t, {
      lists: [{ items: [object('a', '1')], resourceVersion: '1' }],
      watches: [[]],
    });
    informer.onChange(() => {
      throw new Error('mine');
    });
    await settled;
    assert.deepEqual(told, ['+a']);
  });

  it('keeps no managed fields', async (t) => {
    const managed = object('a', '1');
    managed.metadata.managedFields = [{}];
    const { informer, settled } = play(t, { lists: [{ items: [managed], resourceVersion: '1' }], watches: [[]] });
    await settled;
    assert.equal('managedFields' in (informer.get('a', 'n')?.metadata ?? {}), false);
  });

  it('rejects synced when it ends before the first list', async () => {
    const client = {
      list: () => Promise.reject(new Error('down')),
      watch: () => assert.fail('no watch before a list'),
    };
    const informer = createInformer({ client, type: configMaps, log: silentLogger });
    const abort = new AbortController();
    informer.start(abort.signal);
    abort.abort(new Error('stopped'));
    await assert.rejects(informer.synced, /stopped/);
  });
});
