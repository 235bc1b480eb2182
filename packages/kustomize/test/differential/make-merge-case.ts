/**
 * Random strategic merges: an object and patches that were made apart from each other out of the same few names, so that lists meet
 * with the same keys, some of them, none, twice, or of another shape, with directives at every level.
 */

import type { Case } from './case.ts';
import type { Obj } from './make-metadata.ts';
import { Random } from './random.ts';
import { type Value, writeYaml } from './write-yaml.ts';

type Make = (random: Random, depth: number) => Value;

/** Every list of the built-in types that is merged by key, by which keys, and a few that are replaced. */
interface Keyed {
  readonly keys: Readonly<Record<string, readonly Value[]>>;
  readonly fields: Readonly<Record<string, Make>>;
}

const scalar: Make = (random) => random.pick<Value>(['a', 'b', '1', 'true', '', 1, 2.5, true, 'line\nline']);
const words: Make = (random) => random.some(['a', 'b', 'c', 'd'], 0.5);
const labels: Make = (random) => part(random, { app: scalar, tier: scalar, 'x.io/y': scalar }, 0.5);
const reference: Make = (random) => part(random, { name: scalar, key: scalar, optional: () => true }, 0.6);

const environment: Keyed = {
  keys: { name: ['A', 'B', 'C'] },
  fields: {
    value: scalar,
    valueFrom: (random) => part(random, { configMapKeyRef: reference, secretKeyRef: reference }, 0.5),
  },
};
const mounts: Keyed = {
  keys: { mountPath: ['/a', '/b'] },
  fields: { name: scalar, readOnly: () => true, subPath: scalar },
};
const ports: Keyed = {
  keys: { containerPort: [80, 443, 53], protocol: ['TCP', 'UDP', 'TCP'] },
  fields: { name: scalar, hostPort: () => 8080 },
};
const container: Keyed = {
  keys: { name: ['main', 'side', 'third'] },
  fields: {
    image: scalar,
    args: words,
    command: words,
    env: (random, depth) => keyedList(random, environment, depth),
    envFrom: (random) => random.some<Value>([{ configMapRef: { name: 'a' } }, { secretRef: { name: 'b' } }], 0.5),
    ports: (random, depth) => keyedList(random, ports, depth),
    volumeMounts: (random, depth) => keyedList(random, mounts, depth),
    volumeDevices: (random, depth) =>
      keyedList(random, { keys: { devicePath: ['/d', '/e'] }, fields: { name: scalar } }, depth),
    resources: (random) => part(random, { limits: labels, requests: labels }, 0.6),
    securityContext: (random) =>
      part(random, { runAsUser: () => 1, capabilities: (inner) => part(inner, { add: words, drop: words }, 0.6) }, 0.6),
  },
};
const volume: Keyed = {
  keys: { name: ['v', 'w', 'x'] },
  fields: {
    emptyDir: (random) => part(random, { medium: scalar }, 0.5),
    configMap: (random) =>
      part(random, { name: scalar, items: (inner) => inner.some<Value>([{ key: 'a', path: 'b' }], 0.7) }, 0.6),
    secret: (random) => part(random, { secretName: scalar }, 0.8),
    projected: (random) =>
      part(random, { sources: (inner) => inner.some<Value>([{ secret: { name: 'a' } }], 0.7) }, 0.8),
  },
};
const spread: Keyed = {
  keys: { topologyKey: ['zone', 'host'], whenUnsatisfiable: ['DoNotSchedule', 'ScheduleAnyway'] },
  fields: { maxSkew: () => 1, labelSelector: (random) => part(random, { matchLabels: labels }, 0.8) },
};
const pod: Readonly<Record<string, Make>> = {
  containers: (random, depth) => keyedList(random, container, depth),
  initContainers: (random, depth) => (random.chance(0.3) ? keyedList(random, container, depth) : []),
  volumes: (random, depth) => keyedList(random, volume, depth),
  hostAliases: (random, depth) =>
    keyedList(random, { keys: { ip: ['1.1.1.1', '::1'] }, fields: { hostnames: words } }, depth),
  imagePullSecrets: (random, depth) => keyedList(random, { keys: { name: ['a', 'b'] }, fields: {} }, depth),
  topologySpreadConstraints: (random, depth) => keyedList(random, spread, depth),
  tolerations: (random) => random.some<Value>([{ key: 'a', operator: 'Exists' }, { key: 'b' }], 0.5),
  nodeSelector: labels,
  restartPolicy: scalar,
  securityContext: (random) => part(random, { fsGroup: () => 1, sysctls: words }, 0.6),
};

