/**
 * Owns who is calling. The person stands in the identity header, which only the gateway sets and the dashboard repeats; that it is the
 * dashboard which calls is shown by its ServiceAccount token where TRUSTED_CALLERS names it, and otherwise left to the network policy
 * and the mesh. Everything missing or ambiguous is 401.
 */
import type { HttpRequest } from '@kfctl/http';
import { refusal } from '../errors.ts';
import { isUserName } from './user-name.ts';

export interface Caller {
  readonly user: string;
  readonly isClusterAdmin: boolean;
}

export interface IdentityRules {
  readonly userIdHeader: string;
  readonly userIdPrefix: string;
  readonly clusterAdmins: ReadonlySet<string>;
}

export type VerifyToken = (token: string) => Promise<boolean>;

/** Resolves with the caller or throws 401. `verify` absent: no token is asked for. */
export async function identifyCaller(
  request: HttpRequest,
  rules: IdentityRules,
  verify?: VerifyToken,
): Promise<Caller> {
  if (verify !== undefined) {
    const token = /^Bearer ([\w.~+/=-]+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !(await verify(token))) throw refusal(401, 'the caller did not show who it is');
  }
  // A header that came twice arrives joined with ", " (node:http), which no user name contains.
  const value = request.headers[rules.userIdHeader];
  if (typeof value !== 'string' || !value.startsWith(rules.userIdPrefix))
    throw refusal(401, 'the request carries no user');
  const user = value.slice(rules.userIdPrefix.length);
  if (!isUserName(user)) throw refusal(401, 'the request carries no user');
  return { user, isClusterAdmin: rules.clusterAdmins.has(user) };
}
