/** Owns at_hash and c_hash. */

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { hash } = process.getBuiltinModule('node:crypto');

/** The left half of the SHA-256 of a token or code (OpenID Connect Core §3.1.3.6, §3.3.2.11); right for RS256 and ES256. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'buffer').subarray(0, 16).toString('base64url');
}
