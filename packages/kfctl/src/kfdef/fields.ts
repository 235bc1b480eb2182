/** Owns the field names of each KfDef version: what may stand where, and what of it kfctl acts on. */

export interface VersionFields {
  readonly spec: readonly string[];
  readonly repo: readonly string[];
}

const SHARED_SPEC = ['version', 'applications', 'plugins', 'secrets', 'repos'] as const;

/** v1alpha1 carries the fields of kfctl 0.6, most of which only other platforms used. */
export const FIELDS: Readonly<Record<string, VersionFields>> = {
  v1alpha1: {
    spec: [
      ...SHARED_SPEC,
      'repo',
      'components',
      'packages',
      'componentParams',
      'platform',
      'appdir',
      'mountLocal',
      'project',
      'email',
      'ipName',
      'hostname',
      'zone',
      'useBasicAuth',
      'skipInitProject',
      'useIstio',
      'enableApplications',
      'serverVersion',
      'deleteStorage',
      'packageManager',
      'manifestsRepo',
    ],
    repo: ['name', 'uri', 'root'],
  },
  v1beta1: { spec: SHARED_SPEC, repo: ['name', 'uri'] },
  v1: { spec: SHARED_SPEC, repo: ['name', 'uri'] },
};

export const ROOT_FIELDS: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];
export const METADATA_FIELDS: readonly string[] = [
  'name',
  'namespace',
  'labels',
  'annotations',
  'clusterName',
  'creationTimestamp',
  'generation',
  'resourceVersion',
  'uid',
];
export const APPLICATION_FIELDS: readonly string[] = ['name', 'kustomizeConfig'];
export const KUSTOMIZE_FIELDS: readonly string[] = ['repoRef', 'overlays', 'parameters'];
export const REPO_REF_FIELDS: readonly string[] = ['name', 'path'];
export const PARAMETER_FIELDS: readonly string[] = ['name', 'value', 'initRequired'];

/** Fields that change nothing here; each is refused when set, with what to do instead. */
export const UNSUPPORTED: Readonly<Record<string, string>> = {
  components: 'list the kustomize packages under spec.applications instead',
  packages: 'list the kustomize packages under spec.applications instead',
  componentParams: 'give parameters under spec.applications[].kustomizeConfig.parameters instead',
};
