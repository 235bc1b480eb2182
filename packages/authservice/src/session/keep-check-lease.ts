/** Owns letting gateways decide for live sessions themselves, as long as this AuthService lives and its settings allow it. */
import { describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { CHECK_LEASE_NAME, CHECK_LEASE_PURPOSE, createSealer, sealCheckLease } from '@kfctl/oidc';
import type { CheckSettings } from '@kfctl/oidc';
import type { Config } from '../config/config.ts';
import type { SessionStore } from './session-store.ts';
import { LONGEST_UNTOLD_MS } from './sessions.ts';

export interface CheckLeaseDeps {
  readonly store: SessionStore;
  /** Only who knows the sessions vouches for them. */
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const RENEW_MS = 5_000;
const VALID_MS = 20_000;

/**
 * The settings that gateways decide by; undefined where they must ask about every request: somebody else has the last word, sessions are
 * not where gateways could see them, or a setting of older AuthServices looks at or edits headers that gateways leave alone.
 */
export function checkSettingsOf(config: Config): CheckSettings | undefined {
  const { externalAuthorizerUrl, strictValidation, store, sessionHeader, authMethodHeader, removedHeaders } = config;
  if (externalAuthorizerUrl !== undefined || strictValidation || store.kind !== 'kubernetes') return undefined;
  if (sessionHeader !== undefined || authMethodHeader !== undefined || removedHeaders.length > 0) return undefined;
  const { cookieName, userIdHeader, groupsHeader, allowedGroups, idleTimeoutMs } = config;
  return {
    cookieName,
    userIdHeader,
    groupsHeader,
    allowedGroups,
    copiesGroups: config.gatewayCopiesGroups,
    provesIdentity: config.assertionKeys.length > 0,
    askAlways: [...config.exemptPaths, config.callbackPath, config.urlPrefix, config.verifyPath, '/logout'],
    // Gateways ask about a session in use once in a quarter of this: where nothing ends by it, people still see the last use.
    idleTimeoutMs: Math.min(idleTimeoutMs, LONGEST_UNTOLD_MS),
  };
}

/** Renews the lease until the signal aborts; without one, gateways ask. */
export function keepCheckLease(config: Config, { store, isReady, clock, log, signal }: CheckLeaseDeps): void {
  const settings = checkSettingsOf(config);
  if (settings === undefined) return;
  const sealer = createSealer({ secrets: config.encryptionKeys, purpose: CHECK_LEASE_PURPOSE });
  const renew = async (): Promise<void> => {
    if (!isReady() || signal.aborted) return;
    const validUntilMs = clock.now() + VALID_MS;
    const sealed = sealCheckLease({ settings, validUntilMs }, sealer);
    await store.publish?.({ id: CHECK_LEASE_NAME, sealed, expiresAtMs: validUntilMs });
  };
  const timer = setInterval(() => {
    renew().catch((error: unknown) => log.debug('cannot renew the check lease', { error: describeError(error) }));
  }, RENEW_MS);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
