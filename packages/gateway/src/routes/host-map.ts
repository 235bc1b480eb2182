/** Owns the choice by host name: an exact name before the longest wildcard before `*`. */

export interface HostMap<T> {
  find(host: string): T | undefined;
  values(): readonly T[];
}

/** Patterns are lower-case: `a.example.com`, `*.example.com` or `*`. */
export function createHostMap<T>(entries: ReadonlyMap<string, T>): HostMap<T> {
  const exact = new Map([...entries].filter(([pattern]) => !pattern.startsWith('*')));
  const suffixes = [...entries]
    .filter(([pattern]) => pattern.startsWith('*') && pattern !== '*')
    .map(([pattern, value]) => [pattern.slice(1), value] as const)
    .toSorted(([left], [right]) => right.length - left.length);
  const rest = entries.get('*');
  return {
    find: (host) => exact.get(host) ?? suffixes.find(([suffix]) => host.endsWith(suffix))?.[1] ?? rest,
    values: () => [...entries.values()],
  };
}

/** The more specific of two patterns when one covers the other, otherwise undefined: where a VirtualService's host meets a Gateway's. */
export function intersectHosts(left: string, right: string): string | undefined {
  if (covers(left, right)) return right;
  return covers(right, left) ? left : undefined;
}

function covers(pattern: string, host: string): boolean {
  if (pattern === '*' || pattern === host) return true;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && host !== pattern;
}
