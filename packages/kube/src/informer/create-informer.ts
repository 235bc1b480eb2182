/** Owns informers: list, watch, list again when the server's history has moved on. */
import { createBackoff, delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient, ListOptions } from '../client/kube-client.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { isKubeError } from '../errors.ts';
import type { Informer } from './informer.ts';
import { ObjectCache } from './object-cache.ts';

export interface InformerOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly log: Logger;
  /** Longest pause between two attempts in milliseconds; 10 s when absent. */
  readonly maxBackoffMs?: number;
}

/** A watch that lived this long was healthy: the next one may start at once. */
const HEALTHY_MS = 5_000;

/** Creates an informer; `start(signal)` sets it off. `synced` rejects only when the signal aborts before the first list is in. */
export function createInformer<T extends KubeObject>(options: InformerOptions<T>): Informer<T> {
  const cache = new ObjectCache<T>(options.log);
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  synced.catch(() => undefined);
  return {
    synced,
    start: (signal) => {
      void follow({ options, cache, signal, onSynced: resolve }).finally(() => reject(signal.reason));
    },
    get: (name, namespace) => cache.get(name, namespace),
    list: (namespace) => cache.list(namespace),
    onChange: (listener) => cache.onChange(listener),
  };
}

interface Following<T extends KubeObject> {
  readonly options: InformerOptions<T>;
  readonly cache: ObjectCache<T>;
  readonly signal: AbortSignal;
  readonly onSynced: () => void;
}

async function follow<T extends KubeObject>(following: Following<T>): Promise<void> {
  const { options, cache, signal, onSynced } = following;
  const log = options.log.child({ resource: options.type.plural });
  const backoff = createBackoff({ initialMs: 200, maxMs: options.maxBackoffMs ?? 10_000 });
  let version: string | undefined;
  let complaint = '';
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      if (version === undefined) {
        const list = await options.client.list(options.type, selection(following));
        cache.replaceAll(list.items);
        version = list.resourceVersion;
        onSynced();
        complaint = '';
      }
      version = await watchOn(following, version);
    } catch (error) {
      if (signal.aborted) return;
      if (isKubeError(error) || !isUnreachable(error)) version = undefined;
      complaint = complain(log, error, complaint);
    }
    if (performance.now() - startedAt > HEALTHY_MS) backoff.reset();
    // Also after a clean but instant end: a server that ends every watch at once must not be hammered.
    if (performance.now() - startedAt < HEALTHY_MS) await delay(backoff.next(), signal);
  }
}

/** Follows one watch to its end; the version from which the next one continues. */
async function watchOn<T extends KubeObject>(following: Following<T>, from: string): Promise<string> {
  const { options, cache } = following;
  let version = from;
  for await (const event of options.client.watch(options.type, { ...selection(following), resourceVersion: version })) {
    if (event.kind === 'bookmark') {
      version = event.resourceVersion || version;
      continue;
    }
    version = event.object.metadata.resourceVersion ?? version;
    if (event.kind === 'deleted') cache.remove(event.object);
    else cache.put(event.object);
  }
  return version;
}

function selection<T extends KubeObject>({ options, signal }: Following<T>): ListOptions {
  const { namespace, labelSelector, fieldSelector } = options;
  return {
    signal,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
  };
}

function isUnreachable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'KUBE_UNREACHABLE';
}

/** Logs a failure once until it changes; an expired version is ordinary. */
function complain(log: Logger, error: unknown, previous: string): string {
  const text = describeError(error);
  if (isKubeError(error) && error.status === 410) log.debug('watch expired', { error: text });
  else if (text !== previous) log.warn('cannot follow resource', { error: text });
  return text;
}
