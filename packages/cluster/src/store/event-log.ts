/** Owns the recent history of changes, bounded by count and bytes, so that watches can start from a past revision. */
import type { StoredObject } from './stored-object.ts';

export interface ChangeEvent {
  readonly kind: 'added' | 'modified' | 'deleted';
  readonly revision: number;
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

export interface EventLog {
  append(event: ChangeEvent): void;
  /** Events of a table after a revision; undefined when that history is gone. */
  since(table: string, revision: number): readonly ChangeEvent[] | undefined;
  /** History before this revision is gone. */
  readonly oldestRevision: number;
}

export interface EventLogLimits {
  readonly maxEvents?: number;
  readonly maxBytes?: number;
}

/** `startRevision`: nothing before it is known. */
export function createEventLog(startRevision: number, limits: EventLogLimits = {}): EventLog {
  const { maxEvents = 8192, maxBytes = 8 * 1024 * 1024 } = limits;
  let events: ChangeEvent[] = [];
  let first = 0;
  let bytes = 0;
  let oldest = startRevision;
  const dropFirst = (): void => {
    const event = events[first];
    if (event === undefined) return;
    bytes -= event.object.json.length;
    oldest = event.revision;
    first += 1;
    if (first < 1024) return;
    events = events.slice(first);
    first = 0;
  };
  const isFull = (): boolean => events.length - first > maxEvents || (bytes > maxBytes && events.length - first > 1);
  return {
    append(event) {
      events.push(event);
      bytes += event.object.json.length;
      while (isFull()) dropFirst();
    },
    since(table, revision) {
      if (revision < oldest) return undefined;
      const found: ChangeEvent[] = [];
      for (let index = events.length - 1; index >= first; index -= 1) {
        const event = events[index];
        if (event === undefined || event.revision <= revision) break;
        if (event.object.table === table) found.push(event);
      }
      return found.reverse();
    },
    get oldestRevision() {
      return oldest;
    },
  };
}
