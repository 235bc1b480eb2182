/** Owns the identity of objects across versions of their API: group, kind, namespace, name. */
import type { KubeObject } from '@kfctl/kube';

export interface ObjectId {
  readonly group: string;
  readonly kind: string;
  /** Empty for cluster-scoped objects. */
  readonly namespace: string;
  readonly name: string;
}

export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

export function idOf(object: KubeObject): ObjectId {
  const { namespace = '', name = '' } = object.metadata;
  return { group: groupOf(object.apiVersion), kind: object.kind, namespace, name };
}

/** A text that is equal for equal ids. */
export function keyOfId(id: ObjectId): string {
  return `${id.group}/${id.kind}/${id.namespace}/${id.name}`;
}

/** `Deployment kubeflow/dex`, as people say it. */
export function describeId(id: ObjectId): string {
  return `${id.kind} ${id.namespace === '' ? '' : `${id.namespace}/`}${id.name}`;
}
