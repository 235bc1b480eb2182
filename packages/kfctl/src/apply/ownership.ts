/** Owns the mark on objects that kfctl made, by which delete and prune know what is theirs to remove. */
import type { KubeObject, UnknownObject } from '@kfctl/kube';

export const FIELD_MANAGER = 'kfctl';
export const DEPLOYMENT_ANNOTATION = 'kfctl.kubeflow.org/deployment';

/** The deployment that made an object; undefined for objects that were there before. */
export function ownerOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[DEPLOYMENT_ANNOTATION];
}

export function withOwner(object: UnknownObject, deployment: string): UnknownObject {
  return withAnnotation(object, DEPLOYMENT_ANNOTATION, deployment);
}

export function withAnnotation(object: UnknownObject, name: string, value: string): UnknownObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [name]: value } } };
}
