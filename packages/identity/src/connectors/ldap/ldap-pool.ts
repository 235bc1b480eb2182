/**
 * Owns the connections to a directory: reused, limited, with fail-over between hosts. Connections that search are bound as the
 * service account for good; people's passwords are tried on others, so that nobody's rights leak into a search.
 */
import { AppError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import type { Client } from 'ldapts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { LdapServer } from './ldap-config.ts';
import { createIdleConnections } from './idle-connections.ts';
import { discard, loadTls, resultCode } from './ldap-connection.ts';
import { createOpener } from './open-connection.ts';
import type { LdapRole } from './open-connection.ts';

export interface LdapPool {
  /** Lends a connection for as long as `work` runs. A kept connection that turns out to be dead is replaced once. */
  use<T>(role: LdapRole, work: (client: Client) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface LdapPoolDeps {
  readonly server: LdapServer;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_WAITING = 500;

export function createLdapPool(deps: LdapPoolDeps): LdapPool {
  const connect = createOpener(deps, loadTls(deps.server));
  const idle = createIdleConnections(deps.clock);
  const gate = createGate(deps.server.maxConnections);
  const attempt = async <T>(role: LdapRole, client: Client, work: (client: Client) => Promise<T>): Promise<T> => {
    try {
      const result = await work(client);
      idle.keep(role, client);
      return result;
    } catch (error) {
      // After a result code the connection is fine; after anything else its state is unknown.
      if (resultCode(error) === undefined) void discard(client);
      else idle.keep(role, client);
      throw error;
    }
  };
  const lend = async <T>(role: LdapRole, work: (client: Client) => Promise<T>): Promise<T> => {
    const kept = idle.take(role);
    if (kept === undefined) return await attempt(role, await connect(role), work);
    try {
      return await attempt(role, kept, work);
    } catch (error) {
      if (resultCode(error) !== undefined || kept.isConnected) throw error;
      return await attempt(role, await connect(role), work);
    }
  };
  return {
    use: async (role, work) => {
      await gate.enter();
      try {
        return await lend(role, work);
      } finally {
        gate.leave();
      }
    },
    close: () => idle.close(),
  };
}

interface Gate {
  enter(): Promise<void>;
  leave(): void;
}

function createGate(limit: number): Gate {
  const waiting: (() => void)[] = [];
  let inside = 0;
  return {
    enter: () => {
      if (inside < limit) {
        inside += 1;
        return Promise.resolve();
      }
      if (waiting.length >= MAX_WAITING)
        throw new AppError(IDENTITY_ERRORS.connectorFailed, 'ldap: too many requests wait');
      return new Promise((resolve) => waiting.push(resolve));
    },
    leave: () => {
      const next = waiting.shift();
      if (next === undefined) inside -= 1;
      else next();
    },
  };
}
