/** Owns the mark on objects that kfctl made, by which delete and prune know what is theirs to remove. */
import type { KubeObject, UnknownObject } from '@kfctl/kube';

export const FIELD_MANAGER = 'kfctl';
export const DEPLOYMENT_ANNOTATION = 'kfctl.kubeflow.org/deployment';

/** The deployment that made an object; undefined for objects that were there before. */
export function ownerOf(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[DEPLOYMENT_ANNOTATION];
}

/** Whose objects an apply may treat as its own: the deployment's, and those of the local ones that it takes over. */
export interface Ownership {
  readonly deployment: string;
  readonly takenOver: ReadonlySet<string>;
}

export function isOurs(object: KubeObject, { deployment, takenOver }: Ownership): boolean {
  const owner = ownerOf(object);
  return owner !== undefined && (owner === deployment || takenOver.has(owner));
}

export function withOwner(object: UnknownObject, deployment: string): UnknownObject {
  return withAnnotation(object, DEPLOYMENT_ANNOTATION, deployment);
}

export function withAnnotation(object: UnknownObject, name: string, value: string): UnknownObject {
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [name]: value } } };
}
