/** Owns the end of namespaces: everything inside is deleted, then the namespace itself may go. */
import { isKubeError, resources, withCondition } from '@kfctl/kube';
import type { DiscoveredResource, Namespace, ObjectKey, ReconcileResult } from '@kfctl/kube';
import type { Controller, ControllerDeps } from '../controller.ts';
import { writeStatus } from '../workload/write-status.ts';

const CONTENT_FINALIZER = 'kubernetes';
/** How soon to look again while pods end and finalizers do their work. */
const RETRY_MS = 250;

export function namespaceController(deps: ControllerDeps): Controller {
  return {
    name: 'namespace',
    watches: [{ type: resources.namespaces }],
    reconcile: (key) => reconcile(deps, key),
  };
}

async function reconcile(deps: ControllerDeps, { name }: ObjectKey): Promise<ReconcileResult | undefined> {
  const namespace = deps.informers.of(resources.namespaces).get(name);
  if (namespace?.metadata.deletionTimestamp === undefined) return undefined;
  if (!(namespace.spec?.finalizers ?? []).includes(CONTENT_FINALIZER)) return undefined;
  const left = await deleteContent(deps, name);
  if (left.length === 0) {
    await finalize(deps, name);
    return undefined;
  }
  await tellRemaining(deps, namespace, left);
  return { requeueAfterMs: RETRY_MS };
}

interface Remaining {
  readonly resource: string;
  readonly count: number;
  readonly finalizers: readonly string[];
}

/** Deletes what is there; what is still there afterwards. Pods go with everything else: nothing in here may outlive them. */
async function deleteContent(deps: ControllerDeps, namespace: string): Promise<Remaining[]> {
  const types = (await deps.client.discover({ refresh: true })).filter(isDeletable);
  const found = await Promise.all(types.map((type) => deleteAll(deps, type, namespace)));
  return found.filter(({ count }) => count > 0);
}

function isDeletable({ namespaced, verbs, group, plural }: DiscoveredResource): boolean {
  // The other name of the core group's events.
  if (group === 'events.k8s.io' && plural === 'events') return false;
  return namespaced && verbs.includes('list') && verbs.includes('delete');
}

async function deleteAll({ client }: ControllerDeps, type: DiscoveredResource, namespace: string): Promise<Remaining> {
  const resource = type.group === '' ? type.plural : `${type.plural}.${type.group}`;
  const list = async (): Promise<
    readonly { metadata: { name?: string; finalizers?: string[]; deletionTimestamp?: string } }[]
  > => {
    try {
      return (await client.list(type, { namespace })).items;
    } catch (error) {
      // The kind itself is going away.
      if (isKubeError(error, 'NotFound', 'MethodNotAllowed')) return [];
      throw error;
    }
  };
  const objects = await list();
  if (objects.length === 0) return { resource, count: 0, finalizers: [] };
  const fresh = objects.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  await Promise.all(
    fresh.map(({ metadata }) => client.delete(type, metadata.name ?? '', { namespace, propagation: 'Background' })),
  );
  const left = await list();
  return {
    resource,
    count: left.length,
    finalizers: [...new Set(left.flatMap(({ metadata }) => metadata.finalizers ?? []))],
  };
}

async function finalize({ client }: ControllerDeps, name: string): Promise<void> {
  const live = await client.get(resources.namespaces, name);
  if (live === undefined) return;
  const finalizers = (live.spec?.finalizers ?? []).filter((finalizer) => finalizer !== CONTENT_FINALIZER);
  const wanted: Namespace = { ...live, spec: { ...live.spec, finalizers } };
  try {
    await client.replace(resources.namespaces, wanted, { subresource: 'finalize' });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
  }
}

async function tellRemaining(deps: ControllerDeps, namespace: Namespace, left: readonly Remaining[]): Promise<void> {
  const content = left.map(({ resource, count }) => `${resource} has ${count} resource instances`).join(', ');
  const finalizers = [...new Set(left.flatMap((item) => item.finalizers))];
  const now = deps.now();
  const remaining = {
    type: 'NamespaceContentRemaining',
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: `Some resources are remaining: ${content}`,
  };
  const waiting = {
    type: 'NamespaceFinalizersRemaining',
    status: finalizers.length > 0 ? 'True' : 'False',
    reason: finalizers.length > 0 ? 'SomeFinalizersRemain' : 'ContentHasNoFinalizers',
    message:
      finalizers.length > 0
        ? `Some content in the namespace has finalizers remaining: ${finalizers.join(', ')}`
        : 'All content-preserving finalizers finished',
  };
  const present = (namespace.status as { conditions?: [] } | undefined)?.conditions;
  const conditions = withCondition(withCondition(present, remaining, now), waiting, now);
  await writeStatus(deps, resources.namespaces, { object: namespace, status: { conditions } });
}