const conditions: Make = (random, depth) =>
  keyedList(random, { keys: { type: ['Ready', 'Done'] }, fields: { status: scalar, reason: scalar } }, depth);
const template: Make = (random) =>
  part(
    random,
    { metadata: (inner) => part(inner, { labels, annotations: labels }, 0.5), spec: (inner) => part(inner, pod, 0.5) },
    0.9,
  );
const workload: Readonly<Record<string, Make>> = {
  spec: (random) =>
    part(
      random,
      {
        replicas: () => 2,
        template,
        selector: (inner) => part(inner, { matchLabels: labels }, 0.7),
        strategy: (inner) => part(inner, { type: scalar, rollingUpdate: labels }, 0.6),
      },
      0.7,
    ),
  status: (random) => part(random, { conditions }, 0.3),
};

/** Kinds by `apiVersion kind`, each with what it is made of. */
const kinds: Readonly<Record<string, Readonly<Record<string, Make>>>> = {
  'apps/v1 Deployment': workload,
  'apps/v1 StatefulSet': workload,
  'apps/v1 DaemonSet': workload,
  'batch/v1 Job': workload,
  'batch/v1 CronJob': {
    spec: (random) =>
      part(
        random,
        {
          schedule: scalar,
          jobTemplate: (inner) => part(inner, { spec: (deep) => part(deep, { template }, 0.9) }, 0.9),
        },
        0.8,
      ),
  },
  'v1 Pod': { spec: (random) => part(random, pod, 0.5), status: (random) => part(random, { conditions }, 0.3) },
  'v1 Service': {
    spec: (random) =>
      part(
        random,
        {
          selector: labels,
          ports: (inner, depth) =>
            keyedList(
              inner,
              {
                keys: { port: [80, 443, 53], protocol: ['TCP', 'UDP', 'TCP'] },
                fields: { name: scalar, targetPort: scalar },
              },
              depth,
            ),
          externalIPs: words,
        },
        0.7,
      ),
  },
  'v1 ServiceAccount': {
    secrets: (random, depth) => keyedList(random, { keys: { name: ['a', 'b'] }, fields: { namespace: scalar } }, depth),
    imagePullSecrets: (random, depth) => keyedList(random, { keys: { name: ['a', 'b'] }, fields: {} }, depth),
  },
  'v1 ConfigMap': { data: labels, binaryData: labels },
  'v1 Node': {
    spec: (random) => part(random, { podCIDRs: words, taints: words }, 0.7),
    status: (random, depth) =>
      part(
        random,
        {
          conditions,
          addresses: (inner) => keyedList(inner, { keys: { type: ['A', 'B'] }, fields: { address: scalar } }, depth),
        },
        0.7,
      ),
  },
  'networking.k8s.io/v1 NetworkPolicy': {
    spec: (random) =>
      part(
        random,
        {
          podSelector: labels,
          policyTypes: words,
          ingress: (inner) => inner.some<Value>([{ from: [{ podSelector: {} }] }], 0.7),
        },
        0.7,
      ),
  },
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': {
    webhooks: (random, depth) =>
      keyedList(random, { keys: { name: ['a.x', 'b.x'] }, fields: { clientConfig: labels, rules: words } }, depth),
  },
  'x.io/v1 Foo': {
    spec: (random, depth) =>
      part(random, { list: (inner) => keyedList(inner, environment, depth), map: labels, words }, 0.8),
  },
};

