/** Random Kubernetes objects that name each other, of every kind that kustomize treats in its own way. */

import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

export type Obj = { [key: string]: Value };

export const names: readonly string[] = ['web', 'api', 'db', 'cache'];
const namespaces = ['', '', '', 'shop', 'infra', 'default'];
const images = [
  'nginx',
  'nginx:1.25',
  'redis:7@sha256:abc',
  'registry.local:5000/team/app:v1',
  'gcr.io/x/y@sha256:0123',
  'busybox',
];

function metadata(random: Random, name: string, extra: Obj = {}): Obj {
  const namespace = random.pick(namespaces);
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...(random.chance(0.4)
      ? { labels: { app: name, ...(random.chance(0.3) ? { tier: random.pick(['front', 'back', 'true', '1']) } : {}) } }
      : {}),
    ...(random.chance(0.25)
      ? { annotations: { note: random.pick(['plain', 'true', 'a: b', '$(VAR)', 'x\ny\n', '']) } }
      : {}),
    ...(random.chance(0.08) ? { finalizers: random.some(['a/x', 'b/y', 'c/z'], 0.6) } : {}),
    ...extra,
  };
}

function env(random: Random): Value[] {
  return random.some(
    [
      { name: 'A', value: random.pick(['1', 'x', '$(VAR)', 'pre-$(VAR)-post', '$$(VAR)', '']) },
      { name: 'B', valueFrom: { configMapKeyRef: { name: random.pick(names), key: 'k' } } },
      { name: 'C', valueFrom: { secretKeyRef: { name: random.pick(names), key: 'k' } } },
      { name: 'D', value: 'd' },
    ],
    0.5,
  );
}

function container(random: Random, name: string): Obj {
  return {
    name,
    image: random.pick(images),
    ...(random.chance(0.4) ? { env: env(random) } : {}),
    ...(random.chance(0.2)
      ? { envFrom: [{ configMapRef: { name: random.pick(names) } }, { secretRef: { name: random.pick(names) } }] }
      : {}),
    ...(random.chance(0.3) ? { args: random.pick([['--a', '$(VAR)'], ['x'], []]) } : {}),
    ...(random.chance(0.3) ? { ports: ports(random) } : {}),
    ...(random.chance(0.2)
      ? {
          volumeMounts: [
            { name: 'v', mountPath: '/data' },
            ...(random.chance(0.4) ? [{ name: 'w', mountPath: '/w' }] : []),
          ],
        }
      : {}),
    ...(random.chance(0.2)
      ? { resources: { limits: { cpu: random.pick(['500m', 1, 0.5, '1']), memory: '1Gi' } } }
      : {}),
  };
}

function ports(random: Random): Value[] {
  return random.some(
    [
      { containerPort: 80 },
      { containerPort: 80, protocol: 'UDP' },
      { containerPort: 443, name: 'tls', protocol: 'TCP' },
      { containerPort: 9090, name: 'm' },
    ],
    0.5,
  );
}

function podSpec(random: Random): Obj {
  return {
    containers: [container(random, 'main'), ...(random.chance(0.4) ? [container(random, 'side')] : [])],
    ...(random.chance(0.2) ? { initContainers: [container(random, 'init')] } : {}),
    ...(random.chance(0.3) ? { serviceAccountName: random.pick(names) } : {}),
    ...(random.chance(0.3) ? { volumes: volumes(random) } : {}),
    ...(random.chance(0.15) ? { imagePullSecrets: [{ name: random.pick(names) }] } : {}),
    ...(random.chance(0.1) ? { priorityClassName: random.pick(names) } : {}),
    ...(random.chance(0.1) ? { hostAliases: [{ ip: '1.1.1.1', hostnames: ['a'] }] } : {}),
    ...(random.chance(0.1)
      ? {
          topologySpreadConstraints: [
            { topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'x' } } },
          ],
        }
      : {}),
    ...(random.chance(0.1)
      ? {
          affinity: {
            podAntiAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app: 'x' } } }],
            },
          },
        }
      : {}),
  };
}

function volumes(random: Random): Value[] {
  return random.some(
    [
      { name: 'v', configMap: { name: random.pick(names) } },
      { name: 'w', secret: { secretName: random.pick(names) } },
      { name: 'x', persistentVolumeClaim: { claimName: random.pick(names) } },
      {
        name: 'y',
        projected: { sources: [{ configMap: { name: random.pick(names) } }, { secret: { name: random.pick(names) } }] },
      },
      { name: 'z', emptyDir: {} },
    ],
    0.5,
  );
}

function template(random: Random, name: string): Obj {
  return { ...(random.chance(0.8) ? { metadata: { labels: { app: name } } } : {}), spec: podSpec(random) };
}

