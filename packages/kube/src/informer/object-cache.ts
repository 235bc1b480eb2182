/** Owns the objects of one informer by namespace and name, and tells listeners what changed. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeObject } from '../client/object.ts';

type ChangeListener<T> = (object: T | undefined, previous: T | undefined) => void;

/** A listener that throws is logged and must not stop the others. */
export class ObjectCache<T extends KubeObject> {
  readonly #spaces = new Map<string, Map<string, T>>();
  readonly #listeners = new Set<ChangeListener<T>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  get(name: string, namespace = ''): T | undefined {
    return this.#spaces.get(namespace)?.get(name);
  }

  list(namespace?: string): readonly T[] {
    if (namespace !== undefined) return [...(this.#spaces.get(namespace)?.values() ?? [])];
    return [...this.#spaces.values()].flatMap((space) => [...space.values()]);
  }

  put(object: T): void {
    const { namespace = '', name = '' } = object.metadata;
    // Nobody reads them here and they are half of many objects.
    delete object.metadata.managedFields;
    const space = this.#spaces.get(namespace) ?? new Map<string, T>();
    const previous = space.get(name);
    if (isSameVersion(previous, object)) return;
    this.#spaces.set(namespace, space.set(name, object));
    this.#tell(object, previous);
  }

  remove(object: T): void {
    const { namespace = '', name = '' } = object.metadata;
    const space = this.#spaces.get(namespace);
    const previous = space?.get(name);
    if (space === undefined || previous === undefined) return;
    space.delete(name);
    if (space.size === 0) this.#spaces.delete(namespace);
    this.#tell(undefined, previous);
  }

  /** Makes the cache hold exactly these; listeners hear the differences only. */
  replaceAll(objects: readonly T[]): void {
    const kept = new Set(objects.map(placeOf));
    for (const object of this.list()) if (!kept.has(placeOf(object))) this.remove(object);
    for (const object of objects) this.put(object);
  }

  /** Returns the unsubscribe function. */
  onChange(listener: ChangeListener<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(object: T | undefined, previous: T | undefined): void {
    for (const listener of this.#listeners) {
      try {
        listener(object, previous);
      } catch (error) {
        this.#log.error('change listener failed', { error: describeError(error) });
      }
    }
  }
}

function placeOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

function isSameVersion(left: KubeObject | undefined, right: KubeObject): boolean {
  return (
    left !== undefined &&
    left.metadata.uid === right.metadata.uid &&
    left.metadata.resourceVersion !== undefined &&
    left.metadata.resourceVersion === right.metadata.resourceVersion
  );
}
