/** Owns the judging of an ID token at the end of a login (OpenID Connect Core §3.1.3.7). */
import { constantTimeEqual } from '@kfctl/core';
import { audiencesOf, tokenHash } from '@kfctl/oidc';
import type { JwtClaims } from '@kfctl/oidc';
import { loginRefused } from '../errors.ts';
import { verifyProviderToken } from '../provider/verify-provider-token.ts';
import type { ProviderTokenDeps } from '../provider/verify-provider-token.ts';

export interface IdTokenExpectations {
  /** Absent where a refresh gave the token (Core §12.2). */
  readonly nonce?: string;
  readonly accessToken?: string | undefined;
}

/** The claims of the token; throws LOGIN_REFUSED with what is wrong with it. */
export async function verifyIdToken(
  deps: ProviderTokenDeps,
  token: string,
  expected: IdTokenExpectations,
): Promise<JwtClaims> {
  const verdict = await verifyProviderToken(deps, token);
  if (verdict.kind === 'invalid') throw loginRefused(403, `ID token refused: ${verdict.reason}`);
  const problem = findProblem(verdict.claims, deps.settings.clientId, expected);
  if (problem !== undefined) throw loginRefused(403, `ID token refused: ${problem}`);
  return verdict.claims;
}

function findProblem(claims: JwtClaims, clientId: string, expected: IdTokenExpectations): string | undefined {
  const { azp, sub, nonce } = claims;
  if (typeof sub !== 'string' || sub === '') return 'no subject';
  // Core §3.1.3.7 (4), (5): with several audiences the party that asked must be named, and it must be us.
  if (audiencesOf(claims).length > 1 && azp === undefined) return 'several audiences and no authorized party';
  if (azp !== undefined && azp !== clientId) return 'made for another party';
  if (expected.nonce !== undefined && !(typeof nonce === 'string' && constantTimeEqual(nonce, expected.nonce))) {
    return 'of another login (nonce)';
  }
  const { accessToken } = expected;
  const atHash = claims['at_hash'];
  if (accessToken !== undefined && atHash !== undefined && atHash !== tokenHash(accessToken))
    return 'not of this access token';
  return undefined;
}
