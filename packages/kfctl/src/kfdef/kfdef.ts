/** Owns the shape of a deployment's definition after reading, whatever KfDef version it was written in. */

export interface Parameter {
  readonly name: string;
  readonly value: string;
}

export interface Application {
  readonly name: string;
  /** Name of the repository, `manifests` where none is given. */
  readonly repo: string;
  /** Path of the kustomize package inside the repository. */
  readonly path: string;
  readonly overlays: readonly string[];
  readonly parameters: readonly Parameter[];
}

export interface KfDef {
  readonly apiVersion: string;
  readonly name: string;
  readonly namespace: string;
  readonly applications: readonly Application[];
  /** Local directories of kustomize packages by repository name; `manifests` without an entry means the shipped ones. */
  readonly repos: ReadonlyMap<string, string>;
}

export const KFDEF_GROUP = 'kfdef.apps.kubeflow.org';
export const KFDEF_VERSIONS: readonly string[] = ['v1alpha1', 'v1beta1', 'v1'];
export const SHIPPED_REPO = 'manifests';
export const MAX_NAME_LENGTH = 25;
