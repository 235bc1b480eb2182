/** Owns the rule for user names: what may stand for a person in RBAC and in Istio policies. */

const MAX_LENGTH = 254;
// Istio reads `*` at either end of a value as a pattern: a user named "*" would be everybody. A comma or white space would make one
// header look like two.
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\s,*\u0000-\u001f\u007f]/;

/** True for a name that means exactly one person everywhere. Kubernetes' own users (`system:…`) are no people. */
export function isUserName(name: string): boolean {
  return name !== '' && name.length <= MAX_LENGTH && !FORBIDDEN.test(name) && !name.startsWith('system:');
}
