/** Owns connections to PostgreSQL as the settings want them. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Pool } from 'pg';
import type { PostgresSettings } from './postgres-settings.ts';

const STATEMENT_TIMEOUT_MS = 10_000;

export function openPool(settings: PostgresSettings): Pool {
  const { database, user, password, connectionTimeout, maxOpenConns, connMaxLifetime } = settings;
  const secret = password.reveal();
  const pool = new Pool({
    ...placeOf(settings),
    database,
    user,
    // Without one, the library would look into the environment and the home directory.
    password: secret,
    ssl: transportSecurity(settings),
    max: maxOpenConns === 0 ? 5 : maxOpenConns,
    maxLifetimeSeconds: connMaxLifetime,
    connectionTimeoutMillis: connectionTimeout === 0 ? 10_000 : connectionTimeout * 1000,
    idleTimeoutMillis: 10_000,
    allowExitOnIdle: true,
    keepAlive: true,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // Longer than the server's own limit, for a server that has fallen silent.
    query_timeout: STATEMENT_TIMEOUT_MS + 5000,
    application_name: 'identity',
  });
  // An idle connection that breaks is replaced when the next one is needed; unheard, the event would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** `host`, `host:port`, `[v6]:port`, or the directory of a socket. */
export function placeOf({ host, port }: Pick<PostgresSettings, 'host' | 'port'>): { host: string; port: number } {
  const [, name = host, inner] = /^\[?([^[\]]*?)\]?:(\d{1,5})$/.exec(host) ?? [];
  const isBareV6 = !host.startsWith('[') && host.split(':').length > 2;
  const whole = host.startsWith('/') || isBareV6;
  const fallback = port === 0 ? 5432 : port;
  return whole ? { host, port: fallback } : { host: name, port: inner === undefined ? fallback : Number(inner) };
}

function transportSecurity({ host, ssl }: PostgresSettings): ConnectionOptions | false {
  if (ssl.mode === 'disable' || host.startsWith('/')) return false;
  const files = {
    ...(ssl.caFile === '' ? {} : { ca: readFileSync(ssl.caFile, 'utf8') }),
    ...(ssl.certFile === '' ? {} : { cert: readFileSync(ssl.certFile), key: readFileSync(ssl.keyFile) }),
  };
  if (ssl.mode === 'require') return { ...files, rejectUnauthorized: false };
  return ssl.mode === 'verify-ca' ? { ...files, checkServerIdentity: () => undefined } : files;
}
