/** Owns the password grant (RFC 6749 §4.3): off unless a connector is named for it; every brake of the login page applies. */
import { describeError, isAppError } from '@kfctl/core';
import { connectorScopes, judgeScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import { acceptsConnector, servesGrant } from '../connectors/allowed.ts';
import type { LoginOutcome, PasswordLogin } from '../connectors/connector.ts';
import { IDENTITY_ERRORS } from '../errors.ts';
import type { ProviderDeps } from '../provider.ts';
import { mayRefresh } from './authorization-code-grant.ts';
import { createIssuer } from './issue-tokens.ts';
import { createRefreshToken } from './refresh-tokens.ts';
import { refuse, TokenRefusal } from './token-error.ts';
import type { TokenResponse } from './token-response.ts';

const DENIED = 'Invalid username or password';

export async function redeemPassword(
  deps: ProviderDeps,
  client: Client,
  form: URLSearchParams,
): Promise<TokenResponse | TokenRefusal> {
  const { config, connectors, throttle } = deps;
  const connectorId = config.oauth2.passwordConnector;
  const scopes = splitScopes(form.get('scope') ?? '');
  const problem = await findScopeProblem(deps, client, scopes);
  if (problem !== undefined) return problem;
  if (!acceptsConnector(client, connectorId)) return refuse('unauthorized_client', 'Not for this client.');
  if (!servesGrant(connectors.find(connectorId), 'password'))
    return refuse('invalid_request', 'Requested password connector does not exist.');
  const login = (await connectors.open(connectorId))?.password;
  if (login === undefined) return refuse('invalid_request', 'Requested password connector does not exist.');
  const username = form.get('username') ?? '';
  // The client stands between us and the person: its address says nothing.
  const attempt = { connectorId, username, address: undefined };
  const outcome = await throttle.inTurn(attempt, async () => {
    if (throttle.waitSeconds(attempt) > 0) return refuse('access_denied', 'Too many attempts. Try again later.', 429);
    const judged = await ask(deps, login, { username, password: form.get('password') ?? '', scopes });
    if (judged instanceof TokenRefusal) return judged;
    if (judged.kind === 'denied') throttle.failed(attempt);
    else throttle.succeeded(attempt);
    return judged;
  });
  if (outcome instanceof TokenRefusal) return outcome;
  if (outcome.kind === 'denied') return refuse('access_denied', DENIED, 401);
  return await issue(deps, client, { outcome, scopes, connectorId });
}

export async function findScopeProblem(
  { findClient }: Pick<ProviderDeps, 'findClient'>,
  client: Client,
  scopes: readonly string[],
): Promise<TokenRefusal | undefined> {
  if (!scopes.includes('openid')) return refuse('invalid_request', 'Missing required scope(s) ["openid"].');
  const judgement = await judgeScopes(scopes, client, findClient);
  if (judgement.kind === 'ok') return undefined;
  const words = judgement.kind === 'unknown' ? 'Unrecognized scope(s)' : "Client can't request scope(s)";
  return refuse('invalid_request', `${words} ${JSON.stringify(judgement.scopes)}`);
}

interface Asked {
  readonly username: string;
  readonly password: string;
  readonly scopes: readonly string[];
}

async function ask(
  { log, config }: ProviderDeps,
  login: PasswordLogin,
  { username, password, scopes }: Asked,
): Promise<LoginOutcome | TokenRefusal> {
  try {
    return await login.login({ username, password }, connectorScopes(scopes));
  } catch (error) {
    if (isAppError(error) && error.code === IDENTITY_ERRORS.busy) throw error;
    log.warn('connector failed', { connector: config.oauth2.passwordConnector, error: describeError(error) });
    return refuse('invalid_request', 'Could not login user');
  }
}

interface Granted {
  readonly outcome: Extract<LoginOutcome, { kind: 'authenticated' }>;
  readonly scopes: readonly string[];
  readonly connectorId: string;
}

async function issue(deps: ProviderDeps, client: Client, granted: Granted): Promise<TokenResponse> {
  const { outcome, scopes, connectorId } = granted;
  const subject = { client, identity: outcome.identity, connectorId, scopes, nonce: '', authTimeMs: deps.clock.now() };
  const { accessToken, idToken, expiresInSeconds } = await createIssuer(deps).issue(subject);
  const connectorData = outcome.connectorData?.toString('base64') ?? '';
  const refreshToken = (await mayRefresh(deps, granted))
    ? await createRefreshToken(deps, { ...subject, connectorData })
    : undefined;
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    id_token: idToken,
  };
}
