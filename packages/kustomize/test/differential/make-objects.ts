/** Random Kubernetes objects that name each other, of every kind that kustomize treats in its own way. */

import { images, makeMetadata, names, type Obj } from './make-metadata.ts';
import { podSpec, template, workload } from './make-pods.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

export { names, type Obj } from './make-metadata.ts';

function subjects(random: Random): Value[] {
  return [
    {
      kind: 'ServiceAccount',
      name: random.pick([...names, 'default']),
      ...(random.chance(0.6) ? { namespace: random.pick(['shop', 'infra', 'default']) } : {}),
    },
    ...(random.chance(0.3) ? [{ kind: 'User', name: 'default', apiGroup: 'rbac.authorization.k8s.io' }] : []),
  ];
}

function withoutNamespace(object: Obj): Obj {
  const meta = object['metadata'];
  if (typeof meta === 'object' && meta !== null && !Array.isArray(meta)) delete meta['namespace'];
  return object;
}

type Maker = (random: Random, name: string) => Obj;

const rbac = 'rbac.authorization.k8s.io';

const makers: { readonly [kind: string]: Maker } = {
  Deployment: (random, name) => workload(random, 'Deployment', name),
  StatefulSet: (random, name) => workload(random, 'StatefulSet', name),
  DaemonSet: (random, name) => workload(random, 'DaemonSet', name),
  ReplicaSet: (random, name) => workload(random, 'ReplicaSet', name),
  Pod: (random, name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: makeMetadata(random, name),
    spec: podSpec(random),
  }),
  Job: (random, name) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: makeMetadata(random, name),
    spec: { template: template(random, name) },
  }),
  CronJob: (random, name) => ({
    apiVersion: random.pick(['batch/v1', 'batch/v1beta1']),
    kind: 'CronJob',
    metadata: makeMetadata(random, name),
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template(random, name) } } },
  }),
  Service: (random, name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: makeMetadata(random, name),
    spec: {
      ...(random.chance(0.7) ? { selector: { app: name } } : {}),
      ports: random.some(
        [
          { port: 80, name: 'http' },
          { port: 443, name: 'https', protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        0.6,
      ),
    },
  }),
  ConfigMap: (random, name) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: makeMetadata(random, name),
    data: { k: random.pick(['v', 'line\nline\n', '1', 'true', '']), 'file.conf': 'a = b\n\n[section]\nc = d' },
  }),
  Secret: (random, name) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: makeMetadata(random, name),
    type: 'Opaque',
    data: { k: 'dmFsdWU=' },
  }),
  ServiceAccount: (random, name) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: makeMetadata(random, name),
    ...(random.chance(0.3) ? { imagePullSecrets: [{ name: random.pick(names) }] } : {}),
    ...(random.chance(0.2) ? { secrets: [{ name: 'one' }, { name: 'two' }] } : {}),
  }),
  Role: (random, name) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: makeMetadata(random, name),
    rules: [
      {
        apiGroups: [''],
        resources: ['configmaps'],
        verbs: ['get'],
        ...(random.chance(0.5) ? { resourceNames: random.some(names, 0.5) } : {}),
      },
    ],
  }),
  RoleBinding: (random, name) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'RoleBinding',
    metadata: makeMetadata(random, name),
    roleRef: { apiGroup: rbac, kind: random.pick(['Role', 'ClusterRole']), name: random.pick(names) },
    subjects: subjects(random),
  }),
  ClusterRole: (random, name) =>
    withoutNamespace({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRole',
      metadata: makeMetadata(random, name),
      rules: [],
    }),
  ClusterRoleBinding: (random, name) =>
    withoutNamespace({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: makeMetadata(random, name),
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: random.pick(names) },
      subjects: subjects(random),
    }),
  Ingress: (random, name) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: makeMetadata(random, name),
    spec: {
      tls: [{ secretName: random.pick(names), hosts: ['$(VAR).local'] }],
      rules: [
        {
          host: 'a.local',
          http: { paths: [{ path: '/', backend: { service: { name: random.pick(names), port: { number: 80 } } } }] },
        },
      ],
    },
  }),
  PersistentVolumeClaim: (random, name) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: makeMetadata(random, name),
    spec: { storageClassName: random.pick(names), volumeName: random.pick(names) },
  }),
  PersistentVolume: (random, name) =>
    withoutNamespace({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: makeMetadata(random, name),
      spec: { storageClassName: random.pick(names) },
    }),
  StorageClass: (random, name) =>
    withoutNamespace({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: makeMetadata(random, name),
      provisioner: 'x',
    }),
  HorizontalPodAutoscaler: (random, name) => ({
    apiVersion: random.pick(['autoscaling/v1', 'autoscaling/v2']),
    kind: 'HorizontalPodAutoscaler',
    metadata: makeMetadata(random, name),
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: random.pick(names) }, maxReplicas: 3 },
  }),
  NetworkPolicy: (random, name) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: makeMetadata(random, name),
    spec: {
      podSelector: random.chance(0.5) ? { matchLabels: { app: name } } : {},
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'x' } } }, { namespaceSelector: {} }] }],
    },
  }),
  PodDisruptionBudget: (random, name) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: makeMetadata(random, name),
    spec: { minAvailable: random.pick([1, '50%']), selector: { matchLabels: { app: name } } },
  }),
  Namespace: (random, name) =>
    withoutNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: makeMetadata(random, name) }),
  CustomResourceDefinition: (random, name) =>
    withoutNamespace({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: makeMetadata(random, name),
      spec: { group: 'x.io', names: { kind: 'Foo' } },
    }),
  ValidatingWebhookConfiguration: (random, name) =>
    withoutNamespace({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: makeMetadata(random, name),
      webhooks: [
        {
          name: 'a.x.io',
          clientConfig: { service: { name: random.pick(names), ...(random.chance(0.7) ? { namespace: 'shop' } : {}) } },
        },
        { name: 'b.x.io', clientConfig: { url: 'https://x' } },
      ],
    }),
  APIService: (random, name) =>
    withoutNamespace({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: makeMetadata(random, name),
      spec: { group: 'x.io', service: { name: random.pick(names), namespace: 'shop' } },
    }),
  Foo: (random, name) => ({
    apiVersion: random.pick(['x.io/v1', 'x.io/v1alpha1']),
    kind: 'Foo',
    metadata: makeMetadata(random, name),
    spec: {
      list: [
        { name: 'a', v: 1 },
        { name: 'b', v: 2 },
      ],
      nested: { containers: [{ name: 'c', image: random.pick(images) }] },
      config: { ref: random.pick(names) },
      number: random.pick([1, 1.5, 1000000, 1234567.5, 0.00001, 1e21, -3]),
      nothing: random.pick<Value>([null, {}, [], '']),
    },
  }),
};

export const kinds: readonly string[] = Object.keys(makers);

export function makeObject(random: Random, kind: string, name: string): Obj {
  const make = makers[kind];
  if (make === undefined) throw new Error(`no maker for ${kind}`);
  return make(random, name);
}
