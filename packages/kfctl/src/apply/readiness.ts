/** Owns the rules by which an object counts as ready, kind by kind. */
import { findCondition, isConditionTrue } from '@kfctl/kube';
import type { Condition, UnknownObject } from '@kfctl/kube';
import type { ObjectId } from '../plan/object-id.ts';
import { READY } from './wait-for.ts';
import type { Readiness } from './wait-for.ts';

type Check = (object: UnknownObject) => Readiness;
interface Counts {
  readonly replicas?: number;
  readonly [field: string]: unknown;
}

const CHECKS: Readonly<Record<string, Check>> = {
  'apiextensions.k8s.io/CustomResourceDefinition': crdEstablished,
  'apps/Deployment': deploymentAvailable,
  'apps/StatefulSet': statefulSetReady,
  'apps/DaemonSet': daemonSetReady,
  'batch/Job': jobComplete,
};

/** The check of a kind; undefined for kinds that are ready once they exist. */
export function readinessCheck({
  group,
  kind,
}: Pick<ObjectId, 'group' | 'kind'>): ((object: UnknownObject | undefined) => Readiness) | undefined {
  const check = CHECKS[`${group}/${kind}`];
  return check === undefined
    ? undefined
    : (object) => (object === undefined ? waiting('does not exist') : check(object));
}

/** A Service of type LoadBalancer is ready when it has an address. */
export function hasAddress(object: UnknownObject | undefined): Readiness {
  return ingressAddresses(object).length > 0 ? READY : waiting('has no address yet');
}

/** The addresses that a load balancer gave a Service. */
export function ingressAddresses(service: UnknownObject | undefined): string[] {
  const status = service?.['status'] as
    | { loadBalancer?: { ingress?: readonly { ip?: string; hostname?: string }[] } }
    | undefined;
  return (status?.loadBalancer?.ingress ?? [])
    .flatMap(({ ip, hostname }) => [ip, hostname])
    .filter((text) => text !== undefined);
}

export function namespaceActive(object: UnknownObject | undefined): Readiness {
  if (object === undefined) return waiting('does not exist yet');
  return object.metadata.deletionTimestamp === undefined ? READY : waiting('is being deleted');
}

function crdEstablished(object: UnknownObject): Readiness {
  const conditions = conditionsOf(object);
  if (isConditionTrue(conditions, 'Established')) return READY;
  const names = findCondition(conditions, 'NamesAccepted');
  return names?.status === 'False' ? failed(names.message ?? 'its names are taken') : waiting('is not established');
}

function deploymentAvailable(object: UnknownObject): Readiness {
  const status = statusOf(object);
  const wanted = countOf(object, 1);
  const progress = findCondition(conditionsOf(object), 'Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return failed(progress.message ?? 'made no progress');
  if (!isObserved(object)) return waiting('not seen by its controller yet');
  const refused = findCondition(conditionsOf(object), 'ReplicaFailure');
  if (refused?.status === 'True') return waiting(refused.message ?? 'its pods cannot be made');
  const [updated, available] = [number(status['updatedReplicas']), number(status['availableReplicas'])];
  if (updated < wanted) return waiting(`${updated} of ${wanted} pods updated`);
  if (available < wanted) return waiting(`${available} of ${wanted} pods available`);
  return number(status['replicas']) > updated ? waiting('old pods are still there') : READY;
}

function statefulSetReady(object: UnknownObject): Readiness {
  const status = statusOf(object);
  const wanted = countOf(object, 1);
  if (!isObserved(object)) return waiting('not seen by its controller yet');
  const ready = number(status['readyReplicas']);
  const current = status['updateRevision'] === undefined || status['updateRevision'] === status['currentRevision'];
  if (!current && number(status['updatedReplicas']) < wanted) return waiting('pods are being updated');
  return ready < wanted ? waiting(`${ready} of ${wanted} pods ready`) : READY;
}

function daemonSetReady(object: UnknownObject): Readiness {
  const status = statusOf(object);
  const wanted = number(status['desiredNumberScheduled']);
  if (!isObserved(object)) return waiting('not seen by its controller yet');
  const available = Math.min(number(status['numberAvailable']), number(status['updatedNumberScheduled']));
  return available < wanted ? waiting(`${available} of ${wanted} pods available`) : READY;
}

function jobComplete(object: UnknownObject): Readiness {
  const conditions = conditionsOf(object);
  if (isConditionTrue(conditions, 'Complete')) return READY;
  const failure = findCondition(conditions, 'Failed');
  return failure?.status === 'True' ? failed(failure.message ?? 'failed') : waiting('is not complete');
}

function isObserved(object: UnknownObject): boolean {
  return number(statusOf(object)['observedGeneration']) >= (object.metadata.generation ?? 0);
}

function countOf(object: UnknownObject, fallback: number): number {
  const { replicas } = (object['spec'] ?? {}) as Counts;
  return replicas ?? fallback;
}

function statusOf(object: UnknownObject): Counts {
  return (object['status'] ?? {}) as Counts;
}

function conditionsOf(object: UnknownObject): readonly Condition[] {
  return (statusOf(object)['conditions'] ?? []) as readonly Condition[];
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function waiting(reason: string): Readiness {
  return { kind: 'waiting', reason };
}

function failed(reason: string): Readiness {
  return { kind: 'failed', reason };
}
