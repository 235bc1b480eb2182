/** Owns the one table of built-in kinds: names, scopes, verbs, subresources. It must not hold behaviour. */

export interface BuiltInKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  /** Name of the type in types.json. */
  readonly model: string;
  readonly namespaced: boolean;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly string[];
  /** Only `create`, stores nothing (reviews). */
  readonly virtual?: true;
  /** Another version of this kind is the stored one. */
  readonly storedAs?: string;
}

type Extra = Omit<Partial<BuiltInKind>, 'group' | 'version' | 'plural' | 'kind' | 'model'>;

const ALL = ['all'];

function kindsOf(
  group: string,
  version: string,
  rows: readonly (readonly [string, string, Extra?, string?])[],
): BuiltInKind[] {
  return rows.map(([plural, kind, extra = {}, model = `V1${kind}`]) => ({
    group,
    version,
    plural,
    kind,
    model,
    namespaced: true,
    ...extra,
  }));
}

const CLUSTER = { namespaced: false } as const;
const STATUS = { subresources: ['status'] } as const;
const REVIEW = { virtual: true, namespaced: false } as const;

/** Every built-in kind that the local cluster serves, in the order of discovery. */
export const builtInKinds: readonly BuiltInKind[] = [
  ...kindsOf('', 'v1', [
    ['configmaps', 'ConfigMap', { shortNames: ['cm'] }],
    ['endpoints', 'Endpoints', { shortNames: ['ep'] }],
    ['events', 'Event', { shortNames: ['ev'] }, 'CoreV1Event'],
    ['limitranges', 'LimitRange', { shortNames: ['limits'] }],
    ['namespaces', 'Namespace', { ...CLUSTER, shortNames: ['ns'], subresources: ['finalize', 'status'] }],
    ['nodes', 'Node', { ...CLUSTER, shortNames: ['no'], subresources: ['status'] }],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', { ...STATUS, shortNames: ['pvc'] }],
    ['persistentvolumes', 'PersistentVolume', { ...CLUSTER, ...STATUS, shortNames: ['pv'] }],
    [
      'pods',
      'Pod',
      {
        shortNames: ['po'],
        categories: ALL,
        subresources: ['attach', 'binding', 'eviction', 'exec', 'log', 'portforward', 'resize', 'status'],
      },
    ],
    ['podtemplates', 'PodTemplate'],
    [
      'replicationcontrollers',
      'ReplicationController',
      { shortNames: ['rc'], categories: ALL, subresources: ['scale', 'status'] },
    ],
    ['resourcequotas', 'ResourceQuota', { ...STATUS, shortNames: ['quota'] }],
    ['secrets', 'Secret'],
    ['serviceaccounts', 'ServiceAccount', { shortNames: ['sa'], subresources: ['token'] }],
    ['services', 'Service', { ...STATUS, shortNames: ['svc'], categories: ALL }],
  ]),
  ...kindsOf('apps', 'v1', [
    ['controllerrevisions', 'ControllerRevision'],
    ['daemonsets', 'DaemonSet', { ...STATUS, shortNames: ['ds'], categories: ALL }],
    ['deployments', 'Deployment', { shortNames: ['deploy'], categories: ALL, subresources: ['scale', 'status'] }],
    ['replicasets', 'ReplicaSet', { shortNames: ['rs'], categories: ALL, subresources: ['scale', 'status'] }],
    ['statefulsets', 'StatefulSet', { shortNames: ['sts'], categories: ALL, subresources: ['scale', 'status'] }],
  ]),
  ...kindsOf('batch', 'v1', [
    ['cronjobs', 'CronJob', { ...STATUS, shortNames: ['cj'], categories: ALL }],
    ['jobs', 'Job', { ...STATUS, categories: ALL }],
  ]),
  ...kindsOf('authentication.k8s.io', 'v1', [
    ['selfsubjectreviews', 'SelfSubjectReview', REVIEW],
    ['tokenreviews', 'TokenReview', REVIEW],
  ]),
  ...kindsOf('authorization.k8s.io', 'v1', [
    ['localsubjectaccessreviews', 'LocalSubjectAccessReview', { virtual: true }],
    ['selfsubjectaccessreviews', 'SelfSubjectAccessReview', REVIEW],
    ['selfsubjectrulesreviews', 'SelfSubjectRulesReview', REVIEW],
    ['subjectaccessreviews', 'SubjectAccessReview', REVIEW],
  ]),
  ...kindsOf('autoscaling', 'v2', [
    [
      'horizontalpodautoscalers',
      'HorizontalPodAutoscaler',
      { ...STATUS, shortNames: ['hpa'], categories: ALL },
      'V2HorizontalPodAutoscaler',
    ],
  ]),
  ...kindsOf('coordination.k8s.io', 'v1', [['leases', 'Lease']]),
  ...kindsOf('discovery.k8s.io', 'v1', [['endpointslices', 'EndpointSlice']]),
  ...kindsOf('events.k8s.io', 'v1', [['events', 'Event', { shortNames: ['ev'], storedAs: 'v1' }, 'EventsV1Event']]),
  ...kindsOf('networking.k8s.io', 'v1', [
    ['ingressclasses', 'IngressClass', CLUSTER],
    ['ingresses', 'Ingress', { ...STATUS, shortNames: ['ing'] }],
    ['networkpolicies', 'NetworkPolicy', { shortNames: ['netpol'] }],
  ]),
  ...kindsOf('policy', 'v1', [['poddisruptionbudgets', 'PodDisruptionBudget', { ...STATUS, shortNames: ['pdb'] }]]),
  ...kindsOf('rbac.authorization.k8s.io', 'v1', [
    ['clusterrolebindings', 'ClusterRoleBinding', CLUSTER],
    ['clusterroles', 'ClusterRole', CLUSTER],
    ['rolebindings', 'RoleBinding'],
    ['roles', 'Role'],
  ]),
  ...kindsOf('scheduling.k8s.io', 'v1', [['priorityclasses', 'PriorityClass', { ...CLUSTER, shortNames: ['pc'] }]]),
  ...kindsOf('storage.k8s.io', 'v1', [
    ['csidrivers', 'CSIDriver', CLUSTER],
    ['csinodes', 'CSINode', CLUSTER],
    ['storageclasses', 'StorageClass', { ...CLUSTER, shortNames: ['sc'] }],
    ['volumeattachments', 'VolumeAttachment', { ...CLUSTER, ...STATUS }],
  ]),
  ...kindsOf('admissionregistration.k8s.io', 'v1', [
    ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', { ...CLUSTER, categories: ['api-extensions'] }],
    [
      'validatingwebhookconfigurations',
      'ValidatingWebhookConfiguration',
      { ...CLUSTER, categories: ['api-extensions'] },
    ],
  ]),
  ...kindsOf('apiextensions.k8s.io', 'v1', [
    [
      'customresourcedefinitions',
      'CustomResourceDefinition',
      { ...CLUSTER, ...STATUS, shortNames: ['crd', 'crds'], categories: ['api-extensions'] },
    ],
  ]),
  ...kindsOf('apiregistration.k8s.io', 'v1', [
    ['apiservices', 'APIService', { ...CLUSTER, ...STATUS, categories: ['api-extensions'] }],
  ]),
];
