/** Owns status conditions: reading them, and setting one without touching its transition time needlessly. */

export interface Condition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
  observedGeneration?: number;
}

/** The condition of that type, if there is one. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** The list with one condition set; `lastTransitionTime` moves only when `status` changes. The input is not changed. */
export function withCondition(conditions: readonly Condition[] | undefined, wanted: Condition, now: Date): Condition[] {
  const present = findCondition(conditions, wanted.type);
  const kept = present?.status === wanted.status ? present.lastTransitionTime : undefined;
  const next: Condition = { ...wanted, lastTransitionTime: kept ?? now.toISOString().replace(/\.\d+Z$/, 'Z') };
  const others = conditions ?? [];
  return present === undefined
    ? [...others, next]
    : others.map((condition) => (condition.type === wanted.type ? next : condition));
}
