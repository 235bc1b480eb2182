/** Owns the making of signed tokens (RFC 7515 compact form). */
import type { KeyObject } from 'node:crypto';
import type { SignatureAlgorithm } from '../jwk/jwk.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { sign } = process.getBuiltinModule('node:crypto');

export interface SigningKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
}

/** Signs claims; the header holds alg and kid, and typ where one is given. Synchronous: a thread hop costs more than a P-256 signature. */
export function signJwt(claims: object, key: SigningKey, typ?: string): string {
  const header = typ === undefined ? { alg: key.alg, kid: key.kid } : { alg: key.alg, kid: key.kid, typ };
  const input = `${encode(header)}.${encode(claims)}`;
  // RFC 7518 §3.4: an ECDSA signature is R || S, not DER. RSA ignores the setting.
  const signature = sign('sha256', Buffer.from(input), { key: key.key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
