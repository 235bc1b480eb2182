/** Owns watches: what a watcher is told, from which revision on, filtered by its selectors. */
import type { ChangeEvent } from '../store/event-log.ts';
import type { StoredObject } from '../store/stored-object.ts';
import { createStoredMatch, parseRevision } from './list-objects.ts';
import type { Selection, StoredMatch } from './list-objects.ts';
import type { CollectionTarget, RegistryDeps } from './registry-deps.ts';
import { expired } from './status-error.ts';

export type WatchNotice =
  | { readonly kind: 'added' | 'modified' | 'deleted'; readonly stored: StoredObject }
  /** `isInitialEnd`: everything that existed at the start has been told. */
  | { readonly kind: 'bookmark'; readonly revision: number; readonly isInitialEnd: boolean };

export interface WatchRequest extends Selection {
  readonly resourceVersion?: string;
  readonly sendInitialEvents?: boolean;
}

/**
 * Tells the listener everything after the request's revision; at once what is known already. Without a revision (or with 0)
 * the present objects come first, as `added`. Throws 410 when the history is gone. The result ends the watch.
 */
export function watchObjects(
  deps: RegistryDeps,
  target: CollectionTarget,
  { request, listener }: { readonly request: WatchRequest; readonly listener: (notice: WatchNotice) => void },
): () => void {
  const match = createStoredMatch(target, request);
  const { table } = target.served.definition;
  const wanted = request.resourceVersion ?? '';
  const fresh = wanted === '' || wanted === '0' || request.sendInitialEvents === true;
  const revision =
    fresh && request.sendInitialEvents !== false ? deps.store.revision : parseRevision(wanted === '' ? '0' : wanted);
  const start = revision === 0 ? deps.store.revision : revision;
  const told = (event: ChangeEvent): void => {
    if (event.revision <= start) return;
    if (target.namespace !== '' && event.object.namespace !== target.namespace) return;
    const notice = noticeOf(event, match);
    if (notice !== undefined) listener(notice);
  };
  const queue: ChangeEvent[] = [];
  let live = false;
  const stop = deps.store.subscribe(table, start, (event) => (live ? told(event) : queue.push(event)));
  if (stop === undefined) throw expired(`too old resource version: ${wanted} (${deps.store.oldestRevision})`);
  if (fresh && request.sendInitialEvents !== false) tellPresent(deps, target, { match, listener });
  if (request.sendInitialEvents === true) listener({ kind: 'bookmark', revision: start, isInitialEnd: true });
  live = true;
  for (const event of queue) told(event);
  return stop;
}

interface Telling {
  readonly match: StoredMatch;
  readonly listener: (notice: WatchNotice) => void;
}

function tellPresent(deps: RegistryDeps, target: CollectionTarget, { match, listener }: Telling): void {
  const { table } = target.served.definition;
  for (const stored of deps.store.list(table, target.namespace === '' ? undefined : target.namespace)) {
    if (match(stored)) listener({ kind: 'added', stored });
  }
}

/** An object that starts or stops to match the selectors is added or deleted as far as this watcher is concerned. */
function noticeOf(event: ChangeEvent, match: StoredMatch): WatchNotice | undefined {
  const was = event.previous !== undefined && match(event.previous);
  if (event.kind === 'deleted') return was ? { kind: 'deleted', stored: event.object } : undefined;
  const is = match(event.object);
  if (is) return { kind: was ? 'modified' : 'added', stored: event.object };
  if (!was || event.previous === undefined) return undefined;
  return { kind: 'deleted', stored: event.object };
}
