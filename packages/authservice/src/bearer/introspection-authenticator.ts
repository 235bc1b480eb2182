/** Owns opaque access tokens: the provider is asked what they stand for (RFC 7662). */
import { isSessionToken } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { clientCredentials } from '../login/client-credentials.ts';
import type { ClientSettings } from '../login/client-credentials.ts';
import { identityOf } from '../login/identity-of.ts';
import type { IdentityRules } from '../login/identity-of.ts';
import { requireJsonObject } from '../provider/provider-http.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import type { BearerAuthenticator } from './bearer-cache.ts';

export interface IntrospectionDeps {
  readonly provider: Pick<Provider, 'requireMetadata'>;
  readonly http: ProviderHttp;
  readonly settings: ClientSettings;
  readonly identityRules: IdentityRules;
}

const MAX_CHARACTERS = 4_096;

export function createIntrospectionAuthenticator({
  provider,
  http,
  settings,
  identityRules,
}: IntrospectionDeps): BearerAuthenticator {
  return {
    name: 'introspection',
    accepts: (token) => token.split('.').length !== 3 && token.length <= MAX_CHARACTERS && !isSessionToken(token),
    authenticate: async (token) => {
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
      const claims = requireJsonObject(response, 'introspection');
      if (claims['active'] !== true || (claims['iss'] !== undefined && claims['iss'] !== metadata.issuer))
        return undefined;
      const { exp } = claims;
      try {
        const expiresAtMs = typeof exp === 'number' ? exp * 1000 : Number.POSITIVE_INFINITY;
        return { caller: identityOf(claims, identityRules), expiresAtMs };
      } catch {
        return undefined;
      }
    },
  };
}
