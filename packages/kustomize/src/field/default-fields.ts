/** The fields that each transformer changes by default. Facts of the Kubernetes API, in the order in which the reference applies them. */

import type { FieldSpec } from './field-spec.ts';

interface Options {
  readonly group?: string;
  readonly version?: string;
  readonly create?: boolean;
}

export function spec(kind: string, path: string, options: Options = {}): FieldSpec {
  return { group: options.group ?? '', version: options.version ?? '', kind, path, create: options.create ?? false };
}

const create = { create: true } as const;
const apps = { group: 'apps' } as const;
const batch = { group: 'batch' } as const;
const coreCreate = { version: 'v1', create: true } as const;

const affinityPaths = ['podAffinity', 'podAntiAffinity'].flatMap((affinity) => [
  `spec/template/spec/affinity/${affinity}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels`,
  `spec/template/spec/affinity/${affinity}/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels`,
]);

const podSelectorPaths = [...affinityPaths, 'spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels'];

function podSelectors(kind: string): FieldSpec[] {
  return podSelectorPaths.map((path) => spec(kind, path, apps));
}

/** Pod templates, with `labels` or `annotations` for the field. */
function templateSpecs(field: string): FieldSpec[] {
  return [
    spec('ReplicationController', `spec/template/metadata/${field}`, coreCreate),
    spec('Deployment', `spec/template/metadata/${field}`, create),
    spec('ReplicaSet', `spec/template/metadata/${field}`, create),
    spec('DaemonSet', `spec/template/metadata/${field}`, create),
  ];
}

function jobSpecs(field: string): FieldSpec[] {
  return [
    spec('Job', `spec/template/metadata/${field}`, { ...batch, ...create }),
    spec('CronJob', `spec/jobTemplate/metadata/${field}`, { ...batch, ...create }),
    spec('CronJob', `spec/jobTemplate/spec/template/metadata/${field}`, { ...batch, ...create }),
  ];
}

export const metadataLabels: FieldSpec = spec('', 'metadata/labels', create);

export const templateLabels: readonly FieldSpec[] = [
  metadataLabels,
  ...templateSpecs('labels'),
  spec('StatefulSet', 'spec/template/metadata/labels', { ...apps, ...create }),
  spec('StatefulSet', 'spec/volumeClaimTemplates[]/metadata/labels', { ...apps, ...create }),
  ...jobSpecs('labels'),
];

export const commonLabels: readonly FieldSpec[] = [
  spec('Service', 'spec/selector', coreCreate),
  spec('ReplicationController', 'spec/selector', coreCreate),
  spec('Deployment', 'spec/selector/matchLabels', create),
  ...podSelectors('Deployment'),
  spec('ReplicaSet', 'spec/selector/matchLabels', create),
  spec('DaemonSet', 'spec/selector/matchLabels', create),
  spec('StatefulSet', 'spec/selector/matchLabels', { ...apps, ...create }),
  ...podSelectors('StatefulSet'),
  spec('Job', 'spec/selector/matchLabels', batch),
  spec('CronJob', 'spec/jobTemplate/spec/selector/matchLabels', batch),
  spec('PodDisruptionBudget', 'spec/selector/matchLabels', { group: 'policy' }),
  spec('NetworkPolicy', 'spec/podSelector/matchLabels', { group: 'networking.k8s.io' }),
  spec('NetworkPolicy', 'spec/ingress/from/podSelector/matchLabels', { group: 'networking.k8s.io' }),
  spec('NetworkPolicy', 'spec/egress/to/podSelector/matchLabels', { group: 'networking.k8s.io' }),
  ...templateLabels,
];

export const commonAnnotations: readonly FieldSpec[] = [
  spec('', 'metadata/annotations', create),
  ...templateSpecs('annotations'),
  spec('StatefulSet', 'spec/template/metadata/annotations', create),
  ...jobSpecs('annotations'),
];

export const namespaceFields: readonly FieldSpec[] = [
  spec('Namespace', 'metadata/name', create),
  spec('APIService', 'spec/service/namespace', { group: 'apiregistration.k8s.io', create: true }),
  spec('CustomResourceDefinition', 'spec/conversion/webhook/clientConfig/service/namespace', {
    group: 'apiextensions.k8s.io',
  }),
];

export const nameFields: readonly FieldSpec[] = [spec('', 'metadata/name')];

export const imageFields: readonly FieldSpec[] = [
  'spec/containers[]/image',
  'spec/initContainers[]/image',
  'spec/template/spec/containers[]/image',
  'spec/template/spec/initContainers[]/image',
].map((path) => spec('', path, create));

export const replicaFields: readonly FieldSpec[] = [
  'Deployment',
  'ReplicationController',
  'ReplicaSet',
  'StatefulSet',
].map((kind) => spec(kind, 'spec/replicas', create));

const varPodPaths = ['containers', 'initContainers'].flatMap((list) =>
  ['args', 'command', 'env/value', 'volumeMounts/mountPath'].map((field) => `${list}/${field}`),
);

function varPodSpecs(kind: string, prefix: string): FieldSpec[] {
  return [...varPodPaths, 'volumes/nfs/server'].map((path) => spec(kind, prefix + path));
}

const cronJobVars = [
  ...varPodPaths.map((path) => spec('CronJob', `spec/jobTemplate/spec/template/spec/${path}`)),
  spec('CronJob', 'spec/jobTemplate/spec/template/volumes/nfs/server'),
];

export const varReferences: readonly FieldSpec[] = [
  ...cronJobVars,
  ...varPodSpecs('DaemonSet', 'spec/template/spec/'),
  ...varPodSpecs('Deployment', 'spec/template/spec/'),
  spec('Deployment', 'spec/template/metadata/annotations'),
  spec('Ingress', 'spec/rules/host'),
  spec('Ingress', 'spec/tls/hosts'),
  spec('Ingress', 'spec/tls/secretName'),
  ...varPodSpecs('Job', 'spec/template/spec/'),
  ...varPodSpecs('Pod', 'spec/'),
  ...varPodSpecs('ReplicaSet', 'spec/template/spec/'),
  spec('Service', 'spec/ports/port'),
  spec('Service', 'spec/ports/targetPort'),
  ...varPodPaths.map((path) => spec('StatefulSet', `spec/template/spec/${path}`)),
  spec('StatefulSet', 'spec/volumeClaimTemplates/spec/nfs/server'),
  spec('PersistentVolume', 'spec/nfs/server'),
  spec('', 'metadata/labels'),
  spec('', 'metadata/annotations'),
];
