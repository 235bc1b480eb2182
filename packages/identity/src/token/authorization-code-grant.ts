/** Owns the redemption of codes (RFC 6749 §4.1.3, OpenID Connect Core §3.1.3). */
import { isPkceMethod, verifyPkce } from '@kfctl/oidc';
import { codeId } from '../authorize/complete.ts';
import { servesGrant } from '../connectors/allowed.ts';
import type { Client } from '../clients/find-client.ts';
import type { ProviderDeps } from '../provider.ts';
import type { AuthCode } from '../storage/records.ts';
import { createIssuer } from './issue-tokens.ts';
import { createRefreshToken } from './refresh-tokens.ts';
import { refuse } from './token-error.ts';
import type { TokenRefusal } from './token-error.ts';
import type { TokenResponse } from './token-response.ts';

export interface CodePresentation {
  readonly client: Client;
  readonly code: AuthCode;
  readonly redirectUri: string;
  readonly codeVerifier: string;
  readonly nowMs: number;
}

type Rule = (presented: CodePresentation) => TokenRefusal | undefined;

/** In order; the first broken one is the answer. */
export const CODE_RULES: readonly Rule[] = [requireOwnCode, requireLiveCode, requirePkce, requireSameRedirect];

/** The code is taken out of the storage before anything else: whatever follows, it cannot be used again (RFC 9700 §4.5). */
export async function redeemCode(
  deps: ProviderDeps,
  client: Client,
  form: URLSearchParams,
): Promise<TokenResponse | TokenRefusal> {
  const presented = form.get('code') ?? '';
  if (presented === '') return refuse('invalid_request', 'Required param: code.');
  const code = await deps.storage.take('authCode', codeId(presented));
  if (code === undefined) return refuse('invalid_grant', 'Invalid or expired code parameter.');
  const presentation: CodePresentation = {
    client,
    code,
    redirectUri: form.get('redirect_uri') ?? '',
    codeVerifier: form.get('code_verifier') ?? '',
    nowMs: deps.clock.now(),
  };
  for (const rule of CODE_RULES) {
    const refusal = rule(presentation);
    if (refusal !== undefined) return refusal;
  }
  return await issueForCode(deps, client, { code, presented });
}

/** RFC 6749 §4.1.3: the code was issued to this client. */
function requireOwnCode({ code, client }: CodePresentation): TokenRefusal | undefined {
  return code.clientId === client.id ? undefined : refuse('invalid_grant', 'Invalid or expired code parameter.');
}

function requireLiveCode({ code, nowMs }: CodePresentation): TokenRefusal | undefined {
  return nowMs < code.expiresAt ? undefined : refuse('invalid_grant', 'Invalid or expired code parameter.');
}

/** RFC 7636 §4.6; RFC 9700 §2.1.1: a verifier without a challenge is a downgrade. */
function requirePkce({ code, codeVerifier }: CodePresentation): TokenRefusal | undefined {
  if (code.codeChallenge === '') {
    return codeVerifier === ''
      ? undefined
      : refuse('invalid_request', 'No PKCE flow started. Cannot check code_verifier.');
  }
  if (codeVerifier === '') return refuse('invalid_grant', 'Expecting parameter code_verifier in PKCE flow.');
  const method = code.codeChallengeMethod === '' ? 'plain' : code.codeChallengeMethod;
  const proven = isPkceMethod(method) && verifyPkce(codeVerifier, code.codeChallenge, method);
  return proven ? undefined : refuse('invalid_grant', 'Invalid code_verifier.');
}

/** RFC 6749 §4.1.3: identical to the one of the authorization request. */
function requireSameRedirect({ code, redirectUri }: CodePresentation): TokenRefusal | undefined {
  if (code.redirectUri === redirectUri) return undefined;
  return refuse('invalid_request', 'redirect_uri did not match URI from initial request.');
}

interface Redeemed {
  readonly code: AuthCode;
  readonly presented: string;
}

/** The tokens behind a code that has been taken and judged. */
export async function issueForCode(
  deps: ProviderDeps,
  client: Client,
  { code, presented }: Redeemed,
): Promise<TokenResponse> {
  const subject = { ...code, client, identity: code.claims };
  const { accessToken, idToken, expiresInSeconds } = await createIssuer(deps).issue(subject, { code: presented });
  const kept = { ...subject, sessionEndsAt: sessionEndOf(deps.config, client, code) };
  const refreshToken = (await mayRefresh(deps, code)) ? await createRefreshToken(deps, kept) : undefined;
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    id_token: idToken,
  };
}

/** 0 for tokens that live by themselves. A session that ends earlier, by logout, takes its tokens with it. */
function sessionEndOf(
  { sessions }: ProviderDeps['config'],
  client: Client,
  { sid = '', authTimeMs }: AuthCode,
): number {
  if (client.refreshTokenLifetime !== 'session' || sid === '' || sessions === undefined) return 0;
  return authTimeMs + sessions.absoluteLifetime;
}

/** OpenID Connect Core §11: only for offline_access; and only where the identity can be asked for again. */
export async function mayRefresh(
  { config, connectors }: Pick<ProviderDeps, 'config' | 'connectors'>,
  { scopes, connectorId }: { readonly scopes: readonly string[]; readonly connectorId: string },
): Promise<boolean> {
  if (!scopes.includes('offline_access') || !config.oauth2.grantTypes.has('refresh_token')) return false;
  if (!servesGrant(connectors.find(connectorId), 'refresh_token')) return false;
  return (await connectors.open(connectorId))?.refresh !== undefined;
}
