/** Owns what a client is and where one is found: the configuration file first, then the storage. */
import { Secret } from '@kfctl/core';
import type { StaticClient } from '../config/config.ts';
import type { ClientRecord } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';

export type Client = StaticClient;

export type FindClient = (id: string) => Promise<Client | undefined>;

/** Longer ids cannot exist, and need not be looked for. */
const MAX_ID_LENGTH = 1000;

export function createClientFinder(staticClients: readonly StaticClient[], storage: Pick<Storage, 'get'>): FindClient {
  const byId = new Map(staticClients.map((client) => [client.id, client]));
  return async (id) => {
    if (id === '' || id.length > MAX_ID_LENGTH) return undefined;
    const fixed = byId.get(id);
    if (fixed !== undefined) return fixed;
    const record = await storage.get('client', id);
    if (record === undefined) return undefined;
    return fromStorage(record);
  };
}

function fromStorage({ logoUrl: _logoUrl, secret, ...stored }: ClientRecord): Client {
  return {
    ...stored,
    secret: new Secret(secret),
    postLogoutRedirectUris: stored.postLogoutRedirectUris ?? [],
    allowedConnectors: stored.allowedConnectors ?? [],
    ssoSharedWith: stored.ssoSharedWith,
    backchannelLogoutUri: stored.backchannelLogoutUri ?? '',
    refreshTokenLifetime: stored.refreshTokenLifetime === 'session' ? 'session' : 'standalone',
    idTokenLifetime: 0,
    clientCredentialsGroups: [],
  };
}
