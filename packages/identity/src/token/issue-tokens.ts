/** Owns what is in tokens. */
import { randomToken } from '@kfctl/core';
import { encodeSubject, tokenHash } from '@kfctl/oidc';
import { audienceScopes, wantsFederatedId } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import type { Identity } from '../connectors/connector.ts';
import type { ProviderDeps } from '../provider.ts';

export interface TokenSubject {
  readonly client: Pick<Client, 'id'>;
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
  issue(subject: TokenSubject, bindings?: { readonly code?: string }): IssuedTokens;
}

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'clock' | 'random'>;

export function createIssuer({ config, keys, clock, random }: Deps): TokenIssuer {
  return {
    issue: (subject, { code } = {}) => {
      const { sign } = keys.current();
      const expiresInSeconds = Math.floor(config.expiry.idTokens / 1000);
      const issuedAt = Math.floor(clock.now() / 1000);
      const times = { exp: issuedAt + expiresInSeconds, iat: issuedAt };
      const shared = JSON.stringify({
        iss: config.issuer,
        ...subjectClaims(subject),
        ...times,
        ...loginClaims(subject),
      });
      // 144 bits each; one draw for all three.
      const unique = randomToken(54, random);
      // Bound to nothing: Dex's clients see the hash of a random value here, which is as good as random.
      const own = { jti: unique.slice(0, 24), at_hash: unique.slice(24, 48) };
      const accessToken = sign(withClaims(shared, own));
      const bindings = { jti: unique.slice(48), at_hash: tokenHash(accessToken) };
      const idToken = sign(
        withClaims(shared, code === undefined ? bindings : { ...bindings, c_hash: tokenHash(code) }),
      );
      return { accessToken, idToken, expiresInSeconds };
    },
  };
}

/** Adds members to the JSON of an object that has some. */
function withClaims(json: string, more: object): string {
  return `${json.slice(0, -1)},${JSON.stringify(more).slice(1)}`;
}

/** OpenID Connect Core §2 and §5.4: nonce and auth_time where they are known, then claims by scope. */
function loginClaims(subject: TokenSubject): object {
  const { nonce, authTimeMs, sid = '' } = subject;
  return {
    ...(nonce === '' ? {} : { nonce }),
    ...(authTimeMs === 0 ? {} : { auth_time: Math.floor(authTimeMs / 1000) }),
    // OpenID Connect Back-Channel Logout §2.1.
    ...(sid === '' ? {} : { sid }),
    ...identityClaims(subject),
  };
}

/** OpenID Connect Core §2: several audiences need azp, the client that asked. */
function subjectClaims({ client, identity, connectorId, scopes }: TokenSubject): object {
  const sub = encodeSubject({ userId: identity.userId, connectorId });
  const others = audienceScopes(scopes);
  if (others.every((audience) => audience === client.id)) return { sub, aud: client.id };
  return { sub, aud: [...new Set([...others, client.id])], azp: client.id };
}

/** OpenID Connect Core §5.4: claims by scope. */
function identityClaims({ identity, connectorId, scopes }: TokenSubject): object {
  const { email, emailVerified, groups, username, preferredUsername, userId } = identity;
  return {
    ...(scopes.includes('email') ? { email, email_verified: emailVerified } : {}),
    ...(scopes.includes('groups') && groups.length > 0 ? { groups } : {}),
    ...(scopes.includes('profile') && username !== '' ? { name: username } : {}),
    ...(scopes.includes('profile') && preferredUsername !== '' ? { preferred_username: preferredUsername } : {}),
    ...(wantsFederatedId(scopes) ? { federated_claims: { connector_id: connectorId, user_id: userId } } : {}),
  };
}
