/** Names, namespaces, labels, annotations, images, replicas, order and build metadata. */

import { type Fields, meta, text } from './case.ts';
import { names } from './make-objects.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

function label(random: Random): Value {
  const fields = [
    { path: 'spec/extra/labels', kind: 'Foo', create: random.chance(0.6) },
    { path: 'spec/selector', kind: 'Service', create: random.chance(0.5) },
    { path: 'spec/template/metadata/labels', group: 'apps', create: random.chance(0.5) },
    { path: 'metadata/annotations', version: 'v1', create: true },
    { path: 'spec/list[]/labels', kind: 'Foo', create: true },
  ];
  return {
    pairs: { [random.pick(['owner', 'app', 'x.io/y'])]: random.pick(['me', '1', 'true', '', 'null', '010']) },
    ...(random.chance(0.4) ? { includeSelectors: random.chance(0.8) } : {}),
    ...(random.chance(0.4) ? { includeTemplates: random.chance(0.8) } : {}),
    ...(random.chance(0.25) ? { fields: random.some(fields, 0.4) } : {}),
  };
}

const images: readonly Value[] = [
  { name: 'nginx', newTag: '1.26' },
  { name: 'nginx', newTag: 'latest', newName: 'mirror.local:5000/nginx' },
  { name: 'redis', newName: 'mirror/redis' },
  { name: 'redis', newName: 'mirror/redis', digest: 'sha256:fff' },
  { name: 'registry.local:5000/team/app', newTag: 'v2' },
  { name: 'gcr.io/x/y', newName: 'z' },
  { name: 'gcr.io/x/.*', newTag: '3' },
  { name: 'busybox', newTag: '1', digest: 'sha256:00' },
  { name: 'busybox', tagSuffix: '-slim' },
  { name: 'nginx', tagSuffix: '-alpine' },
];

export const simpleFields: Fields = {
  namePrefix: ({ random }) => random.pick(['pre-', 'x-', 'p', 'web-']),
  nameSuffix: ({ random }) => random.pick(['-suf', '-v2', '1']),
  namespace: ({ random }) => random.pick(['shop', 'prod', 'default', 'infra']),
  commonLabels: ({ random }) => ({
    team: random.pick(['a', 'b', '5']),
    ...(random.chance(0.3) ? { app: 'common' } : {}),
  }),
  labels: ({ random }) => Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => label(random)),
  commonAnnotations: ({ random }) => ({
    contact: random.pick(['x@y.z', '5', 'a: b', 'two\nlines\n', '']),
    ...(random.chance(0.2) ? { note: 'over' } : {}),
  }),
  images: ({ random }) => random.some(images, 0.35),
  replicas: ({ random, objects }) => {
    const kinds = ['Deployment', 'StatefulSet', 'ReplicaSet'];
    const found = objects.filter((object) => kinds.includes(text(object['kind'])));
    return found.length === 0 ? undefined : [{ name: text(meta(random.pick(found))['name']), count: random.below(10) }];
  },
  sortOptions: ({ random }) =>
    random.pick<Value>([
      { order: 'fifo' },
      { order: 'legacy' },
      { order: 'legacy', legacySortOptions: { orderFirst: ['Deployment', 'Foo'], orderLast: ['Namespace'] } },
      { order: 'legacy', legacySortOptions: { orderFirst: [], orderLast: ['Service', 'ConfigMap', 'Deployment'] } },
      { order: 'legacy', legacySortOptions: { orderFirst: ['Role', 'NoSuchKind', 'Secret'] } },
    ]),
  buildMetadata: ({ random }) => random.some(['managedByLabel', 'originAnnotations', 'transformerAnnotations'], 0.4),
  metadata: ({ random }) => ({ name: random.pick(names) }),
};
