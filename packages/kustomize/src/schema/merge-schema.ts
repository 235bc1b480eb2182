/**
 * Which lists of the built-in types are merged by key in a strategic merge, and by which keys (x-kubernetes-patch-merge-key and
 * x-kubernetes-list-map-keys of the Kubernetes 1.21 API, which the reference uses). Lists that are not named here are replaced.
 */

export type Schema = ObjectSchema | ListSchema;

export interface ObjectSchema {
  readonly kind: 'object';
  readonly fields: Readonly<Record<string, Schema>>;
}

export interface ListSchema {
  readonly kind: 'list';
  /** Empty for a set of scalars. */
  readonly keys: readonly string[];
  readonly items: ObjectSchema | undefined;
}

function object(fields: Readonly<Record<string, Schema>>): ObjectSchema {
  return { kind: 'object', fields };
}

function listBy(keys: string, items?: ObjectSchema): ListSchema {
  return { kind: 'list', keys: keys === '' ? [] : keys.split(' '), items };
}

const metadata = object({ finalizers: listBy(''), ownerReferences: listBy('uid') });
const conditions = object({ conditions: listBy('type') });

const ephemeralContainer = object({
  env: listBy('name'),
  volumeDevices: listBy('devicePath'),
  volumeMounts: listBy('mountPath'),
});
const container = object({ ...ephemeralContainer.fields, ports: listBy('containerPort protocol') });

const podSpec = object({
  containers: listBy('name', container),
  initContainers: listBy('name', container),
  ephemeralContainers: listBy('name', ephemeralContainer),
  hostAliases: listBy('ip'),
  imagePullSecrets: listBy('name'),
  topologySpreadConstraints: listBy('topologyKey whenUnsatisfiable'),
  volumes: listBy('name'),
});

const podTemplate = object({ metadata, spec: podSpec });
const templated = object({ template: podTemplate });
const workload = object({ metadata, spec: templated, status: conditions });
const cronJob = object({ metadata, spec: object({ jobTemplate: object({ metadata, spec: templated }) }) });
const webhooks = object({ metadata, webhooks: listBy('name') });
const withConditions = object({ metadata, status: conditions });
const csiNode = object({ metadata, spec: object({ drivers: listBy('name') }) });
const onlyMetadata = object({ metadata });

const schemas = new Map<string, ObjectSchema>([
  ['v1/Pod', object({ metadata, spec: podSpec, status: object({ conditions: listBy('type'), podIPs: listBy('ip') }) })],
  ['v1/PodTemplate', object({ metadata, template: podTemplate })],
  ['v1/ReplicationController', workload],
  ['v1/Service', object({ metadata, spec: object({ ports: listBy('port protocol') }), status: conditions })],
  ['v1/ServiceAccount', object({ metadata, secrets: listBy('name') })],
  [
    'v1/Node',
    object({
      metadata,
      spec: object({ podCIDRs: listBy('') }),
      status: object({ conditions: listBy('type'), addresses: listBy('type') }),
    }),
  ],
  ['v1/ComponentStatus', object({ metadata, conditions: listBy('type') })],
  ['apps/v1/DaemonSet', workload],
  ['apps/v1/Deployment', workload],
  ['apps/v1/ReplicaSet', workload],
  ['apps/v1/StatefulSet', workload],
  ['batch/v1/Job', workload],
  ['batch/v1/CronJob', cronJob],
  ['batch/v1beta1/CronJob', cronJob],
]);

function add(schema: ObjectSchema, types: Readonly<Record<string, string>>): void {
  for (const [apiVersions, kinds] of Object.entries(types)) {
    for (const apiVersion of apiVersions.split(' ')) {
      for (const kind of kinds.split(' ')) schemas.set(`${apiVersion}/${kind}`, schema);
    }
  }
}

add(webhooks, {
  'admissionregistration.k8s.io/v1 admissionregistration.k8s.io/v1beta1':
    'MutatingWebhookConfiguration ValidatingWebhookConfiguration',
});
add(withConditions, {
  v1: 'Namespace PersistentVolumeClaim',
  'policy/v1 policy/v1beta1': 'PodDisruptionBudget',
  'apiregistration.k8s.io/v1 apiregistration.k8s.io/v1beta1': 'APIService',
});
add(csiNode, { 'storage.k8s.io/v1 storage.k8s.io/v1beta1': 'CSINode' });
add(onlyMetadata, {
  v1: 'Binding ConfigMap Endpoints Event LimitRange PersistentVolume ResourceQuota Secret',
  'apiextensions.k8s.io/v1 apiextensions.k8s.io/v1beta1': 'CustomResourceDefinition',
  'apps/v1': 'ControllerRevision',
  'authentication.k8s.io/v1': 'TokenRequest TokenReview',
  'authentication.k8s.io/v1beta1': 'TokenReview',
  'authorization.k8s.io/v1 authorization.k8s.io/v1beta1':
    'LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview SubjectAccessReview',
  'autoscaling/v1': 'HorizontalPodAutoscaler Scale',
  'autoscaling/v2beta1 autoscaling/v2beta2': 'HorizontalPodAutoscaler',
  'certificates.k8s.io/v1 certificates.k8s.io/v1beta1': 'CertificateSigningRequest',
  'coordination.k8s.io/v1 coordination.k8s.io/v1beta1': 'Lease',
  'discovery.k8s.io/v1 discovery.k8s.io/v1beta1': 'EndpointSlice',
  'events.k8s.io/v1 events.k8s.io/v1beta1': 'Event',
  'extensions/v1beta1': 'Ingress',
  'flowcontrol.apiserver.k8s.io/v1beta1': 'FlowSchema PriorityLevelConfiguration',
  'networking.k8s.io/v1beta1': 'Ingress IngressClass',
  'networking.k8s.io/v1': 'Ingress IngressClass NetworkPolicy',
  'node.k8s.io/v1 node.k8s.io/v1beta1': 'RuntimeClass',
  'policy/v1beta1': 'Eviction PodSecurityPolicy',
  'rbac.authorization.k8s.io/v1 rbac.authorization.k8s.io/v1beta1': 'ClusterRole ClusterRoleBinding Role RoleBinding',
  'scheduling.k8s.io/v1 scheduling.k8s.io/v1beta1': 'PriorityClass',
  'storage.k8s.io/v1 storage.k8s.io/v1beta1': 'CSIDriver StorageClass VolumeAttachment',
  'storage.k8s.io/v1beta1': 'CSIStorageCapacity',
});

export type SchemaLookup = (apiVersion: string, kind: string) => ObjectSchema | undefined;

/** Merge schema of a built-in type; undefined for every other type, whose lists are replaced. */
export const builtInSchema: SchemaLookup = (apiVersion, kind) => schemas.get(`${apiVersion}/${kind}`);
