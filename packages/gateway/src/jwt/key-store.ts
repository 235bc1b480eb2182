/** Owns the keys of issuers: fetched when needed, refreshed in the background, kept while the issuer is away. */
import { AppError, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { VerificationKey } from '@kfctl/oidc';
import type { KeySource } from '../istio/request-authentication.ts';
import type { FetchJson } from './fetch-json.ts';

export interface KeyStore {
  /** The keys of a source. `missing` says that a token named a key that is not among them: a rotation may have happened. */
  find(source: KeySource, timeoutMs: number, missing?: boolean): Promise<readonly VerificationKey[]>;
}

export interface KeyStoreOptions {
  readonly fetchJson: FetchJson;
  readonly log: Logger;
  readonly now?: () => number;
}

interface Entry {
  keys: readonly VerificationKey[];
  fetchedAt: number;
  running: Promise<void> | undefined;
}

const FRESH_MS = 300_000;
/** Unknown key ids come from whoever sends tokens: they must not make us fetch more often than this. */
const MIN_INTERVAL_MS = 10_000;

export function createKeyStore({ fetchJson, log, now = () => performance.now() }: KeyStoreOptions): KeyStore {
  const entries = new Map<string, Entry>();
  const refresh = (entry: Entry, source: KeySource, timeoutMs: number): Promise<void> => {
    entry.running ??= load(source, timeoutMs, fetchJson)
      .then((keys) => void (entry.keys = keys))
      .catch((error: unknown) => log.warn('cannot fetch the keys of an issuer', { error: describeError(error) }))
      .finally(() => {
        entry.fetchedAt = now();
        entry.running = undefined;
      });
    return entry.running;
  };
  return {
    async find(source, timeoutMs, missing = false) {
      const key = source.kind === 'inline' ? JSON.stringify(source.set) : `${source.kind} ${source.uri}`;
      const entry = entries.get(key) ?? { keys: [], fetchedAt: Number.NEGATIVE_INFINITY, running: undefined };
      entries.set(key, entry);
      const age = now() - entry.fetchedAt;
      const mustWait = (entry.keys.length === 0 || missing) && age > MIN_INTERVAL_MS;
      const refreshed = mustWait || age > FRESH_MS ? refresh(entry, source, timeoutMs) : entry.running;
      if (mustWait || entry.keys.length === 0) await refreshed;
      return entry.keys;
    },
  };
}

async function load(source: KeySource, timeoutMs: number, fetchJson: FetchJson): Promise<readonly VerificationKey[]> {
  // Loaded at the first token: most gateways accept none.
  const { importJwkSet } = await import('@kfctl/oidc');
  const keys = importJwkSet(await loadSet(source, timeoutMs, fetchJson));
  if (keys === undefined || keys.length === 0)
    throw new AppError('JWKS_INVALID', `${nameOf(source)} holds no usable key`);
  return keys;
}

async function loadSet(source: KeySource, timeoutMs: number, fetchJson: FetchJson): Promise<unknown> {
  if (source.kind === 'inline') return source.set;
  return fetchJson(source.kind === 'set' ? source.uri : await discover(source.uri, timeoutMs, fetchJson), timeoutMs);
}

function nameOf(source: KeySource): string {
  return source.kind === 'inline' ? 'jwks' : source.uri;
}

/** OpenID Connect Discovery 1.0 section 4. */
async function discover(issuer: string, timeoutMs: number, fetchJson: FetchJson): Promise<string> {
  const metadata = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, timeoutMs);
  const uri =
    typeof metadata === 'object' && metadata !== null && 'jwks_uri' in metadata ? metadata.jwks_uri : undefined;
  if (typeof uri !== 'string' || !/^https?:\/\//.test(uri))
    throw new AppError('JWKS_INVALID', `${issuer} names no jwks_uri`);
  return uri;
}
