/** Owns the methods about clients. */
import { randomToken } from '@kfctl/core';
import { isLogoutUri } from '../config/client-section.ts';
import type { IdentityConfig, StaticClient } from '../config/config.ts';
import type { ClientRecord } from '../storage/records.ts';
import { ApiRefusal, GRPC, inFile, method, requireGiven } from './api-method.ts';
import type { ApiDeps, ApiMethod } from './api-method.ts';
import type { Message, MessageValue } from './message.ts';

// Numbers are Dex's, here and in docs/reference/dex-api.proto, which other programs are given.
const client = {
  id: [1, 'string'],
  secret: [2, 'string'],
  redirectUris: [3, 'strings'],
  trustedPeers: [4, 'strings'],
  public: [5, 'bool'],
  name: [6, 'string'],
  logoUrl: [7, 'string'],
  allowedConnectors: [8, 'strings'],
  ssoSharedWith: [9, 'strings'],
  backchannelLogoutUri: [10, 'string'],
  postLogoutRedirectUris: [11, 'strings'],
  refreshTokenLifetime: [12, 'string'],
} as const satisfies Message;
const clientInfo = {
  id: [1, 'string'],
  redirectUris: [2, 'strings'],
  trustedPeers: [3, 'strings'],
  public: [4, 'bool'],
  name: [5, 'string'],
  logoUrl: [6, 'string'],
  allowedConnectors: [7, 'strings'],
  ssoSharedWith: [8, 'strings'],
  backchannelLogoutUri: [9, 'string'],
  postLogoutRedirectUris: [10, 'strings'],
  refreshTokenLifetime: [11, 'string'],
} as const satisfies Message;
const byId = { id: [1, 'string'] } as const satisfies Message;
const oneClient = { client: [1, client] } as const satisfies Message;
const notFoundResp = { notFound: [1, 'bool'] } as const satisfies Message;
const createResp = { alreadyExists: [1, 'bool'], client: [2, client] } as const satisfies Message;
const updateReq = {
  id: [1, 'string'],
  redirectUris: [2, 'strings'],
  trustedPeers: [3, 'strings'],
  name: [4, 'string'],
  logoUrl: [5, 'string'],
  allowedConnectors: [6, 'strings'],
  ssoSharedWith: [7, 'strings'],
  backchannelLogoutUri: [8, 'maybeString'],
  postLogoutRedirectUris: [9, 'strings'],
  refreshTokenLifetime: [10, 'maybeString'],
} as const satisfies Message;
const listResp = { clients: [1, [clientInfo]] } as const satisfies Message;

const MAX_ID_LENGTH = 200;

type Methods = Readonly<Record<string, ApiMethod>>;

export function clientMethods(deps: ApiDeps): Methods {
  return { ...readingMethods(deps), ...writingMethods(deps), CreateClient: createClient(deps) };
}

function readingMethods({ config, storage }: ApiDeps): Methods {
  return {
    GetClient: method({
      request: byId,
      response: oneClient,
      answer: async ({ id }) => {
        requireGiven({ id });
        const found = await findClient({ config, storage }, id);
        if (found === undefined) throw new ApiRefusal(GRPC.notFound, 'client not found');
        return { client: toWire(found) };
      },
    }),
    ListClients: method({
      request: {},
      response: listResp,
      answer: async () => {
        const inUse = config().staticClients.map(fromFile);
        const stored = (await storage.list('client')).map(({ record }) => record);
        return { clients: [...inUse, ...stored.filter(({ id }) => !isInFile(config(), id))].map(toWire) };
      },
    }),
  };
}

