/** Owns the judging of signed tokens. Everything in a token is hostile until its signature is checked; nothing in it chooses how. */
import { isSignatureAlgorithm } from '../jwk/jwk.ts';
import type { SignatureAlgorithm, VerificationKey } from '../jwk/jwk.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { verify } = process.getBuiltinModule('node:crypto');

export type JwtClaims = Readonly<Record<string, unknown>>;

export interface JwtHeader {
  readonly alg: SignatureAlgorithm;
  readonly kid: string | undefined;
}

export interface DecodedJwt {
  readonly header: JwtHeader;
  readonly claims: JwtClaims;
  /** The signed bytes and the signature over them. */
  readonly input: string;
  readonly signature: Buffer;
}

export type JwtVerdict =
  | { readonly kind: 'valid'; readonly claims: JwtClaims }
  | { readonly kind: 'invalid'; readonly reason: string };

export interface JwtExpectations {
  readonly keys: readonly VerificationKey[];
  readonly issuer: string;
  /** One of the token's audiences must be this; not looked at when absent. */
  readonly audience?: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Clock difference that is forgiven, in seconds; 0 when absent. */
  readonly toleranceSeconds?: number;
  /** A logout hint may be an expired token: skips `exp` only. */
  readonly acceptExpired?: boolean;
}

const MAX_TOKEN_CHARACTERS = 64 * 1024;
const BASE64URL = /^[\w-]+$/;

/** Takes a compact JWT apart without judging it; undefined when it is not one or uses what we never accept. */
export function decodeJwt(token: string): DecodedJwt | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
  const parts = token.split('.');
  const [head = '', body = '', signature = ''] = parts;
  if (parts.length !== 3 || !parts.every((part) => BASE64URL.test(part))) return undefined;
  const header = parseObject(head);
  const claims = parseObject(body);
  if (header === undefined || claims === undefined) return undefined;
  // RFC 7515 §4.1.11: an extension that is critical and not understood means refusal; we understand none.
  // RFC 8725 §3.1: only our own list of algorithms, so `none` and HMAC do not exist here.
  if ('crit' in header || !isSignatureAlgorithm(header['alg'])) return undefined;
  const kid = typeof header['kid'] === 'string' ? header['kid'] : undefined;
  return {
    header: { alg: header['alg'], kid },
    claims,
    input: `${head}.${body}`,
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** Checks signature, issuer, audience and lifetime (RFC 7519 §7.2, OpenID Connect Core §3.1.3.7). Never throws. */
export function verifyJwt(token: string, expected: JwtExpectations): JwtVerdict {
  const decoded = decodeJwt(token);
  if (decoded === undefined) return { kind: 'invalid', reason: 'not a token' };
  const key = selectKey(decoded.header, expected.keys);
  if (key === undefined) return { kind: 'invalid', reason: 'unknown key' };
  if (!isSignedBy(decoded, key)) return { kind: 'invalid', reason: 'bad signature' };
  const reason = findClaimProblem(decoded.claims, expected);
  return reason === undefined ? { kind: 'valid', claims: decoded.claims } : { kind: 'invalid', reason };
}

/** The key a header names; a token without kid is served only where there is no choice to make. */
export function selectKey(header: JwtHeader, keys: readonly VerificationKey[]): VerificationKey | undefined {
  const candidates = keys.filter(
    (key) => key.alg === header.alg && (header.kid === undefined || key.kid === header.kid),
  );
  return header.kid !== undefined || candidates.length === 1 ? candidates[0] : undefined;
}

/** The members of `aud`, which is a string or an array of strings (RFC 7519 §4.1.3). */
export function audiencesOf(claims: JwtClaims): readonly string[] {
  const aud = claims['aud'];
  if (typeof aud === 'string') return [aud];
  return Array.isArray(aud) ? aud.filter((item): item is string => typeof item === 'string') : [];
}

function isSignedBy({ input, signature }: DecodedJwt, { key }: VerificationKey): boolean {
  try {
    return verify('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }, signature);
  } catch {
    return false;
  }
}

function findClaimProblem(claims: JwtClaims, expected: JwtExpectations): string | undefined {
  const now = expected.nowMs / 1000;
  const tolerance = expected.toleranceSeconds ?? 0;
  const { exp, nbf } = claims;
  if (claims['iss'] !== expected.issuer) return 'wrong issuer';
  if (expected.audience !== undefined && !audiencesOf(claims).includes(expected.audience)) return 'wrong audience';
  if (typeof exp !== 'number' || !Number.isFinite(exp)) return 'no expiry';
  if (expected.acceptExpired !== true && now >= exp + tolerance) return 'expired';
  if (nbf !== undefined && (typeof nbf !== 'number' || now < nbf - tolerance)) return 'not valid yet';
  return undefined;
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
