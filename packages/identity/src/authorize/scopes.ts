/** Owns scopes: which exist, what they ask for, and which audiences they add. */
import type { ConnectorScopes } from '../connectors/connector.ts';
import type { Client, FindClient } from '../clients/find-client.ts';

export const SCOPES = ['openid', 'email', 'groups', 'profile', 'offline_access'] as const;

const FEDERATED = 'federated:id';
const AUDIENCE_PREFIX = 'audience:server:client_id:';

/** RFC 6749 §3.3; any run of white space divides, as in Dex. */
export function splitScopes(text: string): readonly string[] {
  return text.split(/\s+/).filter((scope) => scope !== '');
}

export function connectorScopes(scopes: readonly string[]): ConnectorScopes {
  return { groups: scopes.includes('groups'), offlineAccess: scopes.includes('offline_access') };
}

/** The clients that a token is meant for besides the one that asks, in the order of the scopes. */
export function audienceScopes(scopes: readonly string[]): readonly string[] {
  return scopes
    .filter((scope) => scope.startsWith(AUDIENCE_PREFIX))
    .map((scope) => scope.slice(AUDIENCE_PREFIX.length));
}

export type ScopeJudgement =
  | { readonly kind: 'ok' }
  | { readonly kind: 'unknown'; readonly scopes: readonly string[] }
  /** Audiences of clients that do not trust the asking one. */
  | { readonly kind: 'untrusted'; readonly scopes: readonly string[] };

/** Whether the client may ask for these scopes (Dex's cross-client trust: the peer lists the asking client). */
export async function judgeScopes(
  scopes: readonly string[],
  client: Client,
  find: FindClient,
): Promise<ScopeJudgement> {
  const unknown = scopes.filter((scope) => !isKnown(scope));
  if (unknown.length > 0) return { kind: 'unknown', scopes: unknown };
  const untrusted: string[] = [];
  for (const audience of audienceScopes(scopes)) {
    const trusted = audience === client.id || (await find(audience))?.trustedPeers.includes(client.id) === true;
    if (!trusted) untrusted.push(AUDIENCE_PREFIX + audience);
  }
  return untrusted.length > 0 ? { kind: 'untrusted', scopes: untrusted } : { kind: 'ok' };
}

export function wantsFederatedId(scopes: readonly string[]): boolean {
  return scopes.includes(FEDERATED);
}

function isKnown(scope: string): boolean {
  return (SCOPES as readonly string[]).includes(scope) || scope === FEDERATED || scope.startsWith(AUDIENCE_PREFIX);
}
