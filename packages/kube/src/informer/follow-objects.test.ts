import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import type { ListResult, PageOptions, WatchEvent } from '../client/kube-client.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { KubeError } from '../errors.ts';
import { configMaps } from '../resources/core.ts';
import { followObjects } from './follow-objects.ts';

const object = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'n', resourceVersion: '5' },
});

const EXPIRED = new KubeError({ status: 410, reason: 'Expired', message: 'too old' });
type Page = { readonly names: readonly string[]; readonly more?: string } | Error;

/** Answers lists with the pages in turn and watches with the events in turn; the last watch stays open. */
async function follow(
  t: TestContext,
  pages: Page[],
  watches: (WatchEvent<KubeObject> | Error)[][] = [[]],
): Promise<{ readonly told: string[]; readonly asked: (PageOptions | undefined)[] }> {
  const abort = new AbortController();
  t.after(() => abort.abort());
  const asked: (PageOptions | undefined)[] = [];
  const { promise: settled, resolve } = Promise.withResolvers<void>();
  const client = {
    list: async <T extends KubeObject>(_type: ResourceType<T>, options?: PageOptions): Promise<ListResult<T>> => {
      asked.push(options);
      const page = pages.shift();
      if (page === undefined || page instanceof Error) throw page ?? new Error('no more pages');
      const items = page.names.map(object) as unknown as T[];
      return { items, resourceVersion: '5', ...(page.more === undefined ? {} : { continue: page.more }) };
    },
    async *watch<T extends KubeObject>(
      _type: ResourceType<T>,
      options?: { readonly signal?: AbortSignal },
    ): AsyncGenerator<WatchEvent<T>> {
      for (const event of watches.shift() ?? []) {
        if (event instanceof Error) throw event;
        yield event as unknown as WatchEvent<T>;
      }
      if (watches.length > 0) return;
      resolve();
      await new Promise<void>((end) => options?.signal?.addEventListener('abort', () => end(), { once: true }));
    },
  };
  const told: string[] = [];
  const follower = {
    put: ({ metadata }: KubeObject, from: string) => {
      told.push(`${from} ${metadata.name}`);
      if (metadata.name === 'broken') throw new Error('mine');
    },
    remove: (name: string) => void told.push(`gone ${name}`),
    retain: (names: ReadonlySet<string>) => void told.push(`all ${[...names].join()}`),
  };
  const options = { client, type: configMaps, namespace: 'n', log: silentLogger, maxBackoffMs: 1 };
  await followObjects(options as never, follower, abort.signal);
  await settled;
  return { told, asked };
}

it('tells page by page, then what there is at all, then changes', async (t) => {
  const watches = [
    [
      { kind: 'added', object: object('c') },
      { kind: 'modified', object: object('a') },
      { kind: 'deleted', object: object('b') },
    ],
  ] satisfies WatchEvent<KubeObject>[][];
  const { told, asked } = await follow(t, [{ names: ['a'], more: 'x' }, { names: ['b'] }], watches);
  assert.deepEqual(told, ['list a', 'list b', 'all a,b', 'watch c', 'watch a', 'gone b']);
  assert.deepEqual(
    asked.map((options) => [options?.limit, options?.continue]),
    [
      [500, undefined],
      [500, 'x'],
    ],
  );
});

it('tells everything again after 410, and a whole list where the pages are gone', async (t) => {
  const pages: Page[] = [{ names: ['a', 'b'] }, { names: ['a'], more: 'x' }, EXPIRED, { names: ['c'] }];
  const { told, asked } = await follow(t, pages, [[EXPIRED], []]);
  assert.deepEqual(told, ['list a', 'list b', 'all a,b', 'list a', 'list c', 'all c']);
  assert.equal(asked.at(-1)?.limit, undefined);
});

it('a follower that throws misses what it threw at, and nothing else', async (t) => {
  const { told } = await follow(t, [new Error('down'), { names: ['broken', 'a'] }]);
  assert.deepEqual(told, ['list broken', 'list a', 'all broken,a']);
});
