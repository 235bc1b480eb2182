/** Owns turning an authorization code into verified claims: token request, ID token, userinfo. */
import type { Clock, Logger, Secret } from '@kfctl/core';
import { describeError } from '@kfctl/core';
import type { JwtClaims } from '@kfctl/oidc';
import { loginRefused, providerFailed } from '../errors.ts';
import { requireJsonObject } from '../provider/provider-http.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import { clientCredentials } from './client-credentials.ts';
import { fetchUserinfo } from './fetch-userinfo.ts';
import { verifyIdToken } from './verify-id-token.ts';

export interface RedeemDeps {
  readonly provider: Pick<Provider, 'requireMetadata' | 'keys'>;
  readonly http: ProviderHttp;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: {
    readonly clientId: string;
    readonly clientSecret: Secret;
    readonly redirectUri: string;
    readonly userIdClaim: string;
    readonly useUserinfo: boolean;
    readonly strictValidation: boolean;
  };
}

export interface CodeGrant {
  readonly code: string;
  readonly codeVerifier: string;
  readonly nonce: string;
}

/** RFC 6749 §5.1 and Core §3.1.3.3. */
export interface TokenAnswer {
  readonly idToken: string | undefined;
  readonly accessToken: string | undefined;
  readonly refreshToken: string | undefined;
  readonly expiresInSeconds: number | undefined;
}

export interface Redeemed {
  /** Of the ID token, completed from userinfo. */
  readonly claims: JwtClaims;
  readonly tokens: TokenAnswer;
}

/** Throws LOGIN_REFUSED when somebody must not get in, PROVIDER_FAILED when the provider is the trouble. */
export async function redeemCode(deps: RedeemDeps, grant: CodeGrant): Promise<Redeemed> {
  const { settings } = deps;
  const tokens = await requestTokens(deps, {
    grant_type: 'authorization_code',
    code: grant.code,
    redirect_uri: settings.redirectUri,
    code_verifier: grant.codeVerifier,
  });
  if (tokens.idToken === undefined) throw providerFailed('the token endpoint gave no ID token');
  const { nonce } = grant;
  const idClaims = await verifyIdToken(deps, tokens.idToken, { nonce, accessToken: tokens.accessToken });
  const userinfo = await completeClaims(deps, tokens.accessToken, idClaims);
  // Core §5.3.2: userinfo about somebody else must not be used. What was signed goes before what was not.
  if (userinfo !== undefined && userinfo['sub'] !== idClaims['sub']) {
    throw loginRefused(403, 'userinfo is of another subject than the ID token');
  }
  return { claims: { ...userinfo, ...idClaims }, tokens };
}

async function completeClaims(
  deps: RedeemDeps,
  accessToken: string | undefined,
  idClaims: JwtClaims,
): Promise<JwtClaims | undefined> {
  try {
    return await fetchUserinfo(deps, accessToken);
  } catch (error) {
    // Without it a person may have fewer groups, never more; without a name there is no login.
    if (idClaims[deps.settings.userIdClaim] === undefined) throw error;
    deps.log.warn('userinfo not available, using the ID token alone', { error: describeError(error) });
    return undefined;
  }
}

/** RFC 6749 §4.1.3, §6; RFC 7636 §4.5. A grant that the provider refuses throws LOGIN_REFUSED. */
export async function requestTokens(
  deps: Pick<RedeemDeps, 'provider' | 'http' | 'settings'>,
  grant: Readonly<Record<string, string>>,
): Promise<TokenAnswer> {
  const metadata = deps.provider.requireMetadata();
  const { headers, form } = clientCredentials(deps.settings, metadata);
  const response = await deps.http.send({
    method: 'POST',
    url: metadata.tokenEndpoint,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...grant, ...form }).toString(),
  });
  if (response.status === 400) throw loginRefused(400, `the provider refused the grant: ${errorCodeOf(response.text)}`);
  const answer = requireJsonObject(response, 'the token endpoint');
  const text = (name: string): string | undefined => {
    const value = answer[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const expiresIn = Number(answer['expires_in']);
  return {
    idToken: text('id_token'),
    accessToken: text('access_token'),
    refreshToken: text('refresh_token'),
    expiresInSeconds: expiresIn > 0 && Number.isFinite(expiresIn) ? expiresIn : undefined,
  };
}

/** The error code of RFC 6749 §5.2, fit for a log. */
function errorCodeOf(body: string): string {
  return /"error"\s*:\s*"([a-z_]{1,40})"/.exec(body)?.[1] ?? 'no reason given';
}
