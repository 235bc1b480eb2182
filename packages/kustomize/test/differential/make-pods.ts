/** Random pods and what holds their templates: containers, volumes, environment, scheduling. */

import { images, type Obj, makeMetadata, names } from './make-metadata.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

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

export function podSpec(random: Random): Obj {
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

export function template(random: Random, name: string): Obj {
  return { ...(random.chance(0.8) ? { metadata: { labels: { app: name } } } : {}), spec: podSpec(random) };
}

export function workload(random: Random, kind: string, name: string): Obj {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: makeMetadata(random, name),
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
