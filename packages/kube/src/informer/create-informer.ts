/** Owns informers: a local copy of one resource, kept current by list and watch. */
import type { KubeObject } from '../client/object.ts';
import { followChanges } from './follow-changes.ts';
import type { FollowOptions } from './follow-changes.ts';
import type { Informer } from './informer.ts';
import { ObjectCache } from './object-cache.ts';

export type InformerOptions<T extends KubeObject> = FollowOptions<T>;

/** Creates an informer; `start(signal)` sets it off. `synced` rejects only when the signal aborts before the first list is in. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const cache = new ObjectCache<T>(options.log);
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  synced.catch(() => undefined);
  const told = {
    readAll: async (selection: Parameters<typeof options.client.list>[1]) => {
      const list = await options.client.list(options.type, selection);
      cache.replaceAll(list.items);
      return list.resourceVersion;
    },
    put: (object: T) => cache.put(object),
    remove: (object: T) => cache.remove(object),
    onSynced: resolve,
  };
  return {
    synced,
    start: (signal) => {
      void followChanges(options, told, signal).finally(() => reject(signal.reason));
    },
    get: (name, namespace) => cache.get(name, namespace),
    list: (namespace) => cache.list(namespace),
    onChange: (listener) => cache.onChange(listener),
  };
}
