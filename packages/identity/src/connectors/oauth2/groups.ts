/** Owns the rule "only people of these groups", as most connectors have it. */
import type { Identity, LoginOutcome } from '../connector.ts';

/** Denies who is in none of the wanted groups; an empty list wants nothing. */
export function admit(identity: Identity, wanted: readonly string[], show: 'all' | 'wanted'): LoginOutcome {
  if (wanted.length === 0) return { kind: 'authenticated', identity };
  const inside = identity.groups.filter((group) => wanted.includes(group));
  if (inside.length === 0) return { kind: 'denied', reason: 'not in a required group', outsider: true };
  return { kind: 'authenticated', identity: show === 'all' ? identity : { ...identity, groups: inside } };
}
