/** Owns `/.well-known/openid-configuration` (OpenID Connect Discovery §3, RFC 8414) and `/keys`. */
import type { HttpHandler } from '@kfctl/http';
import { SCOPES } from '../authorize/scopes.ts';
import type { IdentityConfig } from '../config/config.ts';
import type { ProviderDeps } from '../provider.ts';

type Deps = Pick<ProviderDeps, 'config' | 'keys'>;

export function createDiscoveryEndpoint({ config, keys }: Deps): HttpHandler {
  return () => {
    const body = JSON.stringify(discoveryDocument(config, keys.current().signingKey.alg), undefined, 2);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  };
}

/** RFC 7517 §5. Clients that meet an unknown kid ask again, whatever the cache says. */
export function createKeysEndpoint({ keys }: Pick<Deps, 'keys'>): HttpHandler {
  return () => ({
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'max-age=600, must-revalidate' },
    body: JSON.stringify({ keys: keys.current().jwks }, undefined, 2),
  });
}

export interface DiscoveryDocument {
  readonly issuer: string;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly userinfo_endpoint: string;
  readonly device_authorization_endpoint: string;
  readonly introspection_endpoint: string;
  readonly revocation_endpoint: string;
  readonly end_session_endpoint: string;
  /** OpenID Connect Back-Channel Logout §2.1; there where sessions are. */
  readonly backchannel_logout_supported?: true;
  readonly backchannel_logout_session_supported?: true;
  readonly grant_types_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly subject_types_supported: readonly string[];
  readonly id_token_signing_alg_values_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly claims_supported: readonly string[];
}

const BACKCHANNEL = { backchannel_logout_supported: true, backchannel_logout_session_supported: true } as const;

/** Addresses are made from the issuer, never from what a request says its host is. */
export function discoveryDocument(config: IdentityConfig, alg: string): DiscoveryDocument {
  const base = config.issuer.replace(/\/+$/, '');
  return {
    issuer: config.issuer,
    authorization_endpoint: `${base}/auth`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/keys`,
    userinfo_endpoint: `${base}/userinfo`,
    device_authorization_endpoint: `${base}/device/code`,
    introspection_endpoint: `${base}/token/introspect`,
    revocation_endpoint: `${base}/token/revoke`,
    end_session_endpoint: `${base}/logout`,
    ...(config.sessions === undefined ? {} : BACKCHANNEL),
    grant_types_supported: supportedGrants(config),
    response_types_supported: responseTypes(config),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [alg],
    code_challenge_methods_supported: config.oauth2.pkce.codeChallengeMethodsSupported,
    scopes_supported: ['openid', ...SCOPES.filter((scope) => scope !== 'openid')],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    claims_supported: [
      'iss',
      'sub',
      'aud',
      'iat',
      'exp',
      'email',
      'email_verified',
      'locale',
      'name',
      'preferred_username',
      'at_hash',
      'groups',
      'federated_claims',
      'auth_time',
      ...(config.sessions === undefined ? [] : ['sid']),
    ],
  };
}

/** Grants that are configured and can succeed. */
export function supportedGrants({ oauth2 }: IdentityConfig): readonly string[] {
  return [...oauth2.grantTypes]
    .filter((grant) => grant !== 'implicit' || oauth2.responseTypes.has('token'))
    .filter((grant) => grant !== 'password' || oauth2.passwordConnector !== '')
    .toSorted();
}

/** The enabled words, in the combinations that OpenID Connect Core §3 defines. */
function responseTypes({ oauth2 }: IdentityConfig): readonly string[] {
  const combinations = ['code', 'id_token', 'code id_token', 'code token', 'id_token token', 'code id_token token'];
  return combinations.filter((types) => types.split(' ').every((word) => oauth2.responseTypes.has(word)));
}
