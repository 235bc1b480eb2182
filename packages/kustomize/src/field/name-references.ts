/** Which fields hold the name of another object: when that object is renamed, these follow. Facts of the Kubernetes API. */

import type { TypeSelector } from '../resource/identity.ts';
import { spec } from './default-fields.ts';
import type { FieldSpec } from './field-spec.ts';

export interface NameReference {
  /** The type that is referred to. */
  readonly target: TypeSelector;
  readonly referrers: readonly FieldSpec[];
}

const workloads = ['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job'];
const rbac = { group: 'rbac.authorization.k8s.io' } as const;
const core = { version: 'v1' } as const;

function target(kind: string, options: { readonly group?: string; readonly version?: string } = {}): TypeSelector {
  return { group: options.group ?? '', version: options.version ?? '', kind };
}

function inPods(paths: readonly string[], cronJobPaths: readonly string[]): FieldSpec[] {
  return [
    ...paths.map((path) => spec('Pod', `spec/${path}`, core)),
    ...paths.map((path) => spec('PodTemplate', `template/spec/${path}`)),
    ...workloads.flatMap((kind) => paths.map((path) => spec(kind, `spec/template/spec/${path}`))),
    ...cronJobPaths.map((path) => spec('CronJob', `spec/jobTemplate/spec/template/spec/${path}`)),
  ];
}

const configMapEnv = [
  'containers/env/valueFrom/configMapKeyRef/name',
  'initContainers/env/valueFrom/configMapKeyRef/name',
  'containers/envFrom/configMapRef/name',
  'initContainers/envFrom/configMapRef/name',
];

const configMapReferrers = [
  ...inPods(
    ['volumes/configMap/name', ...configMapEnv, 'volumes/projected/sources/configMap/name'],
    ['volumes/configMap/name', 'volumes/projected/sources/configMap/name', ...configMapEnv],
  ),
  spec('Node', 'spec/configSource/configMap'),
  spec('Role', 'rules/resourceNames'),
  spec('ClusterRole', 'rules/resourceNames'),
  spec('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
];

const secretEnv = [
  'containers/env/valueFrom/secretKeyRef/name',
  'initContainers/env/valueFrom/secretKeyRef/name',
  'containers/envFrom/secretRef/name',
  'initContainers/envFrom/secretRef/name',
  'imagePullSecrets/name',
];

const secretReferrers = [
  ...inPods(
    ['volumes/secret/secretName', ...secretEnv, 'volumes/projected/sources/secret/name'],
    ['volumes/secret/secretName', 'volumes/projected/sources/secret/name', ...secretEnv],
  ),
  spec('Ingress', 'spec/tls/secretName'),
  spec('Ingress', 'metadata/annotations/ingress.kubernetes.io\\/auth-secret'),
  spec('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret'),
  spec('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret'),
  spec('ServiceAccount', 'imagePullSecrets/name'),
  ...['secretName', 'adminSecretName', 'userSecretName', 'secretRef'].map((field) =>
    spec('StorageClass', `parameters/${field}`),
  ),
  spec('Role', 'rules/resourceNames'),
  spec('ClusterRole', 'rules/resourceNames'),
  spec('Service', 'spec/template/spec/containers/env/valueFrom/secretKeyRef/name', {
    group: 'serving.knative.dev',
    version: 'v1',
  }),
  spec('PersistentVolume', 'spec/azureFile/secretName'),
];

const serviceReferrers = [
  spec('StatefulSet', 'spec/serviceName', { group: 'apps' }),
  spec('Ingress', 'spec/rules/http/paths/backend/serviceName'),
  spec('Ingress', 'spec/backend/serviceName'),
  spec('Ingress', 'spec/rules/http/paths/backend/service/name'),
  spec('Ingress', 'spec/defaultBackend/service/name'),
  spec('APIService', 'spec/service/name', { group: 'apiregistration.k8s.io' }),
  spec('ValidatingWebhookConfiguration', 'webhooks/clientConfig/service', { group: 'admissionregistration.k8s.io' }),
  spec('MutatingWebhookConfiguration', 'webhooks/clientConfig/service', { group: 'admissionregistration.k8s.io' }),
];

/** A field of pod specs, in the order in which the reference lists the workloads. */
function perWorkload(path: string): FieldSpec[] {
  const kinds = ['StatefulSet', 'Deployment', 'ReplicationController'];
  return [
    spec('Pod', `spec/${path}`),
    ...kinds.map((kind) => spec(kind, `spec/template/spec/${path}`)),
    spec('CronJob', `spec/jobTemplate/spec/template/spec/${path}`),
    spec('Job', `spec/template/spec/${path}`),
    spec('DaemonSet', `spec/template/spec/${path}`),
  ];
}

const scaled = ['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'];

export const nameReferences: readonly NameReference[] = [
  ...scaled.map((kind) => ({
    target: target(kind),
    referrers: [spec('HorizontalPodAutoscaler', 'spec/scaleTargetRef/name')],
  })),
  { target: target('ConfigMap', core), referrers: configMapReferrers },
  { target: target('Secret', core), referrers: secretReferrers },
  { target: target('Service', core), referrers: serviceReferrers },
  { target: target('Role', rbac), referrers: [spec('RoleBinding', 'roleRef/name', rbac)] },
  {
    target: target('ClusterRole', rbac),
    referrers: [spec('RoleBinding', 'roleRef/name', rbac), spec('ClusterRoleBinding', 'roleRef/name', rbac)],
  },
  {
    target: target('ServiceAccount', core),
    referrers: [
      spec('RoleBinding', 'subjects', rbac),
      spec('ClusterRoleBinding', 'subjects', rbac),
      ...perWorkload('serviceAccountName'),
    ],
  },
  { target: target('PersistentVolumeClaim', core), referrers: perWorkload('volumes/persistentVolumeClaim/claimName') },
  {
    target: target('PersistentVolume', core),
    referrers: [spec('PersistentVolumeClaim', 'spec/volumeName'), spec('ClusterRole', 'rules/resourceNames')],
  },
  {
    target: target('StorageClass', { group: 'storage.k8s.io', version: 'v1' }),
    referrers: [
      spec('PersistentVolume', 'spec/storageClassName'),
      spec('PersistentVolumeClaim', 'spec/storageClassName'),
      spec('StatefulSet', 'spec/volumeClaimTemplates/spec/storageClassName'),
    ],
  },
  {
    target: target('PriorityClass', { group: 'scheduling.k8s.io', version: 'v1' }),
    referrers: perWorkload('priorityClassName'),
  },
  {
    target: target('IngressClass', { group: 'networking.k8s.io/v1', version: 'v1' }),
    referrers: [spec('Ingress', 'spec/ingressClassName')],
  },
  {
    target: target('ValidatingAdmissionPolicy', { group: 'admissionregistration.k8s.io' }),
    referrers: [spec('ValidatingAdmissionPolicyBinding', 'spec/policyName', { group: 'admissionregistration.k8s.io' })],
  },
];
