/** Owns the connectors in use: each opened when first needed, one that fails does not stop the others, and is tried again. */
import { describeError } from '@kfctl/core';
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
  close(): Promise<void>;
}

export interface ConnectorSetDeps {
  readonly log: Logger;
  readonly clock: Clock;
  /** The path that upstreams send the browser back to. */
  readonly callbackPath: string;
}

const RETRY_AFTER_MS = 5000;

interface Slot {
  opening: Promise<Connector | undefined> | undefined;
  failedAt: number;
}

export function createConnectorSet(entries: readonly ConnectorEntry[], deps: ConnectorSetDeps): ConnectorSet {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const slots = new Map<string, Slot>();
  const open = async (id: string): Promise<Connector | undefined> => {
    const entry = byId.get(id);
    if (entry === undefined) return undefined;
    const slot = slots.get(id) ?? { opening: undefined, failedAt: -Infinity };
    slots.set(id, slot);
    if (slot.opening !== undefined) return await slot.opening;
    if (deps.clock.now() - slot.failedAt < RETRY_AFTER_MS) return undefined;
    slot.opening = openEntry(entry, deps);
    const connector = await slot.opening;
    if (connector === undefined) Object.assign(slot, { opening: undefined, failedAt: deps.clock.now() });
    return connector;
  };
  return {
    list: entries.toSorted((left, right) => (left.name < right.name ? -1 : 1)),
    find: (id) => byId.get(id),
    open,
    close: async () => {
      const opened = await Promise.all([...slots.values()].map((slot) => slot.opening));
      await Promise.all(opened.map((connector) => connector?.close?.()));
    },
  };
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
