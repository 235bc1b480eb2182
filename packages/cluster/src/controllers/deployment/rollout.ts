/** Owns the arithmetic of a rolling update: how many replicas the new and the old ReplicaSets get next. Pure. */
import type { Workload } from '@kfctl/kube';

export interface RolloutLimits {
  readonly desired: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Percentages become whole pods: the surge rounded up, the unavailable rounded down, never both zero. */
export function rolloutLimits(deployment: Workload): RolloutLimits {
  const desired = deployment.spec?.replicas ?? 1;
  const strategy = deployment.spec?.['strategy'] as
    | { rollingUpdate?: Partial<Record<'maxSurge' | 'maxUnavailable', number | string>> }
    | undefined;
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy?.rollingUpdate ?? {};
  const surge = wholePods(maxSurge, desired, Math.ceil);
  const unavailable = wholePods(maxUnavailable, desired, Math.floor);
  return {
    desired,
    maxSurge: surge,
    maxUnavailable: surge === 0 && unavailable === 0 ? 1 : Math.min(unavailable, desired),
  };
}

function wholePods(value: number | string, of: number, round: (value: number) => number): number {
  if (typeof value === 'number') return value;
  return round((Number(value.replace('%', '')) * of) / 100) || 0;
}

export interface SetCounts {
  readonly name: string;
  readonly replicas: number;
  readonly available: number;
}

export function countsOf(set: Workload): SetCounts {
  return {
    name: set.metadata.name ?? '',
    replicas: set.spec?.replicas ?? 0,
    available: set.status?.availableReplicas ?? 0,
  };
}

export function totalReplicas(sets: readonly SetCounts[]): number {
  return sets.reduce((sum, { replicas }) => sum + replicas, 0);
}

/** Replicas of the new set: as many as the surge leaves room for. */
export function newSetReplicas(limits: RolloutLimits, fresh: SetCounts, old: readonly SetCounts[]): number {
  const { desired, maxSurge } = limits;
  if (fresh.replicas >= desired) return desired;
  const room = desired + maxSurge - totalReplicas([fresh, ...old]);
  return room <= 0 ? fresh.replicas : fresh.replicas + Math.min(room, desired - fresh.replicas);
}

/**
 * Replicas of the old sets (oldest first) after the next step: pods that are not available anyway go first, then as many of the
 * others as the minimum of available pods allows. Only sets that change are in the result.
 */
export function oldSetReplicas(
  limits: RolloutLimits,
  fresh: SetCounts,
  old: readonly SetCounts[],
): ReadonlyMap<string, number> {
  const minimum = limits.desired - limits.maxUnavailable;
  const freshMissing = Math.max(0, fresh.replicas - fresh.available);
  const left = new Map(old.map(({ name, replicas }) => [name, replicas]));
  const take = (name: string, count: number): void => void left.set(name, (left.get(name) ?? 0) - count);
  let budget = totalReplicas([fresh, ...old]) - minimum - freshMissing;
  for (const { name, replicas, available } of old) {
    const count = Math.min(Math.max(0, budget), Math.max(0, replicas - available));
    take(name, count);
    budget -= count;
  }
  const availableNow = fresh.available + old.reduce((sum, { available }) => sum + available, 0);
  let surplus = Math.min(Math.max(0, budget), Math.max(0, availableNow - minimum));
  for (const { name } of old) {
    const count = Math.min(surplus, left.get(name) ?? 0);
    take(name, count);
    surplus -= count;
  }
  return new Map(
    [...left].filter(([name, replicas]) => old.some((set) => set.name === name && set.replicas !== replicas)),
  );
}
