/** Owns connections that wait for their next use: a few per role, for a minute. */
import type { Clock } from '@kfctl/core';
import type { Client } from 'ldapts';
import { discard } from './ldap-connection.ts';
import type { LdapRole } from './open-connection.ts';

export interface IdleConnections {
  take(role: LdapRole): Client | undefined;
  keep(role: LdapRole, client: Client): void;
  close(): Promise<void>;
}

interface Kept {
  readonly client: Client;
  readonly since: number;
}

const MAX_PER_ROLE = 8;
const MAX_IDLE_MS = 60_000;

export function createIdleConnections(clock: Clock): IdleConnections {
  const idle: Record<LdapRole, Kept[]> = { search: [], bind: [] };
  let closed = false;
  return {
    take: (role) => {
      for (let kept = idle[role].pop(); kept !== undefined; kept = idle[role].pop()) {
        if (kept.client.isConnected && clock.now() - kept.since < MAX_IDLE_MS) return kept.client;
        void discard(kept.client);
      }
      return undefined;
    },
    keep: (role, client) => {
      if (closed || !client.isConnected || idle[role].length >= MAX_PER_ROLE) void discard(client);
      else idle[role].push({ client, since: clock.now() });
    },
    close: async () => {
      closed = true;
      await Promise.all([...idle.search, ...idle.bind].map(({ client }) => discard(client)));
    },
  };
}
