/** Owns the methods about connectors, behind Dex's switch. What is stored was judged as the file's connectors are; the file's are out of reach. */
import type { IdentityConfig } from '../config/config.ts';
import { LOCAL_CONNECTOR_ID } from '../connectors/local/local-connector.ts';
import type { ConnectorRecord } from '../storage/records.ts';
import { ApiRefusal, GRPC, inFile, method, requireFlag, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message, MessageValue } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const connector = {
  id: [1, 'string'],
  type: [2, 'string'],
  name: [3, 'string'],
  config: [4, 'bytes'],
  grantTypes: [5, 'strings'],
} as const satisfies Message;
const createReq = { connector: [1, connector] } as const satisfies Message;
const createResp = { alreadyExists: [1, 'bool'] } as const satisfies Message;
const updateReq = {
  id: [1, 'string'],
  newType: [2, 'string'],
  newName: [3, 'string'],
  newConfig: [4, 'bytes'],
  // Absent is "as before", an empty list is "all".
  newGrantTypes: [5, { grantTypes: [1, 'strings'] }],
} as const satisfies Message;
const byId = { id: [1, 'string'] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;
const listResp = { connectors: [1, [connector]] } as const satisfies Message;

type Wanted = MessageValue<typeof connector>;
type Change = MessageValue<typeof updateReq>;
type Methods = Readonly<Record<string, ApiMethod>>;

/** In bytes: longer ids would make no object name on Kubernetes. */
const MAX_ID_BYTES = 100;
const MAX_TRIES = 5;
const NO_CONFIG = Buffer.alloc(0);

export function connectorMethods(deps: ApiDeps): Methods {
  return { ...readingMethods(deps), ...writingMethods(deps) };
}

function readingMethods({ config, storage }: ApiDeps): Methods {
  return {
    ListConnectors: method({
      request: {},
      response: listResp,
      answer: async () => {
        requireConnectors(config);
        const fixed = namesInFile(config()).map((one) => ({ ...one, config: NO_CONFIG }));
        const stored = (await storage.list('connector')).map(({ record }) => record);
        return { connectors: [...fixed, ...stored.filter(({ id }) => !isInFile(config(), id)).map(toWire)] };
      },
    }),
  };
}

function writingMethods(deps: ApiDeps): Methods {
  const { config, storage, connectors, log } = deps;
  return {
    CreateConnector: method({
      request: createReq,
      response: createResp,
      answer: async ({ connector: wanted }) => {
        requireConnectors(config);
        const record = await toRecord(deps, wanted);
        const { id, type } = record;
        if (isInFile(config(), id) || !(await storage.create('connector', id, record))) return { alreadyExists: true };
        log.info('connector created', { connector: id, type });
        await connectors.refresh();
        return { alreadyExists: false };
      },
    }),
    UpdateConnector: method({
      request: updateReq,
      response: notFoundResp,
      answer: async (change) => {
        requireConnectors(config);
        const changed = await changeConnector(deps, change);
        if (changed === undefined) return { notFound: true };
        log.info('connector changed', { connector: changed.id, type: changed.type, version: changed.resourceVersion });
        await connectors.refresh();
        return { notFound: false };
      },
    }),
    DeleteConnector: method({
      request: byId,
      response: notFoundResp,
      answer: async ({ id }) => {
        requireConnectors(config);
        requireGiven({ id });
        if (isInFile(config(), id)) throw inFile('connector');
        const gone = await storage.take('connector', id);
        if (gone === undefined) return { notFound: true };
        log.info('connector deleted', { connector: id, type: gone.type });
        await connectors.refresh();
        return { notFound: false };
      },
    }),
  };
}

function requireConnectors(config: ApiDeps['config']): void {
  requireFlag(config().grpc?.connectorsCrud, 'api_connectors_crud');
}

/** Throws unless it is a connector that could stand in the file. */
async function toRecord({ connectors }: ApiDeps, wanted: Wanted | undefined): Promise<ConnectorRecord> {
  if (wanted === undefined) throw new ApiRefusal(GRPC.invalidArgument, 'no connector supplied');
  const { id, type, name, config, grantTypes } = wanted;
  requireGiven({ id, type, name, config: config.length === 0 ? '' : 'given' });
  if (Buffer.byteLength(id) > MAX_ID_BYTES) throw new ApiRefusal(GRPC.invalidArgument, 'the id is too long');
  if (/\p{Cc}/u.test(id + name))
    throw new ApiRefusal(GRPC.invalidArgument, 'the id or the name holds control characters');
  const record = { id, type, name, resourceVersion: '1', config: toJsonBytes(config), grantTypes };
  await requireGood(connectors, record);
  return record;
}

/** Undefined when there is none. What is judged is what is stored: when another writer came between, it is judged again. */
async function changeConnector(deps: ApiDeps, change: Change): Promise<ConnectorRecord | undefined> {
  const { config, storage, connectors } = deps;
  const { id, newType, newName, newConfig, newGrantTypes } = change;
  requireGiven({ id });
  if (newType === '' && newName === '' && newConfig.length === 0 && newGrantTypes === undefined)
    throw new ApiRefusal(GRPC.invalidArgument, 'nothing to update: no new_type, new_name, new_config, new_grant_types');
  if (isInFile(config(), id)) throw inFile('connector');
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const before = await storage.get('connector', id);
    if (before === undefined) return undefined;
    const next = applyChange(before, change);
    await requireGood(connectors, next);
    const judged = JSON.stringify(before);
    const written = await storage.update('connector', id, (now) => (JSON.stringify(now) === judged ? next : undefined));
    if (written !== undefined) return written;
  }
  throw new ApiRefusal(GRPC.aborted, 'others change this connector at the same time: try again');
}

function applyChange(before: ConnectorRecord, { newType, newName, newConfig, newGrantTypes }: Change): ConnectorRecord {
  return {
    ...before,
    type: newType === '' ? before.type : newType,
    name: newName === '' ? before.name : newName,
    config: newConfig.length === 0 ? before.config : toJsonBytes(newConfig),
    grantTypes: newGrantTypes === undefined ? before.grantTypes : newGrantTypes.grantTypes,
    resourceVersion: String((Number.parseInt(before.resourceVersion, 10) || 0) + 1),
  };
}

function toJsonBytes(config: Buffer): string {
  try {
    JSON.parse(config.toString('utf8'));
  } catch {
    throw new ApiRefusal(GRPC.invalidArgument, 'the config is not JSON');
  }
  return config.toString('base64');
}

async function requireGood(connectors: ApiDeps['connectors'], record: ConnectorRecord): Promise<void> {
  const mistakes = await connectors.findMistakes(record);
  if (mistakes.length > 0) throw new ApiRefusal(GRPC.invalidArgument, mistakes.join(' '));
}

function toWire({ config, ...record }: ConnectorRecord): Wanted {
  return { ...record, config: Buffer.from(config, 'base64') };
}

function isInFile(config: IdentityConfig, id: string): boolean {
  return namesInFile(config).some((one) => one.id === id);
}

function namesInFile({ connectors, enablePasswordDB }: IdentityConfig): readonly Omit<Wanted, 'config'>[] {
  const local = { id: LOCAL_CONNECTOR_ID, type: LOCAL_CONNECTOR_ID, name: 'Email', grantTypes: [] };
  return [...connectors, ...(enablePasswordDB ? [local] : [])];
}
