/** Owns how organizations and their teams become groups: `org` and `org:team`. */
import type { Identity, LoginOutcome } from '../connector.ts';

export interface Membership {
  readonly org: string;
  readonly teams: readonly string[];
}

export interface TeamRules {
  readonly wanted: readonly Membership[];
  /** Everything the person is in becomes a group. */
  readonly all: boolean;
}

/** With wanted organizations: their teams that the person is in; nobody else may log in. */
export function teamGroups(
  identity: Identity,
  memberships: readonly Membership[],
  { wanted, all }: TeamRules,
): LoginOutcome {
  const teamsOf = new Map<string, Set<string>>();
  for (const { org, teams } of memberships) {
    const known = teamsOf.get(org) ?? new Set();
    for (const team of teams) if (team !== '') known.add(team);
    teamsOf.set(org, known);
  }
  if (wanted.length === 0)
    return { kind: 'authenticated', identity: { ...identity, groups: all ? everything(teamsOf) : [] } };
  const groups: string[] = [];
  let inside = false;
  for (const { org, teams } of wanted) {
    const has = teamsOf.get(org);
    const kept = [...(has ?? [])].filter((team) => teams.length === 0 || teams.includes(team));
    inside ||= has !== undefined && (teams.length === 0 || kept.length > 0);
    groups.push(...kept.map((team) => `${org}:${team}`));
  }
  return inside
    ? { kind: 'authenticated', identity: { ...identity, groups } }
    : { kind: 'denied', reason: 'not in a required organization or team', outsider: true };
}

function everything(teamsOf: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  return [...teamsOf].flatMap(([org, teams]) => [org, ...[...teams].map((team) => `${org}:${team}`)]);
}
