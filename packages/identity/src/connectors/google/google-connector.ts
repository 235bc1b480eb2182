/** Owns the connector `google`. */
import { importJwkSet, verifyJwt } from '@kfctl/oidc';
import type { JwtClaims } from '@kfctl/oidc';
import type { Clock } from '@kfctl/core';
import type { Connector, ConnectorDeps, ConnectorScopes, ConnectorType, LoginOutcome } from '../connector.ts';
import { admit } from '../oauth2/groups.ts';
import { createOAuth2Connector } from '../oauth2/oauth2-connector.ts';
import { createUpstreamHttp, upstreamFailed } from '../oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../oauth2/upstream-http.ts';
import { requireText, textOf } from '../oauth2/upstream-json.ts';
import { googleSchema } from './google-config.ts';
import type { GoogleConfig } from './google-config.ts';
import { createGroupDirectory } from './group-directory.ts';
import type { GroupDirectory } from './group-directory.ts';

export interface GooglePlaces {
  readonly issuer: string;
  readonly authorization: string;
  readonly token: string;
  readonly keys: string;
  readonly directory: string;
}

const GOOGLE: GooglePlaces = {
  issuer: 'https://accounts.google.com',
  authorization: 'https://accounts.google.com/o/oauth2/v2/auth',
  token: 'https://oauth2.googleapis.com/token',
  keys: 'https://www.googleapis.com/oauth2/v3/certs',
  directory: 'https://admin.googleapis.com/admin/directory/v1',
};

export const google: ConnectorType<GoogleConfig> = {
  type: 'google',
  schema: googleSchema,
  open: (config, deps) => Promise.resolve(createGoogleConnector(config, deps, GOOGLE)),
};

interface Google {
  readonly config: GoogleConfig;
  readonly places: GooglePlaces;
  readonly http: UpstreamHttp;
  readonly clock: Clock;
  readonly directory: GroupDirectory | undefined;
}

export function createGoogleConnector(
  config: GoogleConfig,
  { clock }: Pick<ConnectorDeps, 'clock'>,
  places: GooglePlaces,
): Connector {
  const http = createUpstreamHttp();
  const { issuer, authorization, token } = places;
  const directory =
    config.serviceAccountFilePath === ''
      ? undefined
      : createGroupDirectory(config, { http, clock, base: places.directory });
  const upstream: Google = { config, places, http, clock, directory };
  const { hostedDomains } = config;
  const hosted = hostedDomains.length === 1 ? (hostedDomains[0] ?? '') : hostedDomains.length > 1 ? '*' : '';
  return createOAuth2Connector({
    ...config,
    http,
    pkce: true,
    refreshes: true,
    endpoints: () => Promise.resolve({ authorization, token, issuer }),
    scopes: () => ['openid', ...config.scopes.filter((scope) => scope !== 'openid')],
    authorizationParameters: ({ offlineAccess }) => ({
      hd: hosted,
      ...(offlineAccess ? { access_type: 'offline', prompt: config.promptType ?? 'consent' } : {}),
    }),
    identify: async ({ idToken }, { scopes, nonce }) =>
      await readClaims(upstream, await verified(upstream, idToken ?? '', nonce), scopes),
  });
}

/** OpenID Connect Core §3.1.3.7: signature, issuer, audience, lifetime, and the nonce of this very login. */
async function verified(
  { config, places, http, clock }: Google,
  idToken: string,
  nonce: string | undefined,
): Promise<JwtClaims> {
  const { body } = await http.send({ url: places.keys });
  const keys = importJwkSet(body) ?? [];
  const { issuer } = places;
  const verdict = verifyJwt(idToken, {
    keys,
    issuer,
    audience: config.clientID,
    nowMs: clock.now(),
    toleranceSeconds: 30,
  });
  if (verdict.kind === 'invalid') throw upstreamFailed(issuer, `sent an ID token that is refused: ${verdict.reason}`);
  const party = verdict.claims['azp'];
  if (party !== undefined && party !== config.clientID)
    throw upstreamFailed(issuer, 'sent an ID token of another client');
  if (nonce !== undefined && verdict.claims['nonce'] !== nonce)
    throw upstreamFailed(issuer, 'sent an ID token of another login');
  return verdict.claims;
}

async function readClaims(
  { config, directory }: Google,
  claims: JwtClaims,
  scopes: ConnectorScopes,
): Promise<LoginOutcome> {
  const { hostedDomains, groups } = config;
  if (hostedDomains.length > 0 && !hostedDomains.includes(textOf(claims, 'hd'))) {
    return { kind: 'denied', reason: 'not of a required domain', outsider: true };
  }
  const email = requireText(claims, 'email');
  const asks = directory !== undefined && (scopes.groups || groups.length > 0);
  const identity = {
    userId: requireText(claims, 'sub'),
    username: textOf(claims, 'name') || email,
    preferredUsername: '',
    email,
    emailVerified: claims['email_verified'] === true,
    groups: asks ? await directory.groupsOf(email) : [],
  };
  return admit(identity, groups, 'wanted');
}
