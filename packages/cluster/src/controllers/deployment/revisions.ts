/** Owns the ReplicaSets of a Deployment: which one is the present revision, how they are numbered, how many old ones are kept. */
import { isKubeError, resources } from '@kfctl/kube';
import type { Workload } from '@kfctl/kube';
import { cloneJson } from '../../schema/json.ts';
import type { ControllerDeps } from '../controller.ts';
import { controllerOf, ownedBy } from '../workload/ownership.ts';
import { HASH_LABEL, isSameTemplate, templateHash } from '../workload/template.ts';
import { writeStatus } from '../workload/write-status.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const DESIRED = 'deployment.kubernetes.io/desired-replicas';
const MAXIMUM = 'deployment.kubernetes.io/max-replicas';
const NOT_COPIED = new Set(['kubectl.kubernetes.io/last-applied-configuration', REVISION, DESIRED, MAXIMUM]);

export function revisionOf(set: Workload): number {
  return Number(set.metadata.annotations?.[REVISION] ?? 0) || 0;
}

/** The oldest set with the Deployment's template. */
export function findNewSet(deployment: Workload, sets: readonly Workload[]): Workload | undefined {
  return byAge(sets).find((set) => isSameTemplate(set.spec?.template, deployment.spec?.template));
}

export function byAge(sets: readonly Workload[]): Workload[] {
  const age = ({ metadata }: Workload): string => `${metadata.creationTimestamp ?? ''} ${metadata.name ?? ''}`;
  return sets.toSorted((a, b) => (age(a) < age(b) ? -1 : 1));
}

/** Annotations that a set of this revision carries. */
export function setAnnotations(deployment: Workload, revision: number, maxReplicas: number): Record<string, string> {
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !NOT_COPIED.has(key));
  return {
    ...Object.fromEntries(copied),
    [REVISION]: String(revision),
    [DESIRED]: String(deployment.spec?.replicas ?? 1),
    [MAXIMUM]: String(maxReplicas),
  };
}

export interface NewSet {
  readonly deployment: Workload;
  readonly replicas: number;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Creates the set of the present template; undefined when its name is taken by another one (then the next round tries another). */
export async function createSet(
  deps: ControllerDeps,
  { deployment, replicas, annotations }: NewSet,
): Promise<Workload | undefined> {
  const collisions = Number(deployment.status?.['collisionCount'] ?? 0);
  const set = renderSet({ deployment, replicas, annotations }, templateHash(deployment.spec?.template, collisions));
  try {
    return await deps.client.create(resources.replicaSets, set);
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    const { name = '', namespace = '' } = set.metadata;
    const present = await deps.client.get(resources.replicaSets, name, { namespace });
    const isOwn = present !== undefined && controllerOf(present)?.uid === deployment.metadata.uid;
    if (isOwn && isSameTemplate(present.spec?.template, deployment.spec?.template)) return present;
    await writeStatus(deps, resources.deployments, { object: deployment, status: { collisionCount: collisions + 1 } });
    return undefined;
  }
}

function renderSet({ deployment, replicas, annotations }: NewSet, hash: string): Workload {
  const { name = '', namespace = '' } = deployment.metadata;
  const template = cloneJson(deployment.spec?.template ?? {});
  const labels = { ...template.metadata?.labels, [HASH_LABEL]: hash };
  const selector = deployment.spec?.selector;
  const minReadySeconds = deployment.spec?.['minReadySeconds'];
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: { ...annotations },
      ownerReferences: [ownedBy(deployment)],
    },
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector?.matchLabels, [HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
      ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
    },
  };
}

/** Removes old sets without pods beyond the history limit. */
export async function cleanHistory(
  deps: ControllerDeps,
  deployment: Workload,
  old: readonly Workload[],
): Promise<void> {
  const limit = Number(deployment.spec?.['revisionHistoryLimit'] ?? 10);
  const idle = old.filter(
    ({ spec, status, metadata }) =>
      spec?.replicas === 0 && (status?.replicas ?? 0) === 0 && metadata.deletionTimestamp === undefined,
  );
  const surplus = idle.toSorted((a, b) => revisionOf(a) - revisionOf(b)).slice(0, Math.max(0, idle.length - limit));
  const namespace = deployment.metadata.namespace ?? '';
  await Promise.all(
    surplus.map(({ metadata }) => deps.client.delete(resources.replicaSets, metadata.name ?? '', { namespace })),
  );
}
