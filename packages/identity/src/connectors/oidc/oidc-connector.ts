/**
 * Owns the connector `oidc`: people log in at another OpenID Connect provider.
 *
 *   begin: state, nonce and PKCE verifier sealed ──► upstream ──► finish: code ⇄ tokens, checked ──► claims ──► identity
 */
import { AppError } from '@kfctl/core';
import { importJwkSet, verifyJwt } from '@kfctl/oidc';
import type { IDToken } from 'openid-client';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type {
  Authenticated,
  CallbackBegin,
  CallbackFinish,
  Connector,
  ConnectorDeps,
  ConnectorType,
  LoginOutcome,
  LogoutBegin,
  LogoutStart,
} from '../connector.ts';
import { oidcSchema } from './oidc-config.ts';
import type { OidcConfig } from './oidc-config.ts';
import { readUpstream } from './read-claims.ts';
import type { UpstreamClaims } from './read-claims.ts';
import { discoverUpstream } from './upstream.ts';
import type { Upstream } from './upstream.ts';

export const oidc: ConnectorType<OidcConfig> = {
  type: 'oidc',
  schema: oidcSchema,
  open: (config, deps) => Promise.resolve(createOidcConnector(config, deps)),
};

type Reach = () => Promise<Upstream>;

function createOidcConnector(config: OidcConfig, { clock }: ConnectorDeps): Connector {
  // Asked when first needed and again after a failure: a provider that is down stops nobody else.
  let upstream: Promise<Upstream> | undefined;
  const reach: Reach = () => {
    upstream ??= discoverUpstream(config).catch((error: unknown) => {
      upstream = undefined;
      throw error;
    });
    return upstream;
  };
  return {
    callback: {
      begin: (request) => begin(reach, config, request),
      finish: (request) => finish(reach, config, request),
    },
    refresh: { refresh: (known) => refresh(reach, config, known) },
    logout: { begin: (request) => beginLogout(reach, config, request) },
    tokenIdentity: { identify: (token, type) => identify(reach, config, { token, type, nowMs: clock.now() }) },
  };
}

async function begin(
  reach: Reach,
  config: OidcConfig,
  { seal, scopes, loginHint, reauthenticate = false }: CallbackBegin,
): Promise<{ location: string }> {
  const { library, configuration } = await reach();
  const verifier = library.randomPKCECodeVerifier();
  const nonce = library.randomNonce();
  const offline = scopes.offlineAccess;
  // OpenID Connect Core §3.1.2.1: words side by side.
  const prompt = [reauthenticate ? 'login' : '', offline ? (config.promptType ?? 'consent') : ''].join(' ').trim();
  const url = library.buildAuthorizationUrl(configuration, {
    redirect_uri: config.redirectURI,
    scope: ['openid', ...config.scopes, ...(offline ? ['offline_access'] : [])].join(' '),
    state: seal({ verifier, nonce }),
    nonce,
    code_challenge: await library.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...(config.acrValues.length > 0 ? { acr_values: config.acrValues.join(' ') } : {}),
    ...(prompt === '' ? {} : { prompt }),
    ...(offline && config.promptType !== '' ? { access_type: 'offline' } : {}),
    ...(loginHint === undefined ? {} : { login_hint: loginHint }),
  });
  return { location: url.href };
}

async function finish(reach: Reach, config: OidcConfig, { query, carried }: CallbackFinish): Promise<LoginOutcome> {
  const error = query.get('error');
  if (error !== null) throw failed(`the provider answered ${error}: ${query.get('error_description') ?? ''}`);
  const { library, configuration } = await reach();
  const { verifier = '', nonce = '' } = carried;
  const url = new URL(config.redirectURI);
  url.search = query.toString();
  const tokens = await library.authorizationCodeGrant(configuration, url, {
    pkceCodeVerifier: verifier,
    expectedNonce: nonce,
    expectedState: query.get('state') ?? '',
    idTokenExpected: true,
  });
  const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken = '' } = tokens;
  const outcome = await readTokens(reach, config, { accessToken, refreshToken, claims: tokens.claims() });
  const keeps = outcome.kind === 'authenticated' && (await endSessionOf(reach)) !== undefined;
  return keeps && idToken.length <= MAX_HINT_CHARACTERS ? { ...outcome, logoutHint: idToken } : outcome;
}

/** It travels in the address of the logout. */
const MAX_HINT_CHARACTERS = 6000;

async function endSessionOf(reach: Reach): Promise<string | undefined> {
  const { configuration } = await reach();
  return configuration.serverMetadata().end_session_endpoint;
}

