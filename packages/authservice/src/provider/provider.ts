/** Owns what is known of the identity provider, and finding it (again): its metadata and its keys. */
import { createBackoff, delay, describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { importJwkSet } from '@kfctl/oidc';
import type { VerificationKey } from '@kfctl/oidc';
import { providerFailed } from '../errors.ts';
import { fetchMetadata } from './metadata.ts';
import type { ProviderMetadata } from './metadata.ts';
import { requireJsonObject } from './provider-http.ts';
import type { ProviderHttp } from './provider-http.ts';

export interface Provider {
  /** Undefined until the provider was reached once. */
  metadata(): ProviderMetadata | undefined;
  /** Throws PROVIDER_FAILED while the provider is unknown. */
  requireMetadata(): ProviderMetadata;
  /** The provider's signing keys; fetched again when `kid` is not among them, at most once in some seconds. */
  keys(kid: string | undefined): Promise<readonly VerificationKey[]>;
  /** Asks until the provider answers, then again from time to time, until the signal aborts. */
  follow(signal: AbortSignal): Promise<void>;
}

export interface ProviderOptions {
  readonly issuer: string;
  readonly http: ProviderHttp;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Made-up key ids must not turn into a flood of requests to the provider. */
const KEY_REFRESH_MS = 5_000;
const KEY_LIFETIME_MS = 60 * 60_000;
const REDISCOVERY_MS = 15 * 60_000;

export function createProvider(options: ProviderOptions): Provider {
  const { issuer, http, log } = options;
  let metadata: ProviderMetadata | undefined;
  const requireMetadata = (): ProviderMetadata => {
    if (metadata === undefined) throw providerFailed('the identity provider was not reached yet');
    return metadata;
  };
  const keys = createKeyCache(options, () => requireMetadata().jwksUri);
  return {
    metadata: () => metadata,
    requireMetadata,
    keys,
    follow: async (signal) => {
      const backoff = createBackoff({ initialMs: 100, maxMs: 10_000 });
      let complaint = '';
      while (!signal.aborted) {
        try {
          const found = await fetchMetadata(issuer, http);
          if (metadata === undefined || complaint !== '') log.info('identity provider found', { issuer });
          metadata = found;
          complaint = '';
          backoff.reset();
          await delay(REDISCOVERY_MS, signal);
        } catch (error) {
          const text = describeError(error);
          if (text !== complaint) log.warn('identity provider not reachable', { issuer, error: text });
          complaint = text;
          await delay(backoff.next(), signal);
        }
      }
    },
  };
}

function createKeyCache(
  { http, clock }: ProviderOptions,
  jwksUri: () => string,
): (kid: string | undefined) => Promise<readonly VerificationKey[]> {
  let keys: readonly VerificationKey[] = [];
  let fetchedAtMs = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;
  const fetch = async (): Promise<void> => {
    const found = importJwkSet(requireJsonObject(await http.send({ url: jwksUri() }), 'the key set'));
    if (found === undefined) throw providerFailed('the key set is not one');
    keys = found;
    fetchedAtMs = clock.now();
  };
  return async (kid) => {
    const age = clock.now() - fetchedAtMs;
    const known = keys.length > 0 && (kid === undefined || keys.some((key) => key.kid === kid));
    if ((known && age < KEY_LIFETIME_MS) || (keys.length > 0 && age < KEY_REFRESH_MS)) return keys;
    fetching ??= fetch().finally(() => (fetching = undefined));
    await fetching.catch((error: unknown) => {
      // Keys that are merely due for a look are better than no login.
      if (!known) throw error;
    });
    return keys;
  };
}
