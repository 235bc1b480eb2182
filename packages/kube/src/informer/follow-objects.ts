/**
 * Owns following the objects of one namespace without keeping them: for those who make something else of each, and of so many that a second
 * copy would fill the process. Lists come page by page.
 */
import { describeError } from '@kfctl/core';
import type { ListOptions, ListResult } from '../client/kube-client.ts';
import type { KubeObject } from '../client/object.ts';
import { isKubeError } from '../errors.ts';
import { followChanges } from './follow-changes.ts';
import type { FollowOptions } from './follow-changes.ts';

/** Told of objects, by their names. */
export interface ObjectFollower<T extends KubeObject> {
  /**
   * There is such an object. One that is read `from` a list says nothing of others: what was removed before it is known only at
   * `retain`. One from a watch comes after everything that happened before it.
   */
  put(object: T, from: 'list' | 'watch'): void;
  remove(name: string): void;
  /** A whole list has been told: what is not among its names is gone. */
  retain(names: ReadonlySet<string>): void;
}

export interface FollowObjectsOptions<T extends KubeObject> extends FollowOptions<T> {
  readonly namespace: string;
}

const PAGE = 500;

/** Resolves once the first list is told; rejects only when the signal aborts before that. A follower that throws is logged. */
export function followObjects<T extends KubeObject>(
  options: FollowObjectsOptions<T>,
  follower: ObjectFollower<T>,
  signal: AbortSignal,
): Promise<void> {
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  const guarded = guard(options, follower);
  const told = {
    readAll: (selection: ListOptions) => readPages(options, guarded, selection),
    put: (object: T) => guarded.put(object, 'watch'),
    remove: (object: T) => guarded.remove(object.metadata.name ?? ''),
    onSynced: resolve,
  };
  void followChanges(options, told, signal).finally(() => reject(signal.reason));
  return synced;
}

async function readPages<T extends KubeObject>(
  { client, type }: FollowObjectsOptions<T>,
  follower: ObjectFollower<T>,
  selection: ListOptions,
): Promise<string> {
  const names = new Set<string>();
  const tell = ({ items }: ListResult<T>): void => {
    for (const object of items) {
      names.add(object.metadata.name ?? '');
      follower.put(object, 'list');
    }
  };
  let page = await client.list(type, { ...selection, limit: PAGE });
  tell(page);
  while (page.continue !== undefined) {
    const next = await client
      .list(type, { ...selection, limit: PAGE, continue: page.continue })
      .catch((error: unknown) => {
        // The snapshot that the pages were cut from is gone: one list in one piece is consistent again.
        if (isKubeError(error) && error.status === 410) return undefined;
        throw error;
      });
    if (next === undefined) names.clear();
    page = next ?? (await client.list(type, selection));
    tell(page);
  }
  follower.retain(names);
  return page.resourceVersion;
}

function guard<T extends KubeObject>({ log }: FollowObjectsOptions<T>, follower: ObjectFollower<T>): ObjectFollower<T> {
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      log.error('object follower failed', { error: describeError(error) });
    }
  };
  return {
    put: (object, from) => attempt(() => follower.put(object, from)),
    remove: (name) => attempt(() => follower.remove(name)),
    retain: (names) => attempt(() => follower.retain(names)),
  };
}
