/** Owns the objects in memory: table -> namespace -> name. */
import type { StoredObject } from './stored-object.ts';

export interface Tables {
  get(table: string, namespace: string, name: string): StoredObject | undefined;
  list(table: string, namespace?: string): readonly StoredObject[];
  count(table: string, namespace?: string): number;
  set(stored: StoredObject): StoredObject | undefined;
  drop(stored: StoredObject): void;
}

/** Sorted copies are made on demand and kept until the next insertion or deletion. */
export function createTables(): Tables {
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
