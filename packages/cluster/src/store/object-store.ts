/**
 * Owns every object in memory, the revision counter, group commits and the delivery of changes.
 * A write is in memory at once, on disk at the end of the event loop's turn, and told to watchers and writers only after that.
 */
import type { JsonObject } from '../schema/json.ts';
import { createEventLog } from './event-log.ts';
import type { ChangeEvent, EventLogLimits } from './event-log.ts';
import type { Store, StoreWrite } from './store.ts';
import { createTables } from './object-tables.ts';
import type { Tables } from './object-tables.ts';
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

interface Journal {
  readonly committedRevision: number;
  record(event: ChangeEvent): void;
  flush(): void;
  committed(): Promise<void>;
}

interface JournalParts {
  readonly store: Store;
  readonly tables: Tables;
  readonly startRevision: number;
  readonly publish: (event: ChangeEvent) => void;
}

/** Gathers the writes of one turn of the event loop into one transaction. */
function createJournal({ store, tables, startRevision, publish }: JournalParts): Journal {
  let committedRevision = startRevision;
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
    current.events.forEach(publish);
  };
  return {
    get committedRevision() {
      return committedRevision;
    },
    flush,
    record(event) {
      if (batch === undefined) {
        batch = createBatch();
        setImmediate(flush);
      }
      batch.events.push(event);
    },
    committed: () => batch?.done ?? Promise.resolve(),
  };
}

interface Bus {
  readonly oldestRevision: number;
  publish(event: ChangeEvent): void;
  subscribe(table: string, after: number, listener: ChangeListener): (() => void) | undefined;
}

/** Tells listeners what happens, and what happened since the revision that they know. */
function createBus(startRevision: number, limits: EventLogLimits): Bus {
  const log = createEventLog(startRevision, limits);
  const listeners = new Map<string, Set<ChangeListener>>();
  return {
    get oldestRevision() {
      return log.oldestRevision;
    },
    publish(event) {
      log.append(event);
      for (const listener of listeners.get(event.object.table) ?? []) listener(event);
    },
    subscribe(table, after, listener) {
      const missed = log.since(table, after);
      if (missed === undefined) return undefined;
      const set = listeners.get(table) ?? new Set();
      listeners.set(table, set.add(listener));
      for (const event of missed) listener(event);
      return () => set.delete(listener);
    },
  };
}

/** Loads everything from `store` and serves it. */
export function createObjectStore(store: Store, limits: EventLogLimits = {}): ObjectStore {
  const tables = createTables();
  const loaded = store.load();
  for (const row of loaded.rows) tables.set(fromJson(row.table, row.json, { revision: row.revision }));
  let revision = Math.max(loaded.revision, 1);
  const bus = createBus(revision, limits);
  const journal = createJournal({ store, tables, startRevision: revision, publish: bus.publish });
  return {
    get: tables.get,
    list: tables.list,
    count: tables.count,
    committed: journal.committed,
    get revision() {
      return revision;
    },
    get committedRevision() {
      return journal.committedRevision;
    },
    get oldestRevision() {
      return bus.oldestRevision;
    },
    put(table, object) {
      revision += 1;
      const stored = toStored(table, object, revision);
      const previous = tables.set(stored);
      journal.record({ kind: previous === undefined ? 'added' : 'modified', revision, object: stored, previous });
      return stored;
    },
    remove(stored) {
      revision += 1;
      tables.drop(stored);
      const last = toStored(stored.table, JSON.parse(stored.json) as JsonObject, revision);
      journal.record({ kind: 'deleted', revision, object: last, previous: stored });
      return last;
    },
    subscribe(table, after, listener) {
      journal.flush();
      return bus.subscribe(table, after, listener);
    },
    close() {
      journal.flush();
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
