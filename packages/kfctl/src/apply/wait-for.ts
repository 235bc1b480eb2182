/** Owns waiting: watches objects until each says that it is ready, has failed, or the time is up. It never polls. */
import { silentLogger } from '@kfctl/core';
import { createInformer } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { keyOfId } from '../plan/object-id.ts';
import type { ObjectId } from '../plan/object-id.ts';

export type Readiness =
  | { readonly kind: 'ready' }
  | { readonly kind: 'waiting'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface Expectation {
  readonly id: ObjectId;
  readonly type: ResourceType;
  /** Judges the object as it is now; undefined when it does not exist. */
  readonly check: (object: UnknownObject | undefined) => Readiness;
}

export interface Waiting {
  readonly id: ObjectId;
  readonly readiness: Readiness;
}

/** Something besides the awaited objects that checks judge by. */
export interface Evidence {
  /** Begins to follow it; `changed` is to be called whenever a check may judge otherwise than before. */
  follow(signal: AbortSignal, changed: () => void): void;
}

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Told after every change: everything that is not ready yet. */
  readonly onProgress?: (pending: readonly Waiting[]) => void;
  readonly evidence?: Evidence;
}

export const READY: Readiness = { kind: 'ready' };

/** Resolves with what is not ready: empty when all is well; as soon as something failed for good, or when the time is up. */
export async function waitFor(
  client: Pick<KubeClient, 'list' | 'watch'>,
  expectations: readonly Expectation[],
  options: WaitOptions,
): Promise<readonly Waiting[]> {
  if (expectations.length === 0) return [];
  const done = new AbortController();
  const states = new Map<string, Waiting>(
    expectations.map(({ id }) => [keyOfId(id), { id, readiness: { kind: 'waiting', reason: 'not seen yet' } }]),
  );
  const pending = (): Waiting[] => [...states.values()].filter(({ readiness }) => readiness.kind !== 'ready');
  const seen = new Map<Expectation, UnknownObject | undefined>();
  const update = (expectation: Expectation, object: UnknownObject | undefined): void => {
    seen.set(expectation, object);
    states.set(keyOfId(expectation.id), { id: expectation.id, readiness: expectation.check(object) });
    const left = pending();
    options.onProgress?.(left);
    if (left.length === 0 || left.some(({ readiness }) => readiness.kind === 'failed')) done.abort();
  };
  const timer = setTimeout(() => done.abort(), options.timeoutMs);
  const stop = (): void => done.abort();
  options.signal.addEventListener('abort', stop, { once: true });
  if (options.signal.aborted) done.abort();
  try {
    for (const group of groupByPlace(expectations)) follow(client, group, { update, signal: done.signal });
    options.evidence?.follow(done.signal, () => {
      for (const [expectation, object] of seen) if (!done.signal.aborted) update(expectation, object);
    });
    await aborted(done.signal);
    return pending();
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }
}

interface Following {
  readonly update: (expectation: Expectation, object: UnknownObject | undefined) => void;
  readonly signal: AbortSignal;
}

function follow(
  client: Pick<KubeClient, 'list' | 'watch'>,
  group: readonly Expectation[],
  { update, signal }: Following,
): void {
  const [first] = group;
  if (first === undefined || signal.aborted) return;
  const { type, id } = first;
  const informer = createInformer({
    client,
    type,
    log: silentLogger,
    maxBackoffMs: 2000,
    ...(type.namespaced ? { namespace: id.namespace } : {}),
    ...(group.length === 1 ? { fieldSelector: `metadata.name=${id.name}` } : {}),
  });
  const byName = new Map(group.map((expectation) => [expectation.id.name, expectation]));
  informer.onChange((object, previous) => {
    const expectation = byName.get((object ?? previous)?.metadata.name ?? '');
    if (expectation !== undefined && !signal.aborted) update(expectation, object);
  });
  informer.synced.then(
    () => {
      for (const expectation of group) {
        const { name, namespace } = expectation.id;
        if (!signal.aborted && informer.get(name, namespace) === undefined) update(expectation, undefined);
      }
    },
    () => undefined,
  );
  informer.start(signal);
}

/** Those of one type and namespace share a watch; kinds themselves are large, so that each is watched alone. */
function groupByPlace(expectations: readonly Expectation[]): Expectation[][] {
  const groups = Map.groupBy(expectations, ({ id, type }) =>
    type.plural === 'customresourcedefinitions' ? keyOfId(id) : `${type.group}/${type.plural}/${id.namespace}`,
  );
  return [...groups.values()];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
