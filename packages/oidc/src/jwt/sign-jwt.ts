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
  // Nobody keeps the bytes that are signed; memory of their own for each token would have to be collected.
  const scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  const bytesOf = (input: string): Buffer =>
    input.length > SCRATCH_BYTES ? Buffer.from(input, 'latin1') : scratch.subarray(0, scratch.write(input, 'latin1'));
  return (json) => {
    const input = `${header}.${encode(json)}`;
    return `${input}.${sign('sha256', bytesOf(input), how).toString('base64url')}`;
  };
}

/** More than a token with a few groups has; less than what Buffer takes from its pool. */
const SCRATCH_BYTES = 4_000;

function encode(json: string): string {
  return Buffer.from(json, 'utf8').toString('base64url');
}
