/** Owns the server-side question "may this caller see this namespace?" that every namespaced route asks. */
import { compareText } from '@kfctl/core';
import type { User } from '../identity/identify.ts';
import { refusal } from '../errors.ts';
import type { AccessClient, Membership, Role } from './access-client.ts';

/** The caller's own memberships, sorted by namespace. */
export async function ownMemberships(access: AccessClient, caller: User): Promise<readonly Membership[]> {
  const all = await access.memberships(caller, { user: caller.id });
  // Not trusted blindly: an answer that lists somebody else's bindings must not widen what the caller sees.
  return all.filter(({ user }) => user === caller.id).toSorted((a, b) => compareText(a.namespace, b.namespace));
}

export interface MembershipRule {
  readonly namespace: string;
  /** Roles that suffice. */
  readonly roles: readonly Role[];
}

/** Throws 403 unless the caller has one of the roles in the namespace, or is a cluster admin. */
export async function requireMembership(access: AccessClient, caller: User, rule: MembershipRule): Promise<void> {
  const memberships = await ownMemberships(access, caller);
  if (memberships.some(({ namespace, role }) => namespace === rule.namespace && rule.roles.includes(role))) return;
  if (await access.isClusterAdmin(caller)) return;
  throw refusal(403, `You have no access to the namespace ${JSON.stringify(rule.namespace)}.`);
}
