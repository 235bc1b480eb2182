/** Owns what is in tokens. */
import { randomToken } from '@kfctl/core';
import { encodeSubject, tokenHash } from '@kfctl/oidc';
import { audienceScopes, wantsFederatedId } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import type { Identity } from '../connectors/connector.ts';
import type { ProviderDeps } from '../provider.ts';
import { turnEnd } from './turn-end.ts';

export interface TokenSubject {
  readonly client: Pick<Client, 'id' | 'idTokenLifetime'>;
  readonly identity: Identity;
  readonly connectorId: string;
  readonly scopes: readonly string[];
  readonly nonce: string;
  /** 0 when not known. */
  readonly authTimeMs: number;
  /** The login session, where there is one. */
  readonly sid?: string;
}

export interface IssuedTokens {
  readonly accessToken: string;
  readonly idToken: string;
  readonly expiresInSeconds: number;
}

export interface TokenIssuer {
  /** The access token is a JWT with the same claims, which the userinfo endpoint and Dex's clients accept. */
  issue(subject: TokenSubject, bindings?: { readonly code?: string }): Promise<IssuedTokens>;
}

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'clock' | 'random'>;

export function createIssuer({ config, keys, clock, random }: Deps): TokenIssuer {
  return {
    issue: async (subject, { code } = {}) => {
      await turnEnd();
      const { sign } = keys.current();
      const expiresInSeconds = lifetimeSeconds(config, subject.client);
      const issuedAt = Math.floor(clock.now() / 1000);
      const claims: Claims = { iss: config.issuer };
      addSubject(claims, subject);
      claims['exp'] = issuedAt + expiresInSeconds;
      claims['iat'] = issuedAt;
      addLogin(claims, subject);
      addIdentity(claims, subject);
      // Both tokens say this; each adds what is its own, which is base64url and needs no escapes.
      const shared = JSON.stringify(claims).slice(0, -1);
      // 144 bits each; one draw for all three.
      const unique = randomToken(54, random);
      // Bound to nothing: Dex's clients see the hash of a random value here, which is as good as random.
      const accessToken = sign(`${shared},"jti":"${unique.slice(0, 24)}","at_hash":"${unique.slice(24, 48)}"}`);
      const codeHash = code === undefined ? '' : `,"c_hash":"${tokenHash(code)}"`;
      const bindings = `"jti":"${unique.slice(48)}","at_hash":"${tokenHash(accessToken)}"${codeHash}`;
      return { accessToken, idToken: sign(`${shared},${bindings}}`), expiresInSeconds };
    },
  };
}

/** Never longer than `expiry.idTokens`, for which the keys behind them are published. */
function lifetimeSeconds(
  { expiry }: Pick<ProviderDeps['config'], 'expiry'>,
  { idTokenLifetime }: TokenSubject['client'],
): number {
  const own = idTokenLifetime === 0 ? expiry.idTokens : Math.min(idTokenLifetime, expiry.idTokens);
  return Math.floor(own / 1000);
}

/** In the order in which tokens show them. */
type Claims = Record<string, unknown>;

/** OpenID Connect Core §2: several audiences need azp, the client that asked. */
function addSubject(claims: Claims, { client, identity, connectorId, scopes }: TokenSubject): void {
  claims['sub'] = encodeSubject({ userId: identity.userId, connectorId });
  const others = audienceScopes(scopes);
  if (others.every((audience) => audience === client.id)) {
    claims['aud'] = client.id;
    return;
  }
  claims['aud'] = [...new Set([...others, client.id])];
  claims['azp'] = client.id;
}

/** OpenID Connect Core §2: nonce and auth_time where they are known. */
function addLogin(claims: Claims, { nonce, authTimeMs, sid = '' }: TokenSubject): void {
  if (nonce !== '') claims['nonce'] = nonce;
  if (authTimeMs !== 0) claims['auth_time'] = Math.floor(authTimeMs / 1000);
  // OpenID Connect Back-Channel Logout §2.1.
  if (sid !== '') claims['sid'] = sid;
}

/** OpenID Connect Core §5.4: claims by scope. */
function addIdentity(claims: Claims, { identity, connectorId, scopes }: TokenSubject): void {
  const { email, emailVerified, groups, username, preferredUsername, userId } = identity;
  if (scopes.includes('email')) {
    claims['email'] = email;
    claims['email_verified'] = emailVerified;
  }
  if (scopes.includes('groups') && groups.length > 0) claims['groups'] = groups;
  if (scopes.includes('profile')) {
    if (username !== '') claims['name'] = username;
    if (preferredUsername !== '') claims['preferred_username'] = preferredUsername;
  }
  if (wantsFederatedId(scopes)) claims['federated_claims'] = { connector_id: connectorId, user_id: userId };
}
