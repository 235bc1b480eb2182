/** Owns the contract of a local, watched copy of one resource type. */
import type { KubeObject } from '../client/object.ts';

export interface ObjectKey {
  readonly name: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
}

/** A read-only cache kept current by list + watch. Objects are shared: never mutate them. */
export interface Informer<T extends KubeObject> {
  /** Lists, then watches, until the signal aborts; survives server restarts and 410 by listing again. */
  start(signal: AbortSignal): void;
  /** Resolves once the first list is in. */
  readonly synced: Promise<void>;
  get(name: string, namespace?: string): T | undefined;
  list(namespace?: string): readonly T[];
  /** Called with the new (undefined: deleted) and the old object (undefined: added). Returns the unsubscribe function. */
  onChange(listener: (object: T | undefined, previous: T | undefined) => void): () => void;
}
