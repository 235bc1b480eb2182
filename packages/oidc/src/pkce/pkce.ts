/** Owns Proof Key for Code Exchange (RFC 7636). */
import { constantTimeEqual, randomToken, systemRandom } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export const PKCE_METHODS = ['S256', 'plain'] as const;
export type PkceMethod = (typeof PKCE_METHODS)[number];

export interface PkcePair {
  readonly verifier: string;
  readonly challenge: string;
  readonly method: PkceMethod;
}

/** RFC 7636 §4.1 and §4.2: verifiers and challenges share one alphabet and length. */
const UNRESERVED = /^[\w.~-]{43,128}$/;

export function isPkceMethod(value: string): value is PkceMethod {
  return value === 'S256' || value === 'plain';
}

export function isCodeVerifier(value: string): boolean {
  return UNRESERVED.test(value);
}

export function isCodeChallenge(value: string): boolean {
  return UNRESERVED.test(value);
}

/** A fresh verifier of 256 bits and its S256 challenge. */
export function createPkcePair(random: RandomBytes = systemRandom): PkcePair {
  const verifier = randomToken(32, random);
  return { verifier, challenge: challengeOf(verifier, 'S256'), method: 'S256' };
}

/** RFC 7636 §4.6: whether the verifier is the one behind the challenge. */
export function verifyPkce(verifier: string, challenge: string, method: PkceMethod): boolean {
  return isCodeVerifier(verifier) && constantTimeEqual(challengeOf(verifier, method), challenge);
}

function challengeOf(verifier: string, method: PkceMethod): string {
  return method === 'plain' ? verifier : createHash('sha256').update(verifier, 'ascii').digest('base64url');
}
