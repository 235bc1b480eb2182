/** Owns the header name patterns of ext-authz providers: `name`, `prefix*`, `*suffix`, `*`. */

export function matchesHeaderPattern(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    if (pattern.endsWith('*')) return name.startsWith(pattern.slice(0, -1));
    if (pattern.startsWith('*')) return name.endsWith(pattern.slice(1));
    return pattern === name;
  });
}
