/** Owns the naming of objects: `namespace/name`. */
import type { KubeObject } from '@kfctl/kube';

/** `namespace/name` of an object; the gateway watches namespaced objects only. */
export function objectKey(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`;
}

/** Istio's order of objects: oldest first, then by namespace and name. */
export function byAge(left: KubeObject, right: KubeObject): number {
  const a = left.metadata.creationTimestamp ?? '';
  const b = right.metadata.creationTimestamp ?? '';
  if (a !== b) return a < b ? -1 : 1;
  return objectKey(left) < objectKey(right) ? -1 : 1;
}
