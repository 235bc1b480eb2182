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

/** Signs claims; the header holds alg and kid, and typ where one is given. */
export function signJwt(claims: object, key: SigningKey, typ?: string): string {
  return createJwtSigner(key, typ)(JSON.stringify(claims));
}

/** Signs JSON texts with one key, whose header is made once. Synchronous: a thread hop costs more than a P-256 signature. */
export function createJwtSigner({ alg, kid, key }: SigningKey, typ?: string): (json: string) => string {
  const header = encode(JSON.stringify(typ === undefined ? { alg, kid } : { alg, kid, typ }));
  // RFC 7518 §3.4: an ECDSA signature is R || S, not DER.
  const how = alg === 'ES256' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key;
  return (json) => {
    const input = `${header}.${encode(json)}`;
    return `${input}.${sign('sha256', Buffer.from(input, 'latin1'), how).toString('base64url')}`;
  };
}

function encode(json: string): string {
  return Buffer.from(json, 'utf8').toString('base64url');
}
