/** The curated exports of oidc: what the identity provider and the AuthService share. It does no I/O. */
export {
  exportPublicJwk,
  importJwkSet,
  importPublicJwk,
  isSignatureAlgorithm,
  SIGNATURE_ALGORITHMS,
} from './jwk/jwk.ts';
export type { PublicJwk, SignatureAlgorithm, VerificationKey } from './jwk/jwk.ts';
export { signJwt } from './jwt/sign-jwt.ts';
export type { SigningKey } from './jwt/sign-jwt.ts';
export { audiencesOf, decodeJwt, selectKey, verifyJwt } from './jwt/verify-jwt.ts';
export type { DecodedJwt, JwtClaims, JwtExpectations, JwtHeader, JwtVerdict } from './jwt/verify-jwt.ts';
export {
  createPkcePair,
  isCodeChallenge,
  isCodeVerifier,
  isPkceMethod,
  PKCE_METHODS,
  verifyPkce,
} from './pkce/pkce.ts';
export type { PkceMethod, PkcePair } from './pkce/pkce.ts';
export { decodeSubject, encodeSubject } from './claims/subject.ts';
export type { Subject } from './claims/subject.ts';
export { tokenHash } from './claims/token-hash.ts';
