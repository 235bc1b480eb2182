/** Owns the client_credentials grant (RFC 6749 §4.4): a confidential client speaks for itself. On only where it is listed. */
import { judgeScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import type { ProviderDeps } from '../provider.ts';
import { createIssuer } from './issue-tokens.ts';
import { refuse } from './token-error.ts';
import type { TokenRefusal } from './token-error.ts';
import type { TokenResponse } from './token-response.ts';

/** Those mean a person, who is not there. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['offline_access', 'federated:id']);

export async function redeemClientCredentials(
  deps: ProviderDeps,
  client: Client,
  form: URLSearchParams,
): Promise<TokenResponse | TokenRefusal> {
  if (client.public) return refuse('unauthorized_client', 'Public clients cannot use the client_credentials grant.');
  const scopes = splitScopes(form.get('scope') ?? '');
  const judgement = await judgeScopes(scopes, client, deps.findClient);
  const wrong = judgement.kind === 'ok' ? scopes.filter((scope) => FOR_PEOPLE.has(scope)) : judgement.scopes;
  if (wrong.length > 0) return refuse('invalid_scope', `Not available: ${JSON.stringify(wrong)}`);
  const identity = {
    userId: client.id,
    username: client.name,
    preferredUsername: client.name,
    email: '',
    emailVerified: false,
    groups: client.clientCredentialsGroups,
  };
  const own = scopes.filter((scope) => scope !== 'email');
  const subject = { client, identity, connectorId: '', scopes: own, nonce: '', authTimeMs: 0 };
  const { accessToken, idToken, expiresInSeconds } = await createIssuer(deps).issue(subject);
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(scopes.includes('openid') ? { id_token: idToken } : {}),
  };
}