/** OpenID Connect RP-Initiated Logout §2, as a client of the other provider. */
async function beginLogout(
  reach: Reach,
  config: OidcConfig,
  { hint, state }: LogoutBegin,
): Promise<LogoutStart | undefined> {
  if ((await endSessionOf(reach)) === undefined) return undefined;
  const { library, configuration } = await reach();
  const back = logoutCallback(config.redirectURI);
  const url = library.buildEndSessionUrl(configuration, {
    ...(back === undefined ? {} : { post_logout_redirect_uri: back, state }),
    ...(hint === '' ? {} : { id_token_hint: hint }),
  });
  return { location: url.href };
}

/** Beside the callback of logins, whose public address we know. */
function logoutCallback(redirectUri: string): string | undefined {
  const url = new URL(redirectUri);
  const path = /^(.*)\/callback(?:\/[^/]*)?$/.exec(url.pathname)?.[1];
  return path === undefined ? undefined : `${url.origin}${path}/logout/callback`;
}

interface Answer {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly claims: IDToken | undefined;
}

async function readTokens(
  reach: Reach,
  config: OidcConfig,
  { accessToken, refreshToken, claims }: Answer,
): Promise<LoginOutcome> {
  const sub = claims?.sub;
  const info = config.getUserInfo || claims === undefined ? await userInfo(reach, accessToken, sub) : {};
  const outcome = readUpstream({ ...claims, ...info }, config);
  if (outcome.kind === 'denied' || refreshToken === undefined) return outcome;
  // The shape is Dex's, so that its refresh tokens go on working.
  const data = { RefreshToken: Buffer.from(refreshToken).toString('base64') };
  return { ...outcome, connectorData: Buffer.from(JSON.stringify(data)) };
}

/** OpenID Connect Core §5.3.2: userinfo of another subject must not be used; the library compares. */
async function userInfo(reach: Reach, accessToken: string, sub: string | undefined): Promise<UpstreamClaims> {
  const { library, configuration } = await reach();
  return await library.fetchUserInfo(configuration, accessToken, sub ?? library.skipSubjectCheck);
}

async function refresh(
  reach: Reach,
  config: OidcConfig,
  { connectorData, identity }: Authenticated,
): Promise<LoginOutcome> {
  const token = readRefreshToken(connectorData);
  if (token === undefined) return { kind: 'denied', reason: 'the provider gave no refresh token' };
  const { library, configuration } = await reach();
  let tokens;
  try {
    tokens = await library.refreshTokenGrant(configuration, token);
  } catch (error) {
    const gone = error instanceof library.ResponseBodyError && error.error === 'invalid_grant';
    if (gone) return { kind: 'denied', reason: 'the provider no longer takes the refresh token' };
    throw error;
  }
  const { access_token: accessToken, refresh_token: next = token } = tokens;
  const outcome = await readTokens(reach, config, { accessToken, refreshToken: next, claims: tokens.claims() });
  if (outcome.kind === 'authenticated' && outcome.identity.userId !== identity.userId) {
    return { kind: 'denied', reason: 'the provider answered for another person' };
  }
  return outcome;
}

function readRefreshToken(data: Buffer | undefined): string | undefined {
  try {
    const { RefreshToken } = JSON.parse(data?.toString('utf8') ?? '') as { RefreshToken?: unknown };
    return typeof RefreshToken === 'string' ? Buffer.from(RefreshToken, 'base64').toString('utf8') : undefined;
  } catch {
    return undefined;
  }
}

interface Presented {
  readonly token: string;
  readonly type: string;
  readonly nowMs: number;
}

/** RFC 8693: an access token is worth what userinfo says of it, an ID token what its signature and audience prove. */
async function identify(reach: Reach, config: OidcConfig, { token, type, nowMs }: Presented): Promise<LoginOutcome> {
  if (!type.endsWith(':id_token')) return readUpstream(await userInfo(reach, token, undefined), config);
  const { library, configuration } = await reach();
  const { jwks_uri: jwksUri = '', issuer } = configuration.serverMetadata();
  const load = configuration[library.customFetch] ?? fetch;
  const options = { method: 'GET', headers: {}, body: null, redirect: 'manual' as const };
  const keys = importJwkSet(await (await load(jwksUri, options)).json()) ?? [];
  const verdict = verifyJwt(token, { keys, issuer, audience: config.clientID, nowMs, toleranceSeconds: 30 });
  if (verdict.kind === 'invalid') return { kind: 'denied', reason: verdict.reason };
  return readUpstream(verdict.claims, config);
}

function failed(message: string): AppError {
  return new AppError(IDENTITY_ERRORS.connectorFailed, `oidc: ${message.slice(0, 300)}`);
}
