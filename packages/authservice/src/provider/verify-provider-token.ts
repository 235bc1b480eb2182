/** Owns the judging of tokens that the provider signed for us as its client: of logins, and of logouts. */
import type { Clock } from '@kfctl/core';
import { decodeJwt, verifyJwt } from '@kfctl/oidc';
import type { JwtVerdict } from '@kfctl/oidc';
import type { Provider } from './provider.ts';

export interface ProviderTokenDeps {
  readonly provider: Pick<Provider, 'requireMetadata' | 'keys'>;
  readonly clock: Clock;
  readonly settings: { readonly clientId: string };
}

/** Forgiven to clocks that differ. */
const TOLERANCE_SECONDS = 30;

/** Signature, issuer, audience and lifetime (OpenID Connect Core §3.1.3.7); throws PROVIDER_FAILED where the provider's keys cannot be had. */
export async function verifyProviderToken(
  { provider, clock, settings }: ProviderTokenDeps,
  token: string,
): Promise<JwtVerdict> {
  return verifyJwt(token, {
    keys: await provider.keys(decodeJwt(token)?.header.kid),
    issuer: provider.requireMetadata().issuer,
    audience: settings.clientId,
    nowMs: clock.now(),
    toleranceSeconds: TOLERANCE_SECONDS,
  });
}
