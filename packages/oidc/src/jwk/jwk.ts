/** Owns public keys as JSON Web Keys (RFC 7517): what a key set may hold and how a member becomes a usable key. */
import type { KeyObject, webcrypto } from 'node:crypto';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createPublicKey } = process.getBuiltinModule('node:crypto');

/** The signature algorithms of the product (RFC 7518 §3.1): both over SHA-256, both asymmetric. */
export const SIGNATURE_ALGORITHMS = ['RS256', 'ES256'] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

export interface PublicJwk {
  readonly kty: string;
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly use: 'sig';
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
}

/** A key that verifies signatures of exactly one algorithm. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SignatureAlgorithm;
  readonly key: KeyObject;
}

const MAX_KEYS = 100;
const MIN_RSA_BITS = 2048;

export function isSignatureAlgorithm(value: unknown): value is SignatureAlgorithm {
  return value === 'RS256' || value === 'ES256';
}

/** The public half of a key as a JWK; never contains private members, whichever half is given. */
export function exportPublicJwk(key: KeyObject, kid: string): PublicJwk {
  const jwk = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  const alg = jwk.kty === 'EC' ? 'ES256' : 'RS256';
  const members =
    alg === 'ES256' ? { crv: jwk.crv ?? '', x: jwk.x ?? '', y: jwk.y ?? '' } : { n: jwk.n ?? '', e: jwk.e ?? '' };
  return { use: 'sig', kty: jwk.kty ?? '', kid, alg, ...members };
}

/** A verification key from one JWK, or undefined when it is not a key we would trust a signature to (RFC 8725 §3.1, §3.5). */
export function importPublicJwk(value: unknown): VerificationKey | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const jwk = value as Record<string, unknown>;
  const alg = algorithmOf(jwk);
  if (alg === undefined || (jwk['use'] !== undefined && jwk['use'] !== 'sig')) return undefined;
  const key = readKey(publicMembers(jwk, alg));
  if (key === undefined || !isStrong(key)) return undefined;
  return { kid: typeof jwk['kid'] === 'string' ? jwk['kid'] : '', alg, key };
}

/** The usable keys of a JWK set (RFC 7517 §5: members that are not understood are ignored); undefined when it is no set. */
export function importJwkSet(value: unknown): readonly VerificationKey[] | undefined {
  const keys = typeof value === 'object' && value !== null && 'keys' in value ? value.keys : undefined;
  if (!Array.isArray(keys)) return undefined;
  return keys.slice(0, MAX_KEYS).flatMap((jwk) => importPublicJwk(jwk) ?? []);
}

// The algorithm belongs to the key, not to the token: this is what makes key confusion impossible.
function algorithmOf(jwk: Record<string, unknown>): SignatureAlgorithm | undefined {
  const alg = jwk['kty'] === 'RSA' ? 'RS256' : jwk['kty'] === 'EC' && jwk['crv'] === 'P-256' ? 'ES256' : undefined;
  return jwk['alg'] === undefined || jwk['alg'] === alg ? alg : undefined;
}

function publicMembers(jwk: Record<string, unknown>, alg: SignatureAlgorithm): webcrypto.JsonWebKey {
  const { kty, n, e, crv, x, y } = jwk as webcrypto.JsonWebKey;
  return alg === 'RS256' ? ({ kty, n, e } as webcrypto.JsonWebKey) : ({ kty, crv, x, y } as webcrypto.JsonWebKey);
}

function readKey(jwk: webcrypto.JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}

function isStrong(key: KeyObject): boolean {
  return key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) >= MIN_RSA_BITS;
}
