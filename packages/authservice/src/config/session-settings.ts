/** Owns the settings of sessions: cookie, lifetimes, store, keys. */
import { Secret } from '@kfctl/core';
import type { EnvReader } from '@kfctl/core';
import { isCookieNameAllowed } from '@kfctl/oidc';
import type { Config, StoreConfig } from './config.ts';
import { readRedisSettings } from './redis-settings.ts';

type SessionSettings = Pick<
  Config,
  | 'cookieName'
  | 'cookieAttributes'
  | 'maxAgeSeconds'
  | 'idleTimeoutMs'
  | 'strictValidation'
  | 'store'
  | 'encryptionKeys'
>;

const MIN_AGE_MS = 60_000;
const MAX_AGE_MS = 366 * 24 * 3_600_000;
const MIN_KEY_CHARACTERS = 32;

export function readSessionSettings(reader: EnvReader): SessionSettings {
  const maxAgeMs = reader.durationMs('SESSION_MAX_AGE', 24 * 3_600_000);
  if (maxAgeMs < MIN_AGE_MS || maxAgeMs > MAX_AGE_MS)
    reader.problem('SESSION_MAX_AGE', 'must be between 1m and 366 days');
  const idleTimeoutMs = reader.durationMs('SESSION_IDLE_TIMEOUT', 0);
  if (idleTimeoutMs > 0 && idleTimeoutMs < MIN_AGE_MS)
    reader.problem('SESSION_IDLE_TIMEOUT', 'must be at least 1m, or 0 for none');
  return {
    ...readCookie(reader),
    maxAgeSeconds: Math.floor(maxAgeMs / 1000),
    idleTimeoutMs: idleTimeoutMs === 0 ? Number.POSITIVE_INFINITY : idleTimeoutMs,
    strictValidation: reader.boolean('STRICT_SESSION_VALIDATION', false),
    store: readStore(reader),
    encryptionKeys: readKeys(reader),
  };
}

const SAME_SITE: Readonly<Record<string, 'Lax' | 'Strict' | 'None'>> = { lax: 'Lax', strict: 'Strict', none: 'None' };

/** SESSION_COOKIE_HTTP_ONLY=false is for dashboards that read the cookie to log out; SESSION_COOKIE_SECURE=false for plain HTTP. */
function readCookie(reader: EnvReader): Pick<Config, 'cookieName' | 'cookieAttributes'> {
  const cookieName = reader.string('SESSION_COOKIE_NAME', 'authservice_session');
  const sameSiteText = reader.string('SESSION_SAME_SITE', 'Lax');
  const sameSite = SAME_SITE[sameSiteText.toLowerCase()];
  if (sameSite === undefined)
    reader.problem('SESSION_SAME_SITE', `"${sameSiteText}" is unknown; use Lax, Strict or None`);
  const cookieAttributes = {
    httpOnly: reader.boolean('SESSION_COOKIE_HTTP_ONLY', true),
    secure: reader.boolean('SESSION_COOKIE_SECURE', true),
    sameSite: sameSite ?? 'Lax',
  };
  if (!isCookieNameAllowed(cookieName, cookieAttributes)) {
    reader.problem(
      'SESSION_COOKIE_NAME',
      `browsers refuse "${cookieName}" with these SESSION_COOKIE_SECURE and SESSION_SAME_SITE`,
    );
  }
  return { cookieName, cookieAttributes };
}

function readStore(reader: EnvReader): StoreConfig {
  const kind = reader.string('SESSION_STORE_TYPE', storeOfOlderSettings(reader)).toLowerCase();
  if (kind === 'kubernetes') return { kind, namespace: reader.string('POD_NAMESPACE', 'istio-system') };
  if (kind === 'redis') return { kind, redis: readRedisSettings(reader) };
  if (kind === 'file' || kind === 'boltdb') {
    const older = reader.optional('STORE_PATH') ?? '/var/lib/authservice/sessions.db';
    const path = reader.string('SESSION_STORE_PATH', older);
    // Beside the file of BoltDB, whose sessions nobody can read any more.
    return { kind: 'file', path: kind === 'boltdb' ? `${path}.sqlite` : path };
  }
  reader.problem('SESSION_STORE_TYPE', `"${kind}" is unknown; use kubernetes, redis, or file with a volume`);
  return { kind: 'file', path: '' };
}

/** Before there was a choice, a path meant a file on a volume, and an address Redis. */
function storeOfOlderSettings(reader: EnvReader): string {
  if (reader.optional('REDIS_ADDRESS') !== undefined) return 'redis';
  return reader.optional('STORE_PATH') === undefined ? 'kubernetes' : 'boltdb';
}

/** One key, or several separated by commas: the new one first, the old one until its sessions are over. */
function readKeys(reader: EnvReader): readonly Secret[] {
  const older = reader.optional('JWT_HMAC_SECRET');
  const isOlder = reader.optional('SESSION_ENCRYPTION_KEY') === undefined && older !== undefined;
  const keys = reader
    .secret(isOlder ? 'JWT_HMAC_SECRET' : 'SESSION_ENCRYPTION_KEY')
    .reveal()
    .split(',')
    .map((key) => key.trim());
  if (keys.join('') === '') return [];
  if (keys.some((key) => key.length < MIN_KEY_CHARACTERS)) {
    reader.problem(
      isOlder ? 'JWT_HMAC_SECRET' : 'SESSION_ENCRYPTION_KEY',
      `has less than ${MIN_KEY_CHARACTERS} characters; make one with: openssl rand -base64 32`,
    );
  }
  return keys.map((key) => new Secret(key));
}
