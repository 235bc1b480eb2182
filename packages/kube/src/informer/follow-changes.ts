/** Owns the loop of whoever follows one resource: list, watch, list again when the server's history has moved on. */
import { createBackoff, delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient, ListOptions } from '../client/kube-client.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { isKubeError } from '../errors.ts';

export interface FollowOptions<T extends KubeObject> {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly type: ResourceType<T>;
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly log: Logger;
  /** Longest pause between two attempts in milliseconds; 10 s when absent. */
  readonly maxBackoffMs?: number;
}

/** What becomes of what is told. */
export interface Told<T extends KubeObject> {
  /** Lists everything; the version that the list is of. */
  readAll(selection: ListOptions): Promise<string>;
  put(object: T): void;
  remove(object: T): void;
  /** A list is in. */
  onSynced(): void;
}

/** A watch that lived this long was healthy: the next one may start at once. */
const HEALTHY_MS = 5_000;

/** Follows until the signal aborts; never rejects. */
export async function followChanges<T extends KubeObject>(
  options: FollowOptions<T>,
  told: Told<T>,
  signal: AbortSignal,
): Promise<void> {
  const log = options.log.child({ resource: options.type.plural });
  const backoff = createBackoff({ initialMs: 200, maxMs: options.maxBackoffMs ?? 10_000 });
  const selection = selectionOf(options, signal);
  let version: string | undefined;
  let complaint = '';
  while (!signal.aborted) {
    const startedAt = performance.now();
    try {
      if (version === undefined) {
        version = await told.readAll(selection);
        told.onSynced();
        complaint = '';
      }
      version = await watchOn(options, told, { ...selection, resourceVersion: version });
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
async function watchOn<T extends KubeObject>(
  { client, type }: FollowOptions<T>,
  told: Told<T>,
  from: ListOptions & { readonly resourceVersion: string },
): Promise<string> {
  let version = from.resourceVersion;
  for await (const event of client.watch(type, from)) {
    if (event.kind === 'bookmark') {
      version = event.resourceVersion || version;
      continue;
    }
    version = event.object.metadata.resourceVersion ?? version;
    if (event.kind === 'deleted') told.remove(event.object);
    else told.put(event.object);
  }
  return version;
}

function selectionOf<T extends KubeObject>(options: FollowOptions<T>, signal: AbortSignal): ListOptions {
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
