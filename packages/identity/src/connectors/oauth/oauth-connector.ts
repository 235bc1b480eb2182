/** Owns the connector `oauth`: any OAuth 2.0 server with a userinfo address. */
import { boolean, string } from '../../config/shape.ts';
import { object } from '../../config/object-shape.ts';
import type { Connector, ConnectorType, LoginOutcome } from '../connector.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import type { OAuth2Grant } from '../oauth2/oauth2-connector.ts';
import { oauth2Fields, readAuthority, text, texts, withUrls } from '../oauth2/oauth2-settings.ts';
import type { OAuth2Settings } from '../oauth2/oauth2-settings.ts';
import { createUpstreamApi } from '../oauth2/upstream-api.ts';
import { createUpstreamHttp } from '../oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../oauth2/upstream-http.ts';
import { asObject, requireText, textOf } from '../oauth2/upstream-json.ts';
import type { JsonObject } from '../oauth2/upstream-json.ts';

export interface OAuthConfig extends OAuth2Settings {
  readonly tokenURL: string;
  readonly authorizationURL: string;
  readonly userInfoURL: string;
  readonly scopes: readonly string[];
  readonly rootCAs: readonly string[];
  readonly insecureSkipVerify: boolean;
  readonly userIDKey: string;
  readonly claimMapping: {
    readonly userNameKey: string;
    readonly preferredUsernameKey: string;
    readonly groupsKey: string;
    readonly emailKey: string;
    readonly emailVerifiedKey: string;
  };
}

export const oauth: ConnectorType<OAuthConfig> = {
  type: 'oauth',
  schema: withUrls(
    object('Any OAuth 2.0 server.', {
      ...oauth2Fields,
      tokenURL: string('Its token endpoint.', { required: true }),
      authorizationURL: string('Its authorization endpoint.', { required: true }),
      userInfoURL: string('Where it says who the holder of a token is.', { required: true }),
      scopes: texts('Scopes asked for.'),
      rootCAs: texts('Certificate authorities to trust instead of the system’s: files, PEM or base64 of PEM.'),
      insecureSkipVerify: boolean('Do not check its certificate.'),
      userIDKey: text('The key of the stable id.', 'id'),
      claimMapping: object('Names of keys.', {
        userNameKey: text('The name.', 'user_name'),
        preferredUsernameKey: text('The login name.', 'preferred_username'),
        groupsKey: text('The groups.', 'groups'),
        emailKey: text('The e-mail address.', 'email'),
        emailVerifiedKey: text('Whether that is verified.', 'email_verified'),
      }),
    }),
    'tokenURL',
    'authorizationURL',
    'userInfoURL',
    'redirectURI',
  ),
  open: (config) => Promise.resolve(createOAuthConnector(config)),
};

function createOAuthConnector(config: OAuthConfig): Connector {
  const http = createUpstreamHttp({
    authorities: config.rootCAs.map(readAuthority),
    insecureSkipVerify: config.insecureSkipVerify,
  });
  return createOAuth2Connector({
    ...config,
    http,
    // RFC 6749 §3.1: a server that does not know the parameters ignores them.
    pkce: true,
    refreshes: false,
    endpoints: () => Promise.resolve({ authorization: config.authorizationURL, token: config.tokenURL }),
    scopes: () => config.scopes,
    identify: (grant, { scopes }) => identify(config, http, { grant, groups: scopes.groups }),
  });
}

async function identify(
  config: OAuthConfig,
  http: UpstreamHttp,
  { grant, groups }: { readonly grant: OAuth2Grant; readonly groups: boolean },
): Promise<LoginOutcome> {
  const info = asObject(await createUpstreamApi(http, grant.accessToken).get(config.userInfoURL));
  const names = config.claimMapping;
  const found = [...groupsOf(info, names.groupsKey), ...groupsOf(tokenClaims(grant.accessToken), names.groupsKey)];
  return {
    kind: 'authenticated',
    identity: {
      userId: requireText(info, config.userIDKey),
      username: textOf(info, names.userNameKey),
      preferredUsername: textOf(info, names.preferredUsernameKey),
      email: textOf(info, names.emailKey),
      emailVerified: info[names.emailVerifiedKey] === true,
      groups: groups ? [...new Set(found)] : [],
    },
  };
}

function groupsOf(claims: JsonObject, key: string): readonly string[] {
  const value = Object.hasOwn(claims, key) ? claims[key] : undefined;
  const names = Array.isArray(value) ? value.map(groupName) : [];
  return names.filter((name) => name !== '');
}

function groupName(item: unknown): string {
  return typeof item === 'string' ? item : textOf(asObject(item), 'name');
}

// The token came straight from the token endpoint, so its claims are the server's word (OpenID Connect Core §3.1.3.7, 6).
function tokenClaims(token: string): JsonObject {
  const parts = token.split('.');
  if (parts.length !== 3) return {};
  try {
    return asObject(JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8')));
  } catch {
    return {};
  }
}
