/** Owns the status of a Deployment: counts and the conditions Available and Progressing. Pure. */
import { findCondition, withCondition } from '@kfctl/kube';
import type { Condition, Workload } from '@kfctl/kube';
import { renderTime } from '../../node/container/container-state.ts';
import type { RolloutLimits } from './rollout.ts';

export interface StatusParts {
  readonly deployment: Workload;
  readonly sets: readonly Workload[];
  readonly fresh: Workload | undefined;
  readonly limits: RolloutLimits;
  /** Something about the rollout was changed in this round. */
  readonly hasMoved: boolean;
  readonly now: Date;
}

const NO_DEADLINE = 2_147_483_647;

export interface DeploymentStatus {
  readonly status: Readonly<Record<string, unknown>>;
  /** Milliseconds until the rollout is overdue. */
  readonly deadlineMs: number | undefined;
}

export function deploymentStatus(parts: StatusParts): DeploymentStatus {
  const { deployment, sets, fresh, limits, now } = parts;
  const sum = (field: 'replicas' | 'readyReplicas' | 'availableReplicas'): number =>
    sets.reduce((total, { status }) => total + (status?.[field] ?? 0), 0);
  const [replicas, ready, available] = [sum('replicas'), sum('readyReplicas'), sum('availableReplicas')];
  const updated = fresh?.status?.replicas ?? 0;
  const counts = { replicas, updated, available, ready };
  const { condition: progressing, deadlineMs } = progress(parts, counts);
  const conditions = [availability(available, limits), ...(progressing === undefined ? [] : [progressing])];
  const present = deployment.status?.conditions ?? [];
  return {
    deadlineMs,
    status: {
      observedGeneration: deployment.metadata.generation ?? 0,
      replicas: orAbsent(replicas),
      updatedReplicas: orAbsent(updated),
      readyReplicas: orAbsent(ready),
      availableReplicas: orAbsent(available),
      unavailableReplicas: orAbsent(Math.max(0, limits.desired - available)),
      conditions: conditions.reduce<Condition[]>((list, condition) => stamped(list, condition, now), present),
    },
  };
}

function orAbsent(count: number): number | null {
  return count === 0 ? null : count;
}

/** `lastUpdateTime` moves with every change of the condition, `lastTransitionTime` only with its status. */
function stamped(
  list: readonly Condition[],
  condition: Condition & { readonly touched?: boolean },
  now: Date,
): Condition[] {
  const { touched, ...wanted } = condition;
  const present = findCondition(list, wanted.type) as (Condition & { lastUpdateTime?: string }) | undefined;
  const isSame =
    present?.status === wanted.status && present.reason === wanted.reason && present.message === wanted.message;
  const lastUpdateTime = isSame && touched !== true ? (present?.lastUpdateTime ?? renderTime(now)) : renderTime(now);
  return withCondition(list, { ...wanted, lastUpdateTime } as Condition, now);
}

function availability(available: number, { desired, maxUnavailable }: RolloutLimits): Condition {
  return available >= desired - maxUnavailable
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

interface Counts {
  readonly replicas: number;
  readonly updated: number;
  readonly available: number;
  readonly ready: number;
}

interface Progress {
  readonly condition: (Condition & { touched?: boolean }) | undefined;
  readonly deadlineMs: number | undefined;
}

function progress(parts: StatusParts, counts: Counts): Progress {
  const { deployment, fresh, limits, hasMoved, now } = parts;
  const seconds = Number(deployment.spec?.['progressDeadlineSeconds'] ?? 600);
  if (seconds >= NO_DEADLINE) return { condition: undefined, deadlineMs: undefined };
  const present = findCondition(deployment.status?.conditions, 'Progressing') as
    | (Condition & { lastUpdateTime?: string })
    | undefined;
  const name = fresh?.metadata.name ?? '';
  if (deployment.spec?.['paused'] === true) {
    return {
      condition: {
        type: 'Progressing',
        status: 'Unknown',
        reason: 'DeploymentPaused',
        message: 'Deployment is paused',
      },
      deadlineMs: undefined,
    };
  }
  const { replicas, updated, available } = counts;
  if (fresh !== undefined && updated === limits.desired && replicas === limits.desired && available >= limits.desired) {
    const message = `ReplicaSet "${name}" has successfully progressed.`;
    return {
      condition: { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable', message },
      deadlineMs: undefined,
    };
  }
  const isFinished = present?.reason === 'NewReplicaSetAvailable';
  if (hasMoved || present === undefined || hasProgressed(deployment, counts)) {
    const condition = {
      type: 'Progressing',
      status: 'True',
      reason: 'ReplicaSetUpdated',
      message: `ReplicaSet "${name}" is progressing.`,
      touched: true,
    };
    return { condition, deadlineMs: seconds * 1000 };
  }
  const leftMs = (Date.parse(present.lastUpdateTime ?? '') || now.getTime()) + seconds * 1000 - now.getTime();
  // A finished rollout that loses pods later does not become overdue.
  if (isFinished || leftMs > 0) return { condition: present, deadlineMs: isFinished ? undefined : leftMs };
  const message = `ReplicaSet "${name}" has timed out progressing.`;
  return {
    condition: { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message },
    deadlineMs: undefined,
  };
}

function hasProgressed({ status }: Workload, { replicas, updated, available, ready }: Counts): boolean {
  const before = {
    updated: status?.updatedReplicas ?? 0,
    ready: status?.readyReplicas ?? 0,
    available: status?.availableReplicas ?? 0,
  };
  const oldBefore = (status?.replicas ?? 0) - before.updated;
  return (
    updated > before.updated || replicas - updated < oldBefore || ready > before.ready || available > before.available
  );
}
