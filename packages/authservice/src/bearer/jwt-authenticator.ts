/** Owns tokens that the identity provider signed: ID tokens made for us, and access tokens (RFC 9068) made for our audiences. */
import type { Clock } from '@kfctl/core';
import { audiencesOf, decodeJwt, verifyJwt } from '@kfctl/oidc';
import { identityOf } from '../login/identity-of.ts';
import type { IdentityRules } from '../login/identity-of.ts';
import type { Provider } from '../provider/provider.ts';
import type { BearerAuthenticator } from './bearer-cache.ts';
import { isBearerToken } from './is-bearer-token.ts';

export interface JwtAuthenticatorDeps {
  readonly issuer: string;
  /** Any of these in `aud` makes a token ours. */
  readonly audiences: readonly string[];
  readonly provider: Pick<Provider, 'keys'>;
  readonly identityRules: IdentityRules;
  readonly clock: Clock;
}

export function createJwtAuthenticator(deps: JwtAuthenticatorDeps): BearerAuthenticator {
  const { issuer, audiences, provider, identityRules, clock } = deps;
  return {
    name: 'jwt',
    accepts: (token) => decodeJwt(token)?.claims['iss'] === issuer,
    authenticate: async (token) => {
      const keys = await provider.keys(decodeJwt(token)?.header.kid);
      const verdict = verifyJwt(token, { keys, issuer, nowMs: clock.now() });
      if (verdict.kind === 'invalid') return undefined;
      const { claims } = verdict;
      if (!isBearerToken(claims) || !audiencesOf(claims).some((audience) => audiences.includes(audience)))
        return undefined;
      try {
        return { caller: identityOf(claims, identityRules), expiresAtMs: Number(claims['exp']) * 1000 };
      } catch {
        // A token without a usable name is nobody's.
        return undefined;
      }
    },
  };
}
