/** Owns the order of names that machines gave: by code unit, as Kubernetes sorts them. */

/**
 * For `toSorted`. `localeCompare` orders for readers of a language, differs between machines, and brings in ICU's collation: 8 MB for
 * a process that stays.
 */
export function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
