/** The curated exports of kube: a thin Kubernetes client, informers and the reconcile loop. */
export { apiVersionOf } from './client/object.ts';
export type { KubeObject, ObjectMeta, OwnerReference, ResourceType, UnknownObject } from './client/object.ts';
export type * from './client/kube-client.ts';
export { isKubeError, KubeError } from './errors.ts';
export type { Informer, ObjectKey } from './informer/informer.ts';
export type { Reconcile, ReconcileResult } from './reconcile/reconcile.ts';
