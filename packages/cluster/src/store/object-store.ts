/**
 * Owns every object in memory, the revision counter, group commits and the delivery of changes.
 * A write is in memory at once, on disk at the end of the event loop's turn, and told to watchers and writers only after that.
 */
import type { JsonObject } from '../schema/json.ts';
import { createEventLog } from './event-log.ts';
import type { ChangeEvent, EventLogLimits } from './event-log.ts';
import type { Store, StoreWrite } from './store.ts';
import { fromJson, objectKey, toStored } from './stored-object.ts';
import type { StoredObject } from './stored-object.ts';

export type ChangeListener = (event: ChangeEvent) => void;

export interface ObjectStore {
  /** The newest revision handed out. */
  readonly revision: number;
  /** Everything up to this revision is durable and told to watchers. */
  readonly committedRevision: number;
  readonly oldestRevision: number;
  get(table: string, namespace: string, name: string): StoredObject | undefined;
  /** Objects of a table in key order; of one namespace when given. */
  list(table: string, namespace?: string): readonly StoredObject[];
  count(table: string, namespace?: string): number;
  /** Stores an object under a new revision (written into its metadata). */
  put(table: string, object: JsonObject): StoredObject;
  remove(stored: StoredObject): StoredObject;
  /** Resolves when everything written so far is durable; rejects when the disk refused, and then it is undone. */
  committed(): Promise<void>;
  /** Changes of a table after `revision`, in order; undefined when that history is gone. The result unsubscribes. */
  subscribe(table: string, revision: number, listener: ChangeListener): (() => void) | undefined;
  close(): Promise<void>;
}

interface Batch {
  readonly events: ChangeEvent[];
  readonly done: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  promise.catch(() => undefined);
  return { events: [], done: promise, resolve, reject };
}

/** Loads everything from `store` and serves it. */
export function createObjectStore(store: Store, limits: EventLogLimits = {}): ObjectStore {
  const tables = createTables();
  const loaded = store.load();
  for (const row of loaded.rows) tables.set(fromJson(row.table, row.json, { revision: row.revision }));
  let revision = Math.max(loaded.revision, 1);
  let committedRevision = revision;
  const log = createEventLog(revision, limits);
  const listeners = new Map<string, Set<ChangeListener>>();
  let batch: Batch | undefined;

  const flush = (): void => {
    const current = batch;
    batch = undefined;
    if (current === undefined) return;
    try {
      store.commit(current.events.map(toWrite));
    } catch (error) {
      for (const event of current.events.toReversed()) undo(tables, event);
      current.reject(error);
      return;
    }
    current.resolve();
    committedRevision = current.events.at(-1)?.revision ?? committedRevision;
    for (const event of current.events) {
      log.append(event);
      for (const listener of listeners.get(event.object.table) ?? []) listener(event);
    }
  };
  const record = (event: ChangeEvent): void => {
    if (batch === undefined) {
      batch = createBatch();
      setImmediate(flush);
    }
    batch.events.push(event);
  };
  return {
    get revision() {
      return revision;
    },
    get committedRevision() {
      return committedRevision;
    },
    get oldestRevision() {
      return log.oldestRevision;
    },
    get: tables.get,
    list: tables.list,
    count: tables.count,
    put(table, object) {
      revision += 1;
      const stored = toStored(table, object, revision);
      const previous = tables.set(stored);
      record({ kind: previous === undefined ? 'added' : 'modified', revision, object: stored, previous });
      return stored;
    },
    remove(stored) {
      revision += 1;
      tables.drop(stored);
      const last = toStored(stored.table, JSON.parse(stored.json) as JsonObject, revision);
      record({ kind: 'deleted', revision, object: last, previous: stored });
      return last;
    },
    committed: () => batch?.done ?? Promise.resolve(),
    subscribe(table, after, listener) {
      flush();
      const missed = log.since(table, after);
      if (missed === undefined) return undefined;
      const set = listeners.get(table) ?? new Set();
      listeners.set(table, set.add(listener));
      for (const event of missed) listener(event);
      return () => set.delete(listener);
    },
    close() {
      flush();
      store.close();
      return Promise.resolve();
    },
  };
}

function toWrite(event: ChangeEvent): StoreWrite {
  const { table, namespace, name, json } = event.object;
  const deleted = event.kind === 'deleted';
  return { table, key: objectKey(namespace, name), revision: event.revision, json: deleted ? undefined : json };
}

function undo(tables: Tables, event: ChangeEvent): void {
  if (event.previous === undefined) tables.drop(event.object);
  else tables.set(event.previous);
}

interface Tables {
  get(table: string, namespace: string, name: string): StoredObject | undefined;
  list(table: string, namespace?: string): readonly StoredObject[];
  count(table: string, namespace?: string): number;
  set(stored: StoredObject): StoredObject | undefined;
  drop(stored: StoredObject): void;
}

/** table -> namespace -> name; sorted copies are made on demand and kept until the next insertion or deletion. */
function createTables(): Tables {
  const tables = new Map<string, Map<string, Map<string, StoredObject>>>();
  const space = (table: string, namespace: string): Map<string, StoredObject> => {
    const spaces = tables.get(table) ?? new Map<string, Map<string, StoredObject>>();
    tables.set(table, spaces);
    const found = spaces.get(namespace) ?? new Map<string, StoredObject>();
    spaces.set(namespace, found);
    return found;
  };
  const sorted = (objects: Map<string, StoredObject> | undefined): StoredObject[] =>
    [...(objects?.values() ?? [])].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    get: (table, namespace, name) => tables.get(table)?.get(namespace)?.get(name),
    list(table, namespace) {
      const spaces = tables.get(table);
      if (spaces === undefined) return [];
      if (namespace !== undefined) return sorted(spaces.get(namespace));
      return [...spaces.keys()].toSorted().flatMap((key) => sorted(spaces.get(key)));
    },
    count(table, namespace) {
      const spaces = tables.get(table);
      if (namespace !== undefined) return spaces?.get(namespace)?.size ?? 0;
      return [...(spaces?.values() ?? [])].reduce((sum, objects) => sum + objects.size, 0);
    },
    set(stored) {
      const objects = space(stored.table, stored.namespace);
      const previous = objects.get(stored.name);
      objects.set(stored.name, stored);
      return previous;
    },
    drop(stored) {
      const spaces = tables.get(stored.table);
      const objects = spaces?.get(stored.namespace);
      objects?.delete(stored.name);
      if (objects?.size === 0) spaces?.delete(stored.namespace);
    },
  };
}
