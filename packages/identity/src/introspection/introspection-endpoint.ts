/** Owns `/token/introspect` (RFC 7662): whether a token is alive and what it says. */
import { jsonResponse } from '@kfctl/http';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import type { JwtClaims } from '@kfctl/oidc';
import { encodeSubject } from '@kfctl/oidc';
import { logRefusal } from '../log-refusal.ts';
import type { ProviderDeps } from '../provider.ts';
import type { RefreshToken } from '../storage/records.ts';
import { findLiveRefreshToken } from '../token/refresh-token-grant.ts';
import { answerRefusal, NO_STORE, refuse, TokenRefusal } from '../token/token-error.ts';
import { readTokenForm } from '../token/token-endpoint.ts';
import { verifyOwnToken } from '../token/verify-own-token.ts';

export function createIntrospectionEndpoint(deps: ProviderDeps): HttpHandler {
  return async (request) => {
    const form = await readTokenForm(request);
    if (form instanceof TokenRefusal) return answerRefusal(deps.log, { request, refusal: form });
    const token = form.get('token') ?? '';
    if (token === '') {
      const refusal = refuse('invalid_request', 'The POST body doesn\'t contain "token" parameter.');
      return answerRefusal(deps.log, { request, refusal });
    }
    const verdict = await verifyOwnToken(deps, token);
    if (verdict.kind === 'valid') return active(describeJwt(verdict.claims));
    const refresh = await findLiveRefreshToken(deps, token);
    if (refresh !== undefined) return active(describeRefresh(deps, refresh));
    logRefusal(deps.log, request, { status: 401, reason: `the token is not active: ${verdict.reason}` });
    return inactive();
  };
}

function active(claims: object): HttpResponse {
  return jsonResponse(200, { active: true, ...claims }, NO_STORE);
}

// 401 instead of RFC 7662's 200 is Dex's; its clients expect that.
function inactive(): HttpResponse {
  return jsonResponse(401, { active: false }, NO_STORE);
}

function describeJwt(claims: JwtClaims): object {
  const { iss, sub, aud, exp, iat, azp, email, email_verified, groups, name, preferred_username } = claims;
  const audiences = [aud].flat();
  const ext = {
    azp,
    email,
    email_verified,
    groups,
    name,
    preferred_username,
    federated_claims: claims['federated_claims'],
  };
  return {
    client_id: azp ?? audiences[0],
    sub,
    exp,
    iat,
    nbf: iat,
    username: preferred_username ?? name,
    aud: audiences,
    iss,
    token_type: 'Bearer',
    token_use: 'access_token',
    ext,
  };
}

function describeRefresh({ config }: ProviderDeps, record: RefreshToken): object {
  const { claims, connectorId, clientId, createdAt } = record;
  const { absoluteLifetime } = config.expiry.refreshTokens;
  const iat = Math.floor(createdAt / 1000);
  return {
    client_id: clientId,
    sub: encodeSubject({ userId: claims.userId, connectorId }),
    ...(absoluteLifetime > 0 ? { exp: Math.floor((createdAt + absoluteLifetime) / 1000) } : {}),
    iat,
    nbf: iat,
    username: claims.preferredUsername === '' ? claims.username : claims.preferredUsername,
    aud: [clientId],
    iss: config.issuer,
    token_type: 'Bearer',
    token_use: 'refresh_token',
  };
}
