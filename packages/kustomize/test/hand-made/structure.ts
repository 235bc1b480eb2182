/** Files, bases, components, order, build metadata, and what a kustomization file may hold at all. */

import { type Cases, objects, service, top } from './objects.ts';

export const structureCases: Cases = {
  'unknown field': top(objects + 'bogus: 1\n'),
  'namePrefix not string': top(objects + 'namePrefix: 5\n'),
  'namePrefix bool': top(objects + 'namePrefix: true\n'),
  'resources string': top('resources: web.yaml\n'),
  'resources null': top('resources:\nnamePrefix: a\n'),
  'resources map': top('resources: {a: b}\n'),
  'resources missing': top('resources: [nope.yaml]\n'),
  'resources dup': top('resources: [web.yaml, web.yaml]\n'),
  'empty file': top(''),
  'only comment': top('# x\n'),
  'kind wrong': top(objects + 'kind: Foo\n'),
  'apiVersion wrong': top(objects + 'apiVersion: v9\n'),
  'apiVersion alpha': top(objects + 'apiVersion: kustomize.config.k8s.io/v1alpha1\n'),
  'list top': top('- a\n'),
  'scalar top': top('hello\n'),
  'dup key': top(objects + 'namePrefix: a\nnamePrefix: b\n'),
  'two docs': top(objects + '---\nnamePrefix: a\n'),
  'sort fifo': top(objects + 'sortOptions: {order: fifo}\n'),
  'sort bad': top(objects + 'sortOptions: {order: zap}\n'),
  'sort empty': top(objects + 'sortOptions: {}\n'),
  'sort fifo+legacy': top(objects + 'sortOptions: {order: fifo, legacySortOptions: {orderFirst: [Service]}}\n'),
  'sort legacy': top(
    objects + 'sortOptions: {order: legacy, legacySortOptions: {orderFirst: [Service], orderLast: [ConfigMap]}}\n',
  ),
  'buildMetadata bad': top(objects + 'buildMetadata: [zap]\n'),
  'buildMetadata all': top(objects + 'buildMetadata: [managedByLabel, originAnnotations, transformerAnnotations]\n'),
  'component as resource': top('resources: [../c]\n', {
    'c/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a\n',
  }),
  'resource as component': top(objects + 'components: [../c]\n', { 'c/kustomization.yaml': 'namePrefix: a\n' }),
  'component file': top(objects + 'components: [svc.yaml]\n'),
  'components only': top('components: [../c]\n', {
    'c/kustomization.yaml': 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [r.yaml]\n',
    'c/r.yaml': service,
  }),
  bases: top('bases: [../c]\n', { 'c/kustomization.yaml': 'resources: [r.yaml]\n', 'c/r.yaml': service }),
  'bases file': top('bases: [svc.yaml]\n'),
  'two kustomization files': top(objects, { 'top/kustomization.yml': objects }),
  'base twice prefix': top('resources: [../a, ../b]\n', {
    'a/kustomization.yaml': 'resources: [../c]\nnamePrefix: a-\n',
    'b/kustomization.yaml': 'resources: [../c]\nnamePrefix: b-\n',
    'c/kustomization.yaml': 'resources: [r.yaml]\n',
    'c/r.yaml': service,
  }),
  'base twice same': top('resources: [../c, ../c]\n', {
    'c/kustomization.yaml': 'resources: [r.yaml]\n',
    'c/r.yaml': service,
  }),
  'no namespace kind': top('resources: [r.yaml]\nnamespace: x\n', {
    'top/r.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n',
  }),
  'resource no kind': top('resources: [r.yaml]\n', { 'top/r.yaml': 'apiVersion: v1\nmetadata: {name: a}\n' }),
  'resource no name': top('resources: [r.yaml]\n', { 'top/r.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {}\n' }),
  'resource no apiVersion': top('resources: [r.yaml]\n', { 'top/r.yaml': 'kind: Service\nmetadata: {name: a}\n' }),
  'resource empty': top('resources: [r.yaml]\n', { 'top/r.yaml': '' }),
  'resource list': top('resources: [r.yaml]\n', { 'top/r.yaml': '- a\n' }),
  'resource generateName': top('resources: [r.yaml]\n', {
    'top/r.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {generateName: a}\n',
  }),
  'resource json': top('resources: [r.json]\n', {
    'top/r.json': '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"n":1.0,"x":null}',
  }),
  'List kind': top('resources: [r.yaml]\n', { 'top/r.yaml': 'apiVersion: v1\nkind: List\nitems: []\n' }),
  ConfigMapList: top('resources: [r.yaml]\n', {
    'top/r.yaml':
      'apiVersion: v1\nkind: ConfigMapList\nitems: [{apiVersion: v1, kind: ConfigMap, metadata: {name: q}}]\n',
  }),
  'name int': top('resources: [r.yaml]\n', { 'top/r.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: 5}\n' }),
  'label int': top('resources: [r.yaml]\ncommonLabels: {a: b}\n', {
    'top/r.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {x: 5}}\n',
  }),
  'ann bool': top('resources: [r.yaml]\n', {
    'top/r.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, annotations: {x: true}}\n',
  }),
  'nameprefix lower': top(objects + 'nameprefix: a-\n'),
  metadata: top(objects + 'metadata: {name: x, annotations: {a: b}}\n'),
  'namespace invalid': top(objects + 'namespace: "A B"\n'),
  'abs resource': top(`resources: [/etc/hostname]\n`),
  inventory: top(objects + 'inventory: {type: ConfigMap}\n'),
};
