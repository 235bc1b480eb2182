/**
 * Owns opaque access tokens: the provider is asked what they stand for (RFC 7662), and at userinfo for what that leaves out. A token counts
 * only when the answer names us or one of our audiences: any other client of the provider holds tokens of its people too (RFC 6750 §5.2).
 */
import { audiencesOf, isSessionToken } from '@kfctl/oidc';
import type { JwtClaims } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { clientCredentials } from '../login/client-credentials.ts';
import type { ClientSettings } from '../login/client-credentials.ts';
import { fetchUserinfo } from '../login/fetch-userinfo.ts';
import { identityOf } from '../login/identity-of.ts';
import type { IdentityRules } from '../login/identity-of.ts';
import { requireJsonObject } from '../provider/provider-http.ts';
import type { ProviderHttp, ProviderResponse } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import type { BearerAuthenticator } from './bearer-cache.ts';
import { isBearerToken } from './is-bearer-token.ts';

export interface IntrospectionDeps {
  readonly provider: Pick<Provider, 'requireMetadata'>;
  readonly http: ProviderHttp;
  readonly settings: ClientSettings & { readonly useUserinfo: boolean };
  /** Any of these as audience or client makes a token ours. */
  readonly audiences: readonly string[];
  readonly identityRules: IdentityRules;
}

const MAX_CHARACTERS = 4_096;

export function createIntrospectionAuthenticator(deps: IntrospectionDeps): BearerAuthenticator {
  return {
    name: 'introspection',
    accepts: (token) => token.split('.').length !== 3 && token.length <= MAX_CHARACTERS && !isSessionToken(token),
    authenticate: async (token) => {
      const claims = await introspect(deps, token);
      if (claims === undefined) return undefined;
      const whole = await complete(deps, token, claims);
      const { exp } = claims;
      try {
        const expiresAtMs = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
        return whole === undefined ? undefined : { caller: identityOf(whole, deps.identityRules), expiresAtMs };
      } catch {
        return undefined;
      }
    },
  };
}

/** What the provider says of a live access token that is for us. */
async function introspect(deps: IntrospectionDeps, token: string): Promise<JwtClaims | undefined> {
  const { provider, http, settings } = deps;
  const metadata = provider.requireMetadata();
  if (metadata.introspectionEndpoint === undefined) return undefined;
  const { headers, form } = clientCredentials(settings, metadata);
  const response = await http.send({
    method: 'POST',
    url: metadata.introspectionEndpoint,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ token, token_type_hint: 'access_token', ...form }).toString(),
  });
  if (response.status >= 500) throw sessionsUnavailable(`introspection answered ${response.status}`);
  const claims = answerOf(response);
  if (claims['active'] !== true || (claims['iss'] !== undefined && claims['iss'] !== metadata.issuer)) return undefined;
  return isAccessToken(claims) && isBearerToken(claims) && isForUs(deps, claims) ? claims : undefined;
}

/** Dex answers 401 about a token that it does not know. */
function answerOf(response: ProviderResponse): JwtClaims {
  return requireJsonObject(response.status === 401 ? { ...response, status: 200 } : response, 'introspection');
}

/** Servers may look for a refresh token too (RFC 7662 §2.1), and say so each in its way. */
function isAccessToken(claims: JwtClaims): boolean {
  return ['token_use', 'token_type', 'typ'].every(
    (name) => !/refresh|\bid\b|id_token/i.test(String(claims[name] ?? '')),
  );
}

function isForUs({ audiences }: IntrospectionDeps, claims: JwtClaims): boolean {
  return [...audiencesOf(claims), claims['client_id']].some((name) => audiences.some((ours) => ours === name));
}

/** With userinfo where introspection names nobody or no groups; undefined when that is about somebody else. */
async function complete(deps: IntrospectionDeps, token: string, claims: JwtClaims): Promise<JwtClaims | undefined> {
  const { userIdClaim, groupsClaim } = deps.identityRules;
  if (claims[userIdClaim] !== undefined && claims[groupsClaim] !== undefined) return claims;
  const userinfo = await fetchUserinfo(deps, token);
  if (userinfo === undefined) return claims;
  return userinfo['sub'] === claims['sub'] ? { ...userinfo, ...claims } : undefined;
}