function writingMethods({ config, storage, log }: ApiDeps): Methods {
  return {
    UpdateClient: method({
      request: updateReq,
      response: notFoundResp,
      answer: async (change) => {
        const { id, backchannelLogoutUri = '', refreshTokenLifetime = '' } = change;
        requireGiven({ id });
        requireSense({ backchannelLogoutUri, refreshTokenLifetime });
        if (isInFile(config(), id)) throw inFile('client');
        const updated = await storage.update('client', id, (current) => ({ ...current, ...given(change) }));
        if (updated !== undefined) log.info('client changed', { client: id });
        return { notFound: updated === undefined };
      },
    }),
    DeleteClient: method({
      request: byId,
      response: notFoundResp,
      answer: async ({ id }) => {
        requireGiven({ id });
        if (isInFile(config(), id)) throw inFile('client');
        const gone = await storage.take('client', id);
        if (gone !== undefined) log.info('client deleted', { client: id });
        return { notFound: gone === undefined };
      },
    }),
  };
}

/** The fields that are to change: what is empty on the wire stays, but for the two of which an empty one can be told from none. */
function given({ id: _id, ...change }: MessageValue<typeof updateReq>): Partial<ClientRecord> {
  const { backchannelLogoutUri, refreshTokenLifetime, ...rest } = change;
  return {
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value.length > 0)),
    ...(backchannelLogoutUri === undefined ? {} : { backchannelLogoutUri }),
    ...(refreshTokenLifetime === undefined ? {} : { refreshTokenLifetime }),
  };
}

function createClient({ config, storage, random, log }: ApiDeps): ApiMethod {
  return method({
    request: oneClient,
    response: createResp,
    answer: async ({ client: asked }) => {
      if (asked === undefined) throw new ApiRefusal(GRPC.invalidArgument, 'no client supplied');
      if (asked.id.length > MAX_ID_LENGTH) throw new ApiRefusal(GRPC.invalidArgument, 'the id is too long');
      requireSense(asked);
      const id = asked.id === '' ? randomToken(16, random) : asked.id;
      const secret = asked.secret === '' && !asked.public ? randomToken(32, random) : asked.secret;
      const { ssoSharedWith, ...rest } = asked;
      // On the wire an empty list is none at all.
      const made: ClientRecord = { ...rest, id, secret, ...(ssoSharedWith.length === 0 ? {} : { ssoSharedWith }) };
      if (isInFile(config(), id) || !(await storage.create('client', id, made)))
        return { alreadyExists: true, client: undefined };
      log.info('client created', { client: id });
      return { alreadyExists: false, client: toWire(made) };
    },
  });
}

function requireSense({
  backchannelLogoutUri,
  refreshTokenLifetime,
}: Pick<MessageValue<typeof client>, 'backchannelLogoutUri' | 'refreshTokenLifetime'>): void {
  if (backchannelLogoutUri !== '' && !isLogoutUri(backchannelLogoutUri))
    throw new ApiRefusal(GRPC.invalidArgument, 'backchannel_logout_uri is no http or https URL');
  if (!['', 'standalone', 'session'].includes(refreshTokenLifetime))
    throw new ApiRefusal(GRPC.invalidArgument, 'refresh_token_lifetime is standalone or session');
}

function toWire(record: ClientRecord): MessageValue<typeof client> {
  return {
    ...record,
    allowedConnectors: record.allowedConnectors ?? [],
    ssoSharedWith: record.ssoSharedWith ?? [],
    backchannelLogoutUri: record.backchannelLogoutUri ?? '',
    postLogoutRedirectUris: record.postLogoutRedirectUris ?? [],
    refreshTokenLifetime: record.refreshTokenLifetime ?? '',
  };
}

async function findClient(
  { config, storage }: Pick<ApiDeps, 'config' | 'storage'>,
  id: string,
): Promise<ClientRecord | undefined> {
  const fixed = config().staticClients.find((one) => one.id === id);
  return fixed === undefined ? await storage.get('client', id) : fromFile(fixed);
}

function isInFile({ staticClients }: IdentityConfig, id: string): boolean {
  return staticClients.some((one) => one.id === id);
}

function fromFile(fixed: StaticClient): ClientRecord {
  const { secret, clientCredentialsGroups: _groups, ssoSharedWith, ...rest } = fixed;
  const shared = ssoSharedWith === undefined ? {} : { ssoSharedWith };
  return { ...rest, ...shared, secret: secret.reveal(), logoUrl: '' };
}
