/**
 * Owns the connectors that are kept in the storage: read again and again, so that replicas agree within seconds; one that cannot be
 * understood stays in the list and fails when it is opened, as one of the file does that cannot be opened.
 */
import { AppError, describeError } from '@kfctl/core';
import type { Environment, Logger } from '@kfctl/core';
import { readStoredConnector } from '../config/stored-connector.ts';
import { IDENTITY_ERRORS } from '../errors.ts';
import type { ConnectorRecord } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';
import type { ConnectorEntry } from './connector.ts';

export interface StoredConnectors {
  /** What is wrong with a record, in sentences; none for a good one. */
  findMistakes(record: ConnectorRecord): Promise<readonly string[]>;
  /**
   * Reads them; resolves when what was stored at the time of the call is in use. Never throws: what was read last stays in use, and a
   * failure is logged once until it is another one.
   */
  refresh(): Promise<void>;
}

export interface StoredConnectorsDeps {
  readonly storage: Pick<Storage, 'list'>;
  readonly env: Environment;
  readonly log: Logger;
  /** Puts all of them to use. */
  use(entries: readonly ConnectorEntry[]): void;
}

interface Known {
  /** The record that the entry was made of. */
  readonly source: string;
  readonly entry: ConnectorEntry;
}

export function createStoredConnectors(deps: StoredConnectorsDeps): StoredConnectors {
  let known: ReadonlyMap<string, Known> = new Map();
  let running: Promise<void> = Promise.resolve();
  let failure = '';
  const read = async (): Promise<void> => {
    try {
      const next = await readAll(known, deps);
      if (!isSame(known, next)) deps.use([...next.values()].map(({ entry }) => entry));
      known = next;
      failure = '';
    } catch (error) {
      const reason = describeError(error);
      if (reason !== failure) deps.log.warn('stored connectors cannot be read', { error: reason });
      failure = reason;
    }
  };
  return {
    findMistakes: async (record) => (await readStoredConnector(record, deps.env)).mistakes,
    refresh: async () => {
      // One after the other: an older reading must not come last.
      running = running.then(read);
      await running;
    },
  };
}

async function readAll(
  before: ReadonlyMap<string, Known>,
  deps: StoredConnectorsDeps,
): Promise<ReadonlyMap<string, Known>> {
  const { storage, log } = deps;
  const next = new Map<string, Known>();
  for (const { id, record } of await storage.list('connector')) {
    const source = JSON.stringify(record);
    const old = before.get(id);
    next.set(id, old?.source === source ? old : { source, entry: await toEntry(record, deps) });
    if (old?.source !== source) log.info('stored connector in use', { connector: id, type: record.type });
  }
  for (const id of before.keys()) if (!next.has(id)) log.info('stored connector gone', { connector: id });
  return next;
}

async function toEntry(record: ConnectorRecord, { env, log }: StoredConnectorsDeps): Promise<ConnectorEntry> {
  const { id, type, grantTypes } = record;
  const { entry, mistakes } = await readStoredConnector(record, env).catch((error: unknown) => ({
    entry: undefined,
    mistakes: [describeError(error)],
  }));
  if (entry !== undefined) return entry;
  log.warn('stored connector cannot be understood', { connector: id, type, mistakes });
  const name = record.name === '' ? id : record.name;
  return { id, type, name, grantTypes, open: () => Promise.reject(broken(mistakes)) };
}

function broken(mistakes: readonly string[]): AppError {
  return new AppError(IDENTITY_ERRORS.connectorConfig, mistakes.join(' '), {
    hint: 'Correct it through the management API.',
  });
}

function isSame(left: ReadonlyMap<string, Known>, right: ReadonlyMap<string, Known>): boolean {
  return left.size === right.size && [...right].every(([id, { entry }]) => left.get(id)?.entry === entry);
}