/** Some of the fields. */
function part(random: Random, fields: Readonly<Record<string, Make>>, chance: number): Obj {
  const entries = random.shuffle(Object.entries(fields)).filter(() => random.chance(chance));
  return Object.fromEntries(entries.map(([name, make]) => [name, make(random, 0)]));
}

function keyedList(random: Random, { keys, fields }: Keyed, depth: number): Value[] {
  const count = Math.max(...Object.values(keys).map((values) => values.length));
  const items = Array.from({ length: count }, (_, index) => index)
    .filter(() => random.chance(0.55))
    .map((index) => {
      const own = Object.entries(keys).flatMap(([name, values], at): [string, Value][] => {
        // The second key is often left out: kubectl has a rule for that.
        if (at > 0 && random.chance(0.4)) return [];
        return [[name, values[index % values.length] ?? null]];
      });
      return { ...Object.fromEntries(random.shuffle(own)), ...(depth > 3 ? {} : part(random, fields, 0.4)) };
    });
  return random.chance(0.3) ? random.shuffle(items) : items;
}

function isMap(value: Value | undefined): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What patches have and objects have not: directives, nulls, values of another shape, items twice or without their key. */
function spoil(random: Random, value: Value, depth: number): Value {
  if (random.chance(0.03)) return random.pick<Value>([null, {}, [], 'text', 7]);
  if (Array.isArray(value)) return spoilList(random, value, depth);
  if (!isMap(value)) return random.chance(0.06) ? null : value;
  const out: Obj = {};
  for (const [key, one] of Object.entries(value)) out[key] = spoil(random, one, depth + 1);
  if (depth > 0 && random.chance(0.05)) out['$patch'] = random.pick(['delete', 'replace', 'merge']);
  if (random.chance(0.02))
    out[random.pick(['$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/args'])] = ['a', 'name'];
  if (random.chance(0.04)) out['gone'] = null;
  return out;
}

function spoilList(random: Random, list: readonly Value[], depth: number): Value[] {
  const items = list.map((item) => spoil(random, item, depth + 1));
  const [first] = items;
  if (first !== undefined && random.chance(0.05)) items.push(structuredClone(first));
  if (isMap(first) && random.chance(0.04)) delete first[Object.keys(first)[0] ?? ''];
  if (random.chance(0.05))
    items.splice(random.below(items.length + 1), 0, { $patch: random.pick(['delete', 'replace', 'merge']) });
  if (random.chance(0.02)) items.push(random.pick<Value>([null, 'text', [], {}]));
  return items;
}

function makeObject(random: Random, kind: string): Obj {
  const [apiVersion = '', name = ''] = kind.split(' ');
  const metadata: Obj = { name: 'it', ...part(random, { labels, annotations: labels, finalizers: words }, 0.3) };
  return { apiVersion, kind: name, metadata, ...part(random, kinds[kind] ?? {}, 0.95) };
}

function makePatch(random: Random, kind: string): Obj {
  const { apiVersion = null, kind: name = null, metadata, ...rest } = makeObject(random, kind);
  const own = spoil(random, { metadata: metadata ?? {}, ...rest }, 0);
  const patch = isMap(own) ? own : {};
  const changed = isMap(patch['metadata']) ? patch['metadata'] : {};
  delete changed['$patch'];
  const whole = random.chance(0.02) ? { $patch: random.pick(['delete', 'replace', 'merge']) } : {};
  return { apiVersion, kind: name, ...patch, metadata: { ...changed, name: 'it' }, ...whole };
}

/** One object and one to three patches, one after the other. */
export function makeMergeCase(seed: number): Case {
  const random = new Random(seed);
  const kind = random.pick(Object.keys(kinds));
  const patches = Array.from({ length: 1 + random.below(3) }, () => ({
    patch: writeYaml(makePatch(random, kind), random),
  }));
  const files = {
    'top/object.yaml': writeYaml(makeObject(random, kind), random),
    'top/kustomization.yaml': writeYaml({ resources: ['object.yaml'], patches }, random),
  };
  return { files, directory: 'top' };
}
