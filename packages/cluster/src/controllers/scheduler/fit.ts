/** Owns the question whether a pod may run on a node: selector, affinity, taints, resources that the node does not have. Pure. */
import type { NodeObject } from '@kfctl/kube';
import type { LocalPod, NodeSelector, NodeSelectorTerm } from '../../node/pod/pod-spec.ts';

/** Why not, in the scheduler's words; undefined when the pod fits. */
export function whyNot(pod: LocalPod, node: NodeObject): string | undefined {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const affine = isAffine(pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution, node);
  if (!selected || !affine) return "node(s) didn't match Pod's node affinity/selector";
  const taint = node.spec?.taints?.find(
    ({ key, value = '', effect }) => effect !== 'PreferNoSchedule' && !tolerates(pod, { key, value, effect }),
  );
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: ${taint.value ?? ''}}`;
  if (node.spec?.unschedulable === true && !tolerates(pod, UNSCHEDULABLE)) return 'node(s) were unschedulable';
  const missing = missingResource(pod, node);
  return missing === undefined ? undefined : `Insufficient ${missing}`;
}

const UNSCHEDULABLE = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

function tolerates(
  pod: LocalPod,
  taint: { readonly key: string; readonly value: string; readonly effect: string },
): boolean {
  return (pod.spec.tolerations ?? []).some(({ key, operator = 'Equal', value = '', effect }) => {
    if (effect !== undefined && effect !== '' && effect !== taint.effect) return false;
    if (key === undefined || key === '') return operator === 'Exists';
    return key === taint.key && (operator === 'Exists' || value === taint.value);
  });
}

function isAffine(selector: NodeSelector | undefined, node: NodeObject): boolean {
  return selector === undefined || selector.nodeSelectorTerms.some((term) => matchesTerm(term, node));
}

function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, { metadata }: NodeObject): boolean {
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  const byLabel = matchExpressions.every((term) => matchesValue(term, metadata.labels?.[term.key]));
  return byLabel && matchFields.every((term) => term.key === 'metadata.name' && matchesValue(term, metadata.name));
}

function matchesValue(
  { operator, values = [] }: { readonly operator: string; readonly values?: string[] },
  value: string | undefined,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return Number(value) > Number(values[0]);
    case 'Lt':
      return Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** Processor and memory are shared by everything on this machine and not counted; a resource that the node lacks is. */
function missingResource(pod: LocalPod, node: NodeObject): string | undefined {
  const offered = (node.status as { allocatable?: Record<string, string> } | undefined)?.allocatable ?? {};
  const asked = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap(({ resources }) => [
    ...Object.entries(resources?.requests ?? {}),
    ...Object.entries(resources?.limits ?? {}),
  ]);
  return asked.find(
    ([name, amount]) => name.includes('/') && String(amount) !== '0' && offered[name] === undefined,
  )?.[0];
}
