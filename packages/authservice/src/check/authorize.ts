/** Owns which of the people who are known may make a request: the group allow-list, then the operator's authorizer where there is one. */
import type { Caller } from '@kfctl/oidc';
import type { JudgedRequest } from './authenticate.ts';
import type { Refusal } from './external-authorizer.ts';

/** Undefined: may pass. */
export type Authorize = (caller: Caller, request: JudgedRequest) => Refusal | undefined | Promise<Refusal | undefined>;

const NOT_IN_GROUPS: Refusal = {
  reason: 'You are logged in, but none of your groups may use this platform. Ask an administrator, then log in again.',
};

/** Everybody where the list has a `*`, nobody where it is empty, otherwise members of any of the groups. */
export function createAuthorize(
  allowedGroups: readonly string[],
  external?: (caller: Caller, request: JudgedRequest) => Promise<Refusal | undefined>,
): Authorize {
  const everybody = allowedGroups.includes('*');
  const allowed = new Set(allowedGroups);
  return (caller, request) => {
    if (!everybody && !caller.groups.some((group) => allowed.has(group))) return NOT_IN_GROUPS;
    return external?.(caller, request);
  };
}