function workload(random: Random, kind: string, name: string): Obj {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: metadata(random, name),
    spec: {
      ...(kind !== 'DaemonSet' && random.chance(0.6) ? { replicas: random.below(5) } : {}),
      ...(random.chance(0.8) ? { selector: { matchLabels: { app: name } } } : {}),
      template: template(random, name),
      ...(kind === 'StatefulSet' ? { serviceName: random.pick(names) } : {}),
      ...(kind === 'StatefulSet' && random.chance(0.5)
        ? {
            volumeClaimTemplates: [
              {
                metadata: { name: 'data' },
                spec: { storageClassName: random.pick(names), accessModes: ['ReadWriteOnce'] },
              },
            ],
          }
        : {}),
    },
  };
}

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
  Pod: (random, name) => ({ apiVersion: 'v1', kind: 'Pod', metadata: metadata(random, name), spec: podSpec(random) }),
  Job: (random, name) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: metadata(random, name),
    spec: { template: template(random, name) },
  }),
  CronJob: (random, name) => ({
    apiVersion: random.pick(['batch/v1', 'batch/v1beta1']),
    kind: 'CronJob',
    metadata: metadata(random, name),
    spec: { schedule: '* * * * *', jobTemplate: { spec: { template: template(random, name) } } },
  }),
  Service: (random, name) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata(random, name),
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
    metadata: metadata(random, name),
    data: { k: random.pick(['v', 'line\nline\n', '1', 'true', '']), 'file.conf': 'a = b\n\n[section]\nc = d' },
  }),
  Secret: (random, name) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(random, name),
    type: 'Opaque',
    data: { k: 'dmFsdWU=' },
  }),
  ServiceAccount: (random, name) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadata(random, name),
    ...(random.chance(0.3) ? { imagePullSecrets: [{ name: random.pick(names) }] } : {}),
    ...(random.chance(0.2) ? { secrets: [{ name: 'one' }, { name: 'two' }] } : {}),
  }),
  Role: (random, name) => ({
    apiVersion: `${rbac}/v1`,
    kind: 'Role',
    metadata: metadata(random, name),
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
    metadata: metadata(random, name),
    roleRef: { apiGroup: rbac, kind: random.pick(['Role', 'ClusterRole']), name: random.pick(names) },
    subjects: subjects(random),
  }),
  ClusterRole: (random, name) =>
    withoutNamespace({ apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: metadata(random, name), rules: [] }),
  ClusterRoleBinding: (random, name) =>
    withoutNamespace({
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: metadata(random, name),
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: random.pick(names) },
      subjects: subjects(random),
    }),
  Ingress: (random, name) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: metadata(random, name),
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
    metadata: metadata(random, name),
    spec: { storageClassName: random.pick(names), volumeName: random.pick(names) },
  }),
  PersistentVolume: (random, name) =>
    withoutNamespace({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: metadata(random, name),
      spec: { storageClassName: random.pick(names) },
    }),
  StorageClass: (random, name) =>
    withoutNamespace({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: metadata(random, name),
      provisioner: 'x',
    }),
  HorizontalPodAutoscaler: (random, name) => ({
    apiVersion: random.pick(['autoscaling/v1', 'autoscaling/v2']),
    kind: 'HorizontalPodAutoscaler',
    metadata: metadata(random, name),
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: random.pick(names) }, maxReplicas: 3 },
  }),
  NetworkPolicy: (random, name) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadata(random, name),
    spec: {
      podSelector: random.chance(0.5) ? { matchLabels: { app: name } } : {},
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'x' } } }, { namespaceSelector: {} }] }],
    },
  }),
  PodDisruptionBudget: (random, name) => ({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadata(random, name),
    spec: { minAvailable: random.pick([1, '50%']), selector: { matchLabels: { app: name } } },
  }),
  Namespace: (random, name) =>
    withoutNamespace({ apiVersion: 'v1', kind: 'Namespace', metadata: metadata(random, name) }),
  CustomResourceDefinition: (random, name) =>
    withoutNamespace({
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: metadata(random, name),
      spec: { group: 'x.io', names: { kind: 'Foo' } },
    }),
  ValidatingWebhookConfiguration: (random, name) =>
    withoutNamespace({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: metadata(random, name),
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
      metadata: metadata(random, name),
      spec: { group: 'x.io', service: { name: random.pick(names), namespace: 'shop' } },
    }),
  Foo: (random, name) => ({
    apiVersion: random.pick(['x.io/v1', 'x.io/v1alpha1']),
    kind: 'Foo',
    metadata: metadata(random, name),
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
