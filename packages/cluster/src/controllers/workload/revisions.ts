/** Owns ControllerRevisions: the templates that a StatefulSet or DaemonSet had, for `kubectl rollout history` and `undo`. */
import { defineResource, isKubeError } from '@kfctl/kube';
import type { KubeObject, ResourceType, Workload } from '@kfctl/kube';
import type { ControllerDeps } from '../controller.ts';
import { claimObjects, ownedBy } from './ownership.ts';
import { canonicalJson, templateHash } from './template.ts';

export interface ControllerRevision extends KubeObject {
  data?: unknown;
  revision?: number;
}

export const controllerRevisions: ResourceType<ControllerRevision> = defineResource('apps/v1', 'ControllerRevision', {
  plural: 'controllerrevisions',
});

export const REVISION_LABEL = 'controller-revision-hash';

/** The revision of the present template: found, or made with the next number; earlier ones beyond the limit are removed. */
export async function ensureRevision(
  deps: ControllerDeps,
  owner: Workload,
  inUse: ReadonlySet<string>,
): Promise<ControllerRevision> {
  const { name = '', namespace = '' } = owner.metadata;
  const known = await claimObjects(deps, { type: controllerRevisions, owner, selector: owner.spec?.selector });
  const data = { spec: { template: { ...owner.spec?.template, $patch: 'replace' } } };
  const hash = templateHash(data);
  const present = known.find((revision) => canonicalJson(revision.data) === canonicalJson(data));
  const highest = Math.max(0, ...known.map(({ revision = 0 }) => revision));
  const fresh: ControllerRevision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels: { ...owner.spec?.template?.metadata?.labels, [REVISION_LABEL]: hash },
      ownerReferences: [ownedBy(owner)],
    },
    data,
    revision: highest + 1,
  };
  const current = present ?? (await create(deps, fresh));
  if (present !== undefined && (present.revision ?? 0) < highest) {
    const body = { revision: highest + 1 };
    await deps.client.patch(controllerRevisions, present.metadata.name ?? '', {
      namespace,
      patch: { kind: 'merge', body },
    });
  }
  await prune(
    deps,
    owner,
    known.filter(
      ({ metadata }) => metadata.name !== current.metadata.name && !inUse.has(metadata.labels?.[REVISION_LABEL] ?? ''),
    ),
  );
  return current;
}

async function create({ client }: ControllerDeps, revision: ControllerRevision): Promise<ControllerRevision> {
  try {
    return await client.create(controllerRevisions, revision);
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
    return revision;
  }
}

async function prune({ client }: ControllerDeps, owner: Workload, idle: readonly ControllerRevision[]): Promise<void> {
  const limit = Number(owner.spec?.['revisionHistoryLimit'] ?? 10);
  const surplus = idle
    .toSorted((a, b) => (a.revision ?? 0) - (b.revision ?? 0))
    .slice(0, Math.max(0, idle.length - limit));
  const namespace = owner.metadata.namespace ?? '';
  await Promise.all(
    surplus.map(({ metadata }) => client.delete(controllerRevisions, metadata.name ?? '', { namespace })),
  );
}

export function revisionHash(revision: ControllerRevision): string {
  return revision.metadata.labels?.[REVISION_LABEL] ?? '';
}
