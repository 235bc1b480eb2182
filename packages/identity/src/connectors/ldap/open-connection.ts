/** Owns opening connections: the first host that answers, secured, bound for its role, within the time allowed. */
import { AppError, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { Client } from 'ldapts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { LdapServer } from './ldap-config.ts';
import { describeLdapError } from './result-codes.ts';
import { createClient, discard, resultCode, secure } from './ldap-connection.ts';
import type { LdapEndpoint, LdapTls } from './ldap-connection.ts';

/** `search`: bound as the service account. `bind`: bound as nobody yet, for trying a person's password. */
export type LdapRole = 'search' | 'bind';

export interface OpenerDeps {
  readonly server: LdapServer;
  readonly log: Logger;
}

/** Gives a function that opens one connection; it remembers which host answered last. */
export function createOpener({ server, log }: OpenerDeps, tls: LdapTls): (role: LdapRole) => Promise<Client> {
  let preferred = 0;
  return async (role) => {
    const failures: unknown[] = [];
    for (let offset = 0; offset < server.hosts.length; offset += 1) {
      const index = (preferred + offset) % server.hosts.length;
      const host = server.hosts[index];
      if (host === undefined) continue;
      const client = createClient({ server, tls, host });
      try {
        await openClient({ client, role, endpoint: { server, tls, host } });
        preferred = index;
        return client;
      } catch (error) {
        await discard(client);
        failures.push(error);
        // A server that answers but refuses us would be joined by the others.
        if (resultCode(error) !== undefined && !isUnavailable(error)) throw serviceFailure(error);
        log.warn('ldap server not reachable', { host: host.name, port: host.port, error: describeError(error) });
      }
    }
    throw serviceFailure(
      failures.length === 1 ? failures[0] : new AggregateError(failures, 'no LDAP server can be reached'),
    );
  };
}

interface Opening {
  readonly client: Client;
  readonly role: LdapRole;
  readonly endpoint: LdapEndpoint;
}

async function openClient({ client, role, endpoint }: Opening): Promise<void> {
  const { bindDN, bindPW, connectTimeoutMs } = endpoint.server;
  const open = async (): Promise<void> => {
    await secure(client, endpoint);
    // An anonymous search needs no bind (RFC 4511 §4.2.1).
    if (role === 'search' && (bindDN !== '' || bindPW.reveal() !== '')) await client.bind(bindDN, bindPW.reveal());
  };
  // The library's own timer does not cover the TLS handshake after StartTLS.
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('connecting took too long')), connectTimeoutMs);
  });
  try {
    await Promise.race([open(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

// busy, unavailable
function isUnavailable(error: unknown): boolean {
  return [51, 52].includes(resultCode(error) ?? -1);
}

function serviceFailure(cause: unknown): AppError {
  return new AppError(IDENTITY_ERRORS.connectorFailed, 'ldap: cannot connect or bind as the service account', {
    hint: 'Check host, TLS settings, bindDN and bindPW of the connector.',
    // In words: the log shows the cause.
    cause: resultCode(cause) === undefined ? cause : new Error(describeLdapError(cause)),
  });
}
