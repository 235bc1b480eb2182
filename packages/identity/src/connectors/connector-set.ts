/**
 * Owns the connectors in use: each opened when first needed, one that fails does not stop the others, and is tried again. Those of the
 * file are fixed; those of the storage come and go.
 */
import { delay, describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import type { Connector, ConnectorEntry } from './connector.ts';

export interface ConnectorInfo {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly grantTypes: readonly string[];
}

export interface ConnectorSet {
  /** Sorted by name. */
  readonly list: readonly ConnectorInfo[];
  find(id: string): ConnectorInfo | undefined;
  /** The open connector; undefined when there is none of the id or it cannot be opened now (the reason is in the log). */
  open(id: string): Promise<Connector | undefined>;
  /** Puts these in the place of all stored ones before; an entry that was there stays open. Ids of the file's are left out. */
  useStored(entries: readonly ConnectorEntry[]): void;
  close(): Promise<void>;
}

export interface ConnectorSetDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** The path that upstreams send the browser back to. */
  readonly callbackPath: string;
}

const RETRY_AFTER_MS = 5000;
/** Requests that still use a connector that went may finish. */
const GRACE_MS = 30_000;

interface Slot {
  readonly entry: ConnectorEntry;
  opening: Promise<Connector | undefined> | undefined;
  failedAt: number;
}

type Slots = ReadonlyMap<string, Slot>;

export function createConnectorSet(fixed: readonly ConnectorEntry[], deps: ConnectorSetDeps): ConnectorSet {
  const fixedSlots = slotsOf(fixed);
  const leaving = new Set<Slot>();
  const closing = new AbortController();
  let slots: Slots = fixedSlots;
  let list = sorted(slots);
  const forget = async (slot: Slot): Promise<void> => {
    leaving.add(slot);
    await delay(GRACE_MS, closing.signal);
    if (leaving.delete(slot)) await closeSlot(slot, deps.log);
  };
  return {
    get list() {
      return list;
    },
    find: (id) => slots.get(id)?.entry,
    open: (id) => {
      const slot = slots.get(id);
      if (slot === undefined) return Promise.resolve(undefined);
      return slot.opening ?? openSlot(slot, deps);
    },
    useStored: (entries) => {
      const before = slots;
      const stored = slotsOf(entries, before);
      // The file wins.
      slots = new Map([...stored, ...fixedSlots]);
      list = sorted(slots);
      for (const [id, slot] of before) if (slots.get(id) !== slot) void forget(slot);
    },
    close: async () => {
      const all = [...slots.values(), ...leaving];
      leaving.clear();
      closing.abort();
      await Promise.all(all.map((slot) => closeSlot(slot, deps.log)));
    },
  };
}

function slotsOf(entries: readonly ConnectorEntry[], before: Slots = new Map()): Slots {
  return new Map(
    entries.map((entry) => {
      const known = before.get(entry.id);
      return [entry.id, known?.entry === entry ? known : { entry, opening: undefined, failedAt: -Infinity }];
    }),
  );
}

function sorted(slots: Slots): readonly ConnectorInfo[] {
  return [...slots.values()].map(({ entry }) => entry).toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

async function openSlot(slot: Slot, deps: ConnectorSetDeps): Promise<Connector | undefined> {
  if (deps.clock.now() - slot.failedAt < RETRY_AFTER_MS) return undefined;
  slot.opening = openEntry(slot.entry, deps);
  const connector = await slot.opening;
  if (connector === undefined) Object.assign(slot, { opening: undefined, failedAt: deps.clock.now() });
  return connector;
}

async function openEntry(
  entry: ConnectorEntry,
  { log, clock, callbackPath }: ConnectorSetDeps,
): Promise<Connector | undefined> {
  const { id, type } = entry;
  try {
    return await entry.open({ id, clock, callbackPath, log: log.child({ connector: id }) });
  } catch (error) {
    log.warn('connector cannot be opened', { connector: id, type, error: describeError(error) });
    return undefined;
  }
}

async function closeSlot({ entry, opening }: Slot, log: Logger): Promise<void> {
  try {
    await (await opening)?.close?.();
  } catch (error) {
    log.warn('connector cannot be closed', { connector: entry.id, error: describeError(error) });
  }
}
