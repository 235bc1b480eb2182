/** Owns the binding of pods to nodes. */
import { isKubeError, resources, withCondition } from '@kfctl/kube';
import type { NodeObject, ObjectKey, ReconcileResult } from '@kfctl/kube';
import { claims } from '../../node/claim-directories.ts';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { tell } from '../controller.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { isPodFinished } from '../workload/pod-facts.ts';
import { writeStatus } from '../workload/write-status.ts';
import { whyNot } from './fit.ts';

const COMPONENT = 'default-scheduler';
/** How long it takes until something that no watch announces is looked at again. */
const RETRY_MS = 60_000;

export function scheduler(deps: ControllerDeps): Controller {
  const pods = deps.informers.of(localPods);
  const waiting = (namespace?: string): ObjectKey[] =>
    pods
      .list(namespace)
      .filter(({ spec }) => spec.nodeName === undefined)
      .map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
  return {
    name: 'scheduler',
    watches: [
      { type: localPods },
      { type: resources.nodes, keys: () => waiting() },
      { type: claims, keys: (claim) => waiting(claim.metadata.namespace) },
    ],
    reconcile: (key) => reconcile(deps, key),
  };
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<ReconcileResult | undefined> {
  const pod = deps.informers.of(localPods).get(name, namespace);
  if (
    pod === undefined ||
    pod.spec.nodeName !== undefined ||
    pod.metadata.deletionTimestamp !== undefined ||
    isPodFinished(pod)
  )
    return undefined;
  if ((pod.spec.schedulerName ?? 'default-scheduler') !== 'default-scheduler') return undefined;
  const nodes = deps.informers.of(resources.nodes).list();
  const problem = unboundClaim(deps, pod);
  const node = problem === undefined ? nodes.find((candidate) => whyNot(pod, candidate) === undefined) : undefined;
  if (node === undefined) {
    await refuse(deps, pod, problem ?? summary(pod, nodes));
    return { requeueAfterMs: RETRY_MS };
  }
  await bind(deps, pod, node.metadata.name ?? '');
  return undefined;
}

/** Claims are bound before their pod is: the directory must exist. */
function unboundClaim(deps: ControllerDeps, pod: LocalPod): string | undefined {
  const known = deps.informers.of(claims);
  for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
    if (persistentVolumeClaim === undefined) continue;
    const { claimName } = persistentVolumeClaim;
    const claim = known.get(claimName, pod.metadata.namespace);
    if (claim === undefined) return `0/1 nodes are available: persistentvolumeclaim "${claimName}" not found.`;
    if (claim.status?.phase !== 'Bound')
      return '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
  }
  return undefined;
}

function summary(pod: LocalPod, nodes: readonly NodeObject[]): string {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const reason = whyNot(pod, node) ?? '';
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const reasons = [...counts].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return `0/${nodes.length} nodes are available${reasons === '' ? '' : `: ${reasons}`}.`;
}

async function refuse(deps: ControllerDeps, pod: LocalPod, message: string): Promise<void> {
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
  const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (known?.message === message) return;
  await writeStatus(deps, localPods, {
    object: pod,
    status: { conditions: withCondition(pod.status?.conditions, condition, deps.now()) },
  });
  tell(deps, COMPONENT, { object: asPod(pod), type: 'Warning', reason: 'FailedScheduling', message });
}

function asPod(pod: LocalPod): LocalPod {
  return { ...pod, apiVersion: 'v1', kind: 'Pod' };
}

async function bind(deps: ControllerDeps, pod: LocalPod, nodeName: string): Promise<void> {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, uid },
    target: { apiVersion: 'v1', kind: 'Node', name: nodeName },
  };
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/binding`;
  try {
    const answer = await deps.client.request({ method: 'POST', path, body });
    if (answer.status >= 300 && answer.status !== 409 && answer.status !== 404)
      throw new Error(`binding answered HTTP ${answer.status}`);
    if (answer.status >= 300) return;
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'NotFound')) return;
    throw error;
  }
  tell(deps, COMPONENT, {
    object: asPod(pod),
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${namespace}/${name} to ${nodeName}`,
  });
}
