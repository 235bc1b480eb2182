/** Owns which of the people who can log in may use the platform. */
import type { Caller } from './authenticate.ts';

/** Everybody where the list has a `*`, nobody where it is empty, otherwise members of any of the groups. */
export function createAllowList(groups: readonly string[]): (caller: Caller) => boolean {
  if (groups.includes('*')) return () => true;
  const allowed = new Set(groups);
  return (caller) => caller.groups.some((group) => allowed.has(group));
}
