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
    return `${input}.${sign('sha256', bytesOf(input), how).toString('base64url')}`;
  };
}

/** More than a token with a few groups has. */
const SCRATCH_BYTES = 8_192;
/** Nobody keeps the bytes between a claim and its token; memory of their own for each would have to be collected. */
const scratch = Buffer.alloc(SCRATCH_BYTES);

function encode(json: string): string {
  // A character is three bytes of UTF-8 at most.
  if (json.length * 3 > SCRATCH_BYTES) return Buffer.from(json, 'utf8').toString('base64url');
  return scratch.toString('base64url', 0, scratch.write(json, 'utf8'));
}

function bytesOf(input: string): Buffer {
  if (input.length > SCRATCH_BYTES) return Buffer.from(input, 'latin1');
  return scratch.subarray(0, scratch.write(input, 'latin1'));
}
