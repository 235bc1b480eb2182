/** The curated exports of oidc: what the identity provider and the AuthService share. It does no I/O. */
export {
  exportPublicJwk,
  importJwkSet,
  importPublicJwk,
  isSignatureAlgorithm,
  SIGNATURE_ALGORITHMS,
} from './jwk/jwk.ts';
export type { PublicJwk, SignatureAlgorithm, VerificationKey } from './jwk/jwk.ts';
export { createJwtSigner, signJwt } from './jwt/sign-jwt.ts';
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
export { ASSERTION_HEADER, createAssertions, parseAssertionKeys } from './assertion/identity-assertion.ts';
export type { AssertedRequest, Assertions } from './assertion/identity-assertion.ts';
export { decodeSubject, encodeSubject } from './claims/subject.ts';
export type { Subject } from './claims/subject.ts';
export { tokenHash } from './claims/token-hash.ts';
export { cookieNames, readCookies, withoutCookies } from './cookie/read-cookies.ts';
export { isCookieNameAllowed, renderCookie, renderCookieRemoval, SAFE_COOKIE } from './cookie/render-cookie.ts';
export type { Cookie, CookieAttributes } from './cookie/render-cookie.ts';
export { createPathMatcher, isPlainPath } from './redirect/plain-path.ts';
export { safeReturnPath } from './redirect/return-path.ts';
export { createSealer } from './state/sealer.ts';
export type { Sealer, SealerOptions } from './state/sealer.ts';
export { createLoginFlows, flowCookiePrefix, isFlowCookie, surplusFlowCookies } from './state/login-flow.ts';
export type { LoginFlow, LoginFlowOptions, LoginFlows, OpenedFlow } from './state/login-flow.ts';
export { checkSession } from './session/check-session.ts';
export type { CheckedRequest, Credentials, SessionRules, SessionVerdict } from './session/check-session.ts';
export { createIdentityHeaders } from './session/identity-headers.ts';
export type { Caller, HeaderEdits, IdentityHeaderOptions, IdentityHeaders } from './session/identity-headers.ts';
export { isPageNavigation } from './session/page-navigation.ts';
export type { RequestHeaders } from './session/page-navigation.ts';
export { SessionMemory } from './session/session-memory.ts';
export type { SessionListener, SessionMemoryOptions } from './session/session-memory.ts';
export { SESSION_OBJECT, storedSessionOf } from './session/session-object.ts';
export type { SessionObject } from './session/session-object.ts';
export { createSessionPass } from './session/session-pass.ts';
export type { SessionPass, SessionPassOptions } from './session/session-pass.ts';
export { openSession, refreshTimeOf, sealSession } from './session/session.ts';
export type {
  ApiToken,
  Identity,
  LiveSession,
  SessionRecord,
  SessionTokenSet,
  StoredSession,
} from './session/session.ts';
export { isWithinLimits } from './session/token-limits.ts';
export type { LimitedRequest } from './session/token-limits.ts';
export { createSessionTokens, isSessionToken, sessionIdOf } from './session/session-token.ts';
export type { SessionTokenOptions, SessionTokens } from './session/session-token.ts';
export { CHECK_LEASE_NAME, CHECK_LEASE_PURPOSE, openCheckLease, sealCheckLease } from './session/check-lease.ts';
export type { CheckLease, CheckSettings } from './session/check-lease.ts';
