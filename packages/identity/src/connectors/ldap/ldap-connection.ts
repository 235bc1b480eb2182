/** Owns one connection: how it is secured, and that it is never silently replaced by an unsecured one. */
import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { AppError } from '@kfctl/core';
import { Client } from 'ldapts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { LdapHost, LdapServer } from './ldap-config.ts';

export interface LdapTls {
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** Reads the certificate files; throws AppError naming the setting that is wrong. */
export function loadTls(server: LdapServer): LdapTls {
  const caText =
    server.rootCAData === ''
      ? readPem('rootCA', server.rootCA)
      : Buffer.from(server.rootCAData, 'base64').toString('utf8');
  const ca = caText?.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? undefined;
  if (caText !== undefined && ca === undefined) {
    throw new AppError(IDENTITY_ERRORS.connectorConfig, 'ldap: no certificates found in rootCA', {
      hint: 'rootCA names a PEM file; rootCAData is the base64 of one.',
    });
  }
  return { ca, cert: readPem('clientCert', server.clientCert), key: readPem('clientKey', server.clientKey) };
}

function readPem(setting: string, file: string): string | undefined {
  if (file === '') return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError(IDENTITY_ERRORS.connectorConfig, `ldap: cannot read ${setting} ${file}`, { cause });
  }
}

export interface LdapEndpoint {
  readonly server: LdapServer;
  readonly tls: LdapTls;
  readonly host: LdapHost;
}

/** A client that will use exactly one connection, secured as configured. Nothing is sent yet. */
export function createClient({ server, tls, host }: LdapEndpoint): Client {
  const name = isIP(host.name) === 6 ? `[${host.name}]` : host.name;
  const isLdaps = server.security === 'ldaps';
  return new Client({
    url: `${isLdaps ? 'ldaps' : 'ldap'}://${name}:${host.port}`,
    timeout: server.timeoutMs,
    connectTimeout: server.connectTimeoutMs,
    ...(isLdaps ? { tlsOptions: tlsOptions({ server, tls, host }) } : { createConnection: connectOnce() }),
  });
}

/** StartTLS where it is configured (RFC 4511 §4.14): before anything else is said. */
export async function secure(client: Client, endpoint: LdapEndpoint): Promise<void> {
  if (endpoint.server.security === 'starttls') await client.startTLS(tlsOptions(endpoint));
}

// The client library connects again by itself when a connection is gone. After StartTLS that would be in plain text, with a
// password as the next thing to be sent; so the second connection is refused and the caller starts over.
function connectOnce(): typeof connectTcp {
  let used = false;
  const connect = (...args: Parameters<typeof connectTcp>): ReturnType<typeof connectTcp> => {
    if (used) throw new Error('the connection is gone');
    used = true;
    return connectTcp(...args);
  };
  return connect as typeof connectTcp;
}

function tlsOptions({ server, tls, host }: LdapEndpoint): ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    host: host.name,
    ...(isIP(host.name) === 0 ? { servername: host.name } : {}),
    ...(server.insecureSkipVerify ? { rejectUnauthorized: false } : {}),
    ...(tls.ca === undefined ? {} : { ca: [...tls.ca] }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  };
}

/** The LDAP result code of an error (RFC 4511 §4.1.9), or undefined when it is about the connection. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}

export async function discard(client: Client): Promise<void> {
  await client.unbind().catch(() => undefined);
}
