/**
 * Owns the redirecting login that most upstreams share (RFC 6749 §4.1, RFC 7636); a connector adds where, which scopes, and
 * what the upstream's answers mean.
 *
 *   begin: verifier and nonce sealed in state ──► upstream ──► finish: code ⇄ token ──► identify: asks the upstream who it is
 */
import { AppError, constantTimeEqual, randomToken } from '@kfctl/core';
import type { Secret } from '@kfctl/core';
import { createPkcePair } from '@kfctl/oidc';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type {
  Authenticated,
  CallbackBegin,
  CallbackFinish,
  Connector,
  ConnectorScopes,
  LoginOutcome,
} from '../connector.ts';
import { readGrant, rememberGrant } from './kept-grant.ts';
import type { KeptGrant } from './kept-grant.ts';
import { exchangeToken, GrantGone } from './token-request.ts';
import type { UpstreamHttp } from './upstream-http.ts';

export interface OAuth2Endpoints {
  readonly authorization: string;
  readonly token: string;
  /** What the upstream calls itself, where it says so in its answers (RFC 9207). */
  readonly issuer?: string;
}

export interface OAuth2Grant {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
}

export interface OAuth2Upstream {
  readonly clientID: string;
  readonly clientSecret: Secret;
  readonly redirectURI: string;
  /** How the client proves itself at the token endpoint; `form` unless given. */
  readonly authentication?: 'form' | 'basic';
  /** More parameters of each token request (a client assertion instead of a secret). */
  readonly tokenParameters?: () => Readonly<Record<string, string>>;
  readonly pkce: boolean;
  readonly http: UpstreamHttp;
  endpoints(): Promise<OAuth2Endpoints>;
  scopes(asked: ConnectorScopes): readonly string[];
  readonly authorizationParameters?: (asked: ConnectorScopes) => Readonly<Record<string, string>>;
  /** Asks the upstream who the holder of the token is. `nonce` is the one of this login, absent on a refresh. */
  identify(
    grant: OAuth2Grant,
    login: { readonly scopes: ConnectorScopes; readonly nonce: string | undefined },
  ): Promise<LoginOutcome>;
  /** False where the upstream's people cannot be asked for again. */
  readonly refreshes: boolean;
}

export function createOAuth2Connector(upstream: OAuth2Upstream): Connector {
  return {
    callback: {
      begin: (request) => begin(upstream, request),
      finish: (request) => finish(upstream, request),
    },
    ...(upstream.refreshes ? { refresh: { refresh: (known, scopes) => refresh(upstream, known, scopes) } } : {}),
    close: () => Promise.resolve(upstream.http.close()),
  };
}

async function begin(
  upstream: OAuth2Upstream,
  { seal, scopes, loginHint }: CallbackBegin,
): Promise<{ location: string }> {
  const { authorization } = await upstream.endpoints();
  const { verifier, challenge } = createPkcePair();
  const nonce = randomToken();
  const url = new URL(authorization);
  const parameters = {
    client_id: upstream.clientID,
    redirect_uri: upstream.redirectURI,
    response_type: 'code',
    scope: upstream.scopes(scopes).join(' '),
    state: seal({ verifier, nonce }),
    ...(upstream.pkce ? { code_challenge: challenge, code_challenge_method: 'S256' } : {}),
    ...(loginHint === undefined ? {} : { login_hint: loginHint }),
    ...(upstream.scopes(scopes).includes('openid') ? { nonce } : {}),
    ...upstream.authorizationParameters?.(scopes),
  };
  for (const [name, value] of Object.entries(parameters)) if (value !== '') url.searchParams.set(name, value);
  return { location: url.href };
}

async function finish(upstream: OAuth2Upstream, { query, carried, scopes }: CallbackFinish): Promise<LoginOutcome> {
  const error = query.get('error');
  if (error !== null)
    throw refused(`the upstream answered ${printable(error)}: ${printable(query.get('error_description') ?? '')}`);
  const code = query.get('code') ?? '';
  if (code === '') throw refused('the upstream sent no code');
  const endpoints = await upstream.endpoints();
  requireIssuer(query, endpoints);
  const { verifier = '', nonce = '' } = carried;
  const grant = await exchangeToken(upstream, endpoints.token, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: upstream.redirectURI,
    ...(upstream.pkce ? { code_verifier: verifier } : {}),
  });
  const outcome = await upstream.identify(grant, { scopes, nonce });
  return upstream.refreshes ? remember(outcome, grant) : outcome;
}

/** RFC 9207 §2.4: an answer that names another upstream than the one the login began at is a mix-up. */
function requireIssuer(query: URLSearchParams, { issuer }: OAuth2Endpoints): void {
  const named = query.get('iss');
  if (named !== null && issuer !== undefined && !constantTimeEqual(named, issuer))
    throw refused('the answer comes from another upstream');
}

function remember(outcome: LoginOutcome, grant: KeptGrant): LoginOutcome {
  return outcome.kind === 'denied' ? outcome : { ...outcome, connectorData: rememberGrant(grant) };
}

async function refresh(upstream: OAuth2Upstream, known: Authenticated, scopes: ConnectorScopes): Promise<LoginOutcome> {
  const kept = readGrant(known.connectorData);
  if (kept === undefined) return { kind: 'denied', reason: 'the upstream gave no token to ask with again' };
  try {
    const grant = await renew(upstream, kept);
    const outcome = await upstream.identify(grant, { scopes, nonce: undefined });
    if (outcome.kind === 'authenticated' && outcome.identity.userId !== known.identity.userId) {
      return { kind: 'denied', reason: 'the upstream answered for another person' };
    }
    return remember(outcome, grant);
  } catch (error) {
    if (error instanceof GrantGone) return { kind: 'denied', reason: error.message };
    throw error;
  }
}

// Upstreams without refresh tokens give access tokens that last until they are withdrawn.
async function renew(upstream: OAuth2Upstream, kept: KeptGrant): Promise<OAuth2Grant> {
  if (kept.refreshToken === undefined) return { ...kept, idToken: undefined };
  const { token } = await upstream.endpoints();
  const grant = await exchangeToken(upstream, token, { grant_type: 'refresh_token', refresh_token: kept.refreshToken });
  return { ...grant, refreshToken: grant.refreshToken ?? kept.refreshToken };
}

function printable(text: string): string {
  return text.slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?');
}

function refused(message: string): AppError {
  return new AppError(IDENTITY_ERRORS.connectorFailed, message);
}
