/** Owns the reconcile loop: changes become keys, keys are worked on, failures come back later. */
import { createBackoff, describeError, isAppError } from '@kfctl/core';
import type { Backoff, Logger } from '@kfctl/core';
import type { KubeObject } from '../client/object.ts';
import { isKubeError } from '../errors.ts';
import type { Informer, ObjectKey } from '../informer/informer.ts';
import type { Reconcile } from './reconcile.ts';
import { WorkQueue } from './work-queue.ts';

/** An informer that the caller starts; `keys` names the root objects that a changed object concerns (itself when absent). */
export interface ReconcileSource<T extends KubeObject = KubeObject> {
  readonly informer: Informer<T>;
  keys?(object: T): readonly ObjectKey[];
}

export interface ReconcilerOptions {
  readonly name: string;
  readonly reconcile: Reconcile;
  readonly sources: readonly ReconcileSource[];
  /** Keys worked on at the same time; 1 when absent. */
  readonly concurrency?: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly maxBackoffMs?: number;
}

export function keyOf(object: KubeObject): ObjectKey {
  return { name: object.metadata.name ?? '', namespace: object.metadata.namespace ?? '' };
}

/** Works until the signal aborts; resolves when the last reconcile has ended. Starts once every source has synced. */
export async function runReconciler(options: ReconcilerOptions): Promise<void> {
  const { sources, signal, concurrency = 1 } = options;
  const queue = new WorkQueue();
  const unsubscribes: (() => void)[] = [];
  const stop = (): void => queue.close();
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.all(sources.map((source) => source.informer.synced));
    for (const source of sources) unsubscribes.push(subscribe(source, (key) => queue.add(renderKey(key))));
    if (signal.aborted) stop();
    const backoffs = new Map<string, Backoff>();
    await Promise.all(Array.from({ length: concurrency }, () => work(options, queue, backoffs)));
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    for (const unsubscribe of unsubscribes) unsubscribe();
    queue.close();
  }
}

function subscribe(source: ReconcileSource, add: (key: ObjectKey) => void): () => void {
  const addAll = (object: KubeObject | undefined): void => {
    if (object !== undefined) (source.keys?.(object) ?? [keyOf(object)]).forEach(add);
  };
  for (const object of source.informer.list()) addAll(object);
  // The old object's keys too: a child that changed its owner concerns both.
  return source.informer.onChange((object, previous) => {
    addAll(object);
    addAll(previous);
  });
}

async function work(options: ReconcilerOptions, queue: WorkQueue, backoffs: Map<string, Backoff>): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    await workOn(options, key, { queue, backoffs });
    queue.done(key);
  }
}

interface Workshop {
  readonly queue: WorkQueue;
  readonly backoffs: Map<string, Backoff>;
}

async function workOn(options: ReconcilerOptions, key: string, { queue, backoffs }: Workshop): Promise<void> {
  const log = options.log.child({ reconciler: options.name, key });
  try {
    const result = await options.reconcile(parseKey(key), options.signal);
    backoffs.delete(key);
    if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs);
  } catch (error) {
    if (options.signal.aborted) return;
    if (isAppError(error) && error.code === 'TERMINAL') {
      backoffs.delete(key);
      log.error('reconcile cannot succeed', { error: describeError(error), hint: error.hint });
      return;
    }
    const backoff = backoffs.get(key) ?? createBackoff({ initialMs: 50, maxMs: options.maxBackoffMs ?? 60_000 });
    backoffs.set(key, backoff);
    const retryMs = backoff.next();
    // A lost race for an object is ordinary: someone else wrote first, and the next round reads that.
    const ordinary = isKubeError(error, 'Conflict', 'AlreadyExists');
    log[ordinary ? 'debug' : 'warn']('reconcile failed', { error: describeError(error), retryMs });
    queue.addAfter(key, retryMs);
  }
}

function renderKey(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`;
}

function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
