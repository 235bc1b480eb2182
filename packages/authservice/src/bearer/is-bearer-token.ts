/** Owns the question whether claims are of a token that whoever holds it may use. */
import type { JwtClaims } from '@kfctl/oidc';

/**
 * Not one that is bound to a key of its owner's (`cnf`: RFC 8705, RFC 9449), whose possession we do not ask to be proven; nor a statement
 * about something that happened (`events`, RFC 8417), which the same provider signs for the same audience.
 */
export function isBearerToken(claims: JwtClaims): boolean {
  return claims['cnf'] === undefined && claims['events'] === undefined;
}
