/** Owns who a set of verified claims is: user id and groups that may stand in a header. */
import type { JwtClaims } from '@kfctl/oidc';
import { loginRefused } from '../errors.ts';
import type { Identity } from '@kfctl/oidc';

export interface IdentityRules {
  readonly userIdClaim: string;
  readonly userIdPrefix: string;
  /** The first rule that matches is applied, to all of its matches; before the prefix. */
  readonly userIdTransformers: readonly UserIdTransformer[];
  readonly groupsClaim: string;
  /** Takes e-mail addresses that the provider says are not verified. */
  readonly allowUnverifiedEmail: boolean;
}

export interface UserIdTransformer {
  readonly matches: RegExp;
  readonly replaces: string;
}

const MAX_USER_ID = 320;
const MAX_GROUPS = 500;
const MAX_GROUPS_CHARACTERS = 8_192;

/** Throws LOGIN_REFUSED when there is no user id that could be told from others everywhere. */
export function identityOf(claims: JwtClaims, rules: IdentityRules): Identity {
  const claim = claims[rules.userIdClaim];
  if (typeof claim !== 'string' || !isPlainText(claim)) {
    throw loginRefused(403, `claim ${rules.userIdClaim} is missing or unusable`, UNUSABLE);
  }
  requireOneAddress(claim, rules);
  requireVerified(claims, rules);
  const userId = rules.userIdPrefix + transform(claim, rules.userIdTransformers);
  if (!isPlainText(userId) || userId.length > MAX_USER_ID) {
    throw loginRefused(403, `user id from claim ${rules.userIdClaim} is unusable`, UNUSABLE);
  }
  return { userId, groups: groupsOf(claims[rules.groupsClaim]), subject: String(claims['sub']) };
}

const UNUSABLE = 'Your account has no name that can be used here. Please tell an administrator.';

/** An address that its provider says is not verified may belong to anyone. Silence is taken for yes, as everywhere. */
function requireVerified(claims: JwtClaims, rules: IdentityRules): void {
  const verified = claims['email_verified'];
  if (rules.userIdClaim !== 'email' || rules.allowUnverifiedEmail) return;
  if (verified === undefined || verified === true || verified === 'true') return;
  throw loginRefused(
    403,
    'e-mail address is not verified',
    'Your e-mail address is not verified. Verify it with your login provider, then log in again.',
  );
}

/** With two `@`, one reader takes it for an address of the first domain and a rule about the second one's people for theirs. */
function requireOneAddress(claim: string, { userIdClaim }: IdentityRules): void {
  if (userIdClaim === 'email' && claim.split('@').length > 2)
    throw loginRefused(403, 'e-mail address has two domains', UNUSABLE);
}

function transform(userId: string, transformers: readonly UserIdTransformer[]): string {
  const rule = transformers.find(({ matches }) => userId.search(matches) >= 0);
  return rule === undefined ? userId : userId.replaceAll(rule.matches, rule.replaces);
}

/** Groups from a list of texts, or the one that a text names. Others are left out: fewer rights, never more. */
function groupsOf(claim: unknown): readonly string[] {
  const listed = typeof claim === 'string' ? [claim] : Array.isArray(claim) ? claim : [];
  const groups = listed.filter((group): group is string => typeof group === 'string' && isPlainText(group));
  let size = 0;
  return groups.slice(0, MAX_GROUPS).filter((group) => (size += group.length + 1) <= MAX_GROUPS_CHARACTERS);
}

/** Not empty, no blanks at the ends, no controls, no line or direction marks, no halves of characters. */
function isPlainText(text: string): boolean {
  return text !== '' && text === text.trim() && text.isWellFormed() && !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
}
