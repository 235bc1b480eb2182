/** Owns the rule by which an object is gone, and the words on what keeps one that is not. */
import { isConditionTrue } from '@kfctl/kube';
import type { Condition, Pod, UnknownObject } from '@kfctl/kube';
import { READY } from '../apply/wait-for.ts';
import type { Readiness, Waiting } from '../apply/wait-for.ts';

/**
 * The check of a deleted object. One of the same name with another uid is not it: programs that still run make their state anew (the
 * AuthService its check lease, every five seconds), and that goes with its kind.
 */
export function goneCheck(kind: string, uid: string | undefined): (object: UnknownObject | undefined) => Readiness {
  return (object) => {
    if (object === undefined) return READY;
    if (uid !== undefined && object.metadata.uid !== uid) return READY;
    return { kind: 'waiting', reason: reasonOf(kind, object) };
  };
}

/** `kind` apart: lists leave it out of their items. */
function reasonOf(kind: string, object: UnknownObject): string {
  const { finalizers = [], deletionTimestamp } = object.metadata;
  if (deletionTimestamp === undefined) return 'is there, and not being deleted';
  const reasons = [...conditionReasons(kind, object), ...(kind === 'Pod' ? podReasons(object) : [])];
  if (finalizers.length > 0) reasons.push(`waits for the finalizers ${finalizers.join(', ')}`);
  return reasons.length > 0 ? reasons.join('; ') : 'is being deleted';
}

/** What the controllers of namespaces and kinds tell while they empty them, the most telling first. */
const CONDITIONS: Readonly<Record<string, readonly string[]>> = {
  Namespace: [
    'NamespaceDeletionDiscoveryFailure',
    'NamespaceDeletionGroupVersionParsingFailure',
    'NamespaceFinalizersRemaining',
    'NamespaceContentRemaining',
  ],
  CustomResourceDefinition: ['Terminating'],
};

function conditionReasons(kind: string, { status }: UnknownObject): string[] {
  const conditions = ((status ?? {}) as { conditions?: readonly Condition[] }).conditions ?? [];
  return (CONDITIONS[kind] ?? []).flatMap((type) => {
    const message = conditions.find((condition) => condition.type === type)?.message;
    return isConditionTrue(conditions, type) && message !== undefined && message !== '' ? [message] : [];
  });
}

function podReasons(object: UnknownObject): string[] {
  const { spec, status, metadata } = object as unknown as Pod;
  const node = spec?.nodeName;
  if (node === undefined) return [];
  const running = (status?.containerStatuses ?? []).filter(({ state }) => state?.running !== undefined);
  if (running.length === 0) return [`its containers have ended; the kubelet of ${node} has to clean up`];
  const names = running.map(({ name }) => name).join(', ');
  return [`${names} on ${node} has ${metadata.deletionGracePeriodSeconds ?? 0}s to end`];
}

/** What to do about objects that did not go in time. */
export function nextStep(left: readonly Waiting[]): string {
  const says = (text: string): boolean =>
    left.some(({ readiness }) => readiness.kind === 'waiting' && readiness.reason.includes(text));
  const again = 'then run the same command again: it continues where it stopped.';
  if (says('Discovery failed'))
    return `An API that the cluster announces does not answer: find it with "kubectl get apiservices", mend or delete it, ${again}`;
  if (says('finalizers'))
    return `Start the controllers that remove the finalizers; where they are gone for good, take the finalizers out by hand (kubectl edit), ${again}`;
  if (says('kubelet of') || says('to end'))
    return `Look at the nodes (kubectl get nodes, kubectl get pods -A -o wide); pods of a node that is gone: kubectl delete pod NAME -n NAMESPACE --force, ${again}`;
  return 'Look at the reasons above; the same command continues where it stopped (--timeout 15m waits longer).';
}
