/** Owns DaemonSets: one pod on every node that it fits. */
import { resources } from '@kfctl/kube';
import type { NodeObject, ObjectKey, Workload } from '@kfctl/kube';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { whyNot } from '../scheduler/fit.ts';
import { claimObjects, controllerKey } from '../workload/ownership.ts';
import { createPod, deletePod } from '../workload/pod-control.ts';
import { isPodFinished, isPodReady } from '../workload/pod-facts.ts';
import { ensureRevision, revisionHash, REVISION_LABEL } from '../workload/revisions.ts';
import { podFromTemplate } from '../workload/template.ts';
import { writeStatus } from '../workload/write-status.ts';

const COMPONENT = 'daemonset-controller';
const TOLERATED = [
  'not-ready:NoExecute',
  'unreachable:NoExecute',
  'disk-pressure:NoSchedule',
  'memory-pressure:NoSchedule',
  'pid-pressure:NoSchedule',
  'unschedulable:NoSchedule',
];

export function daemonSetController(deps: ControllerDeps): Controller {
  const sets = deps.informers.of(resources.daemonSets);
  const all = (): ObjectKey[] =>
    sets.list().map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
  return {
    name: 'daemonset',
    watches: [
      { type: resources.daemonSets },
      { type: localPods, keys: controllerKey('DaemonSet') },
      { type: resources.nodes, keys: all },
    ],
    reconcile: (key) => reconcile(deps, key),
  };
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<undefined> {
  const set = await deps.client.get(resources.daemonSets, name, { namespace });
  if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
  const pods = await claimObjects(deps, { type: localPods, owner: set, selector: set.spec?.selector });
  const inUse = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL] ?? ''));
  const hash = revisionHash(await ensureRevision(deps, set, inUse));
  const nodes = deps.informers.of(resources.nodes).list();
  const wanted = nodes.filter((node) => whyNot(daemonPod(set, node, hash), node) === undefined);
  const plan = planPods(set, { pods, wanted, hash });
  const owner = { object: set, component: COMPONENT };
  await Promise.all(plan.remove.map((pod) => deletePod(deps, owner, pod)));
  await Promise.all(plan.create.map((node) => createPod(deps, owner, daemonPod(set, node, hash))));
  await tellStatus(deps, set, { pods, wanted, hash });
}

/** Bound to its node by affinity, so that the scheduler has the last word. */
function daemonPod(set: Workload, node: NodeObject, hash: string): LocalPod {
  const pod = podFromTemplate(set, set.spec?.template, { labels: { [REVISION_LABEL]: hash } });
  const nodeSelectorTerms = [
    { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node.metadata.name ?? ''] }] },
  ];
  const extra = TOLERATED.map((text) => {
    const [key = '', effect = ''] = text.split(':');
    return { key: `node.kubernetes.io/${key}`, operator: 'Exists', effect };
  });
  const affinity = {
    ...pod.spec.affinity,
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  };
  return { ...pod, spec: { ...pod.spec, affinity, tolerations: [...(pod.spec.tolerations ?? []), ...extra] } };
}

interface View {
  readonly pods: readonly LocalPod[];
  readonly wanted: readonly NodeObject[];
  readonly hash: string;
}

function planPods(set: Workload, { pods, wanted, hash }: View): { create: NodeObject[]; remove: LocalPod[] } {
  const strategy = (set.spec?.['updateStrategy'] as { type?: string } | undefined)?.type ?? 'RollingUpdate';
  const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const surplus = alive.filter((pod) => !names.has(nodeOf(pod)) || isPodFinished(pod));
  const stale =
    strategy === 'OnDelete'
      ? []
      : alive.filter((pod) => pod.metadata.labels?.[REVISION_LABEL] !== hash && !surplus.includes(pod));
  // A pod that still ends keeps its node.
  const create = wanted.filter(({ metadata }) => !pods.some((pod) => nodeOf(pod) === metadata.name));
  return { create, remove: [...surplus, ...stale.slice(0, 1)] };
}

function nodeOf({ spec }: LocalPod): string | undefined {
  const [term] = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  return spec.nodeName ?? term?.matchFields?.[0]?.values?.[0];
}

async function tellStatus(deps: ControllerDeps, set: Workload, { pods, wanted, hash }: View): Promise<void> {
  const names = new Set(wanted.map(({ metadata }) => metadata.name));
  const placed = pods.filter((pod) => names.has(nodeOf(pod)) && pod.metadata.deletionTimestamp === undefined);
  const ready = placed.filter(isPodReady).length;
  const status = {
    observedGeneration: set.metadata.generation ?? 0,
    desiredNumberScheduled: wanted.length,
    currentNumberScheduled: placed.length,
    numberMisscheduled: pods.length - pods.filter((pod) => names.has(nodeOf(pod))).length,
    numberReady: ready,
    numberAvailable: ready,
    numberUnavailable: Math.max(0, wanted.length - ready),
    updatedNumberScheduled: placed.filter(({ metadata }) => metadata.labels?.[REVISION_LABEL] === hash).length,
  };
  await writeStatus(deps, resources.daemonSets, { object: set, status });
}
