/** Owns which of the provider's tokens are kept with a session: those it has a use for later. The rest would only be there to be stolen. */
import type { ProviderMetadata } from '../provider/metadata.ts';
import type { SessionTokenSet } from '@kfctl/oidc';
import type { TokenAnswer } from './redeem-code.ts';

export interface TokenUses {
  readonly metadata: ProviderMetadata;
  /** Userinfo is asked about each request. */
  readonly strictValidation: boolean;
}

export function usefulTokens(tokens: TokenAnswer, uses: TokenUses, nowMs: number): SessionTokenSet {
  const { metadata, strictValidation } = uses;
  const { idToken, refreshToken, accessToken, expiresInSeconds } = tokens;
  return {
    ...(idToken !== undefined && metadata.endSessionEndpoint !== undefined ? { idToken } : {}),
    ...(refreshToken === undefined ? {} : { refreshToken }),
    ...(accessToken !== undefined && (strictValidation || metadata.revocationEndpoint !== undefined)
      ? { accessToken }
      : {}),
    ...(expiresInSeconds === undefined ? {} : { accessTokenExpiresAtMs: nowMs + expiresInSeconds * 1000 }),
  };
}
