/** Owns at_hash and c_hash. */

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { hash } = process.getBuiltinModule('node:crypto');

/** Base64url digits by their value, one for each sixteen. */
const SIXTEENTHS = 'AQgw';
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The left half of the SHA-256 of a token or code (OpenID Connect Core §3.1.3.6, §3.3.2.11); right for RS256 and ES256. */
export function tokenHash(token: string): string {
  const whole = hash('sha256', token, 'base64url');
  // 128 bits: 21 digits, and the first two bits of another. Cut as text: bytes of its own for each hash cost more than the hash.
  return whole.slice(0, 21) + SIXTEENTHS.charAt(DIGITS.indexOf(whole.charAt(21)) >> 4);
}
