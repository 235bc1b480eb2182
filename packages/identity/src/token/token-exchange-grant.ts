/** Owns token exchange (RFC 8693): a token of an upstream provider for one of ours. */
import { describeError } from '@kfctl/core';
import { judgeScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import { EXCHANGE_GRANT } from '../config/oauth2-section.ts';
import { acceptsConnector, servesGrant } from '../connectors/allowed.ts';
import type { LoginOutcome } from '../connectors/connector.ts';
import type { ProviderDeps } from '../provider.ts';
import { createIssuer } from './issue-tokens.ts';
import { refuse, TokenRefusal } from './token-error.ts';
import type { TokenResponse } from './token-response.ts';

const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

export async function exchangeToken(
  deps: ProviderDeps,
  client: Client,
  form: URLSearchParams,
): Promise<TokenResponse | TokenRefusal> {
  const subjectType = form.get('subject_token_type') ?? '';
  const requested = form.get('requested_token_type') ?? ACCESS_TOKEN;
  if (![subjectType, requested].every((type) => type === ID_TOKEN || type === ACCESS_TOKEN)) {
    return refuse('request_not_supported', 'Only access tokens and ID tokens can be exchanged.');
  }
  const token = form.get('subject_token') ?? '';
  const connectorId = form.get('connector_id') ?? '';
  if (token === '' || connectorId === '')
    return refuse('invalid_request', 'subject_token and connector_id are required.');
  const scopes = splitScopes(form.get('scope') ?? '');
  const judgement = await judgeScopes(scopes, client, deps.findClient);
  if (judgement.kind !== 'ok') return refuse('invalid_scope', `Not available: ${JSON.stringify(judgement.scopes)}`);
  // Dex advisory GHSA-7qjx-gp9h-65qj: a client tied to some connectors is tied here too.
  const served =
    acceptsConnector(client, connectorId) && servesGrant(deps.connectors.find(connectorId), EXCHANGE_GRANT);
  if (!served) return refuse('invalid_request', 'Requested connector does not exist.');
  const outcome = await identify(deps, connectorId, { token, type: subjectType });
  if (outcome instanceof TokenRefusal) return outcome;
  const subject = { client, identity: outcome.identity, connectorId, scopes, nonce: '', authTimeMs: 0 };
  const { accessToken, idToken, expiresInSeconds } = await createIssuer(deps).issue(subject);
  return {
    access_token: requested === ID_TOKEN ? idToken : accessToken,
    issued_token_type: requested,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
  };
}

interface SubjectToken {
  readonly token: string;
  readonly type: string;
}

async function identify(
  { connectors, log }: ProviderDeps,
  connectorId: string,
  { token, type }: SubjectToken,
): Promise<Extract<LoginOutcome, { kind: 'authenticated' }> | TokenRefusal> {
  const ability = (await connectors.open(connectorId))?.tokenIdentity;
  if (ability === undefined) return refuse('invalid_request', 'Requested connector does not exist.');
  try {
    const outcome = await ability.identify(token, type);
    return outcome.kind === 'authenticated' ? outcome : refuse('access_denied', '', 401);
  } catch (error) {
    log.info('token exchange refused', { connector: connectorId, error: describeError(error) });
    return refuse('access_denied', '', 401);
  }
}
