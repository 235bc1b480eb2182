/** configurations, crds and openapi: what kustomize is told about types. */

import type { Fields } from './case.ts';
import type { Random } from './random.ts';
import { type Value, writeYaml } from './write-yaml.ts';

function configuration(random: Random): { [key: string]: Value } {
  const all: { readonly [field: string]: Value[] } = {
    nameReference: [
      {
        kind: random.pick(['ConfigMap', 'Deployment', 'Service', 'Foo']),
        ...(random.chance(0.6) ? { version: 'v1' } : {}),
        fieldSpecs: [
          { kind: 'Foo', path: 'spec/config/ref' },
          { path: 'metadata/annotations/note', kind: 'Service' },
        ],
      },
    ],
    varReference: [
      { kind: 'Foo', path: 'spec/config/ref' },
      { path: 'data', kind: 'ConfigMap' },
      { path: 'metadata/annotations', ...(random.chance(0.5) ? { kind: 'Deployment' } : {}) },
    ],
    commonLabels: [{ path: 'spec/podLabels', kind: 'Foo', create: random.chance(0.7) }],
    commonAnnotations: [{ path: 'spec/notes', kind: 'Foo', create: random.chance(0.7) }],
    templateLabels: [{ path: 'spec/nested/labels', kind: 'Foo', create: true }],
    images: [
      { path: 'spec/config/ref', kind: 'Foo' },
      { path: 'spec/list[]/image', kind: 'Foo' },
    ],
    namespace: [{ path: 'spec/targetNamespace', kind: 'Foo', create: random.chance(0.7) }],
    namePrefix: [{ path: 'spec/config/ref', kind: 'Foo' }],
    nameSuffix: [{ path: 'spec/config/ref', kind: 'Foo' }],
    replicas: [{ path: 'spec/count', kind: 'Foo', create: random.chance(0.7) }],
  };
  return Object.fromEntries(Object.entries(all).filter(() => random.chance(0.35)));
}

/** Definitions as controller generators write them for `crds`. */
function crd(random: Random): Value {
  const base = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { $ref: 'meta.v1.ObjectMeta' } };
  const reference = {
    'x-kubernetes-object-ref-api-version': 'v1',
    'x-kubernetes-object-ref-kind': random.pick(['ConfigMap', 'Secret', 'Service']),
    ...(random.chance(0.6) ? { 'x-kubernetes-object-ref-name-key': random.pick(['ref', 'name']) } : {}),
  };
  const spec = {
    config: reference,
    ...(random.chance(0.5) ? { podLabels: { 'x-kubernetes-label-selector': '' } } : {}),
    ...(random.chance(0.5) ? { notes: { 'x-kubernetes-annotation': '' } } : {}),
    ...(random.chance(0.3) ? { number: { 'x-kubernetes-identity': '' } } : {}),
  };
  return {
    'io.x.v1.Foo': { Schema: { properties: { ...base, spec: { $ref: 'io.x.v1.FooSpec' } } } },
    'io.x.v1.FooSpec': { Schema: { properties: spec } },
  };
}

function openApi(random: Random): Value {
  const list = {
    type: 'array',
    items: { type: 'object' },
    'x-kubernetes-patch-merge-key': random.pick(['name', 'v']),
    'x-kubernetes-patch-strategy': 'merge',
  };
  return {
    definitions: {
      'io.x.v1.Foo': {
        type: 'object',
        properties: { spec: { type: 'object', properties: { list } } },
        'x-kubernetes-group-version-kind': [{ group: 'x.io', version: 'v1', kind: 'Foo' }],
      },
    },
  };
}

export const configurationFields: Fields = {
  configurations: ({ random, files }, directory) => {
    files[`${directory}/config.yaml`] = writeYaml(configuration(random), random);
    if (!random.chance(0.2)) return ['config.yaml'];
    files[`${directory}/config2.yaml`] = writeYaml(configuration(random), random);
    return ['config.yaml', 'config2.yaml'];
  },
  crds: ({ random, files }, directory) => {
    files[`${directory}/crd.json`] = JSON.stringify(crd(random), undefined, 1);
    return ['crd.json'];
  },
  openapi: ({ random, files }, directory) => {
    files[`${directory}/schema.json`] = JSON.stringify(openApi(random), undefined, 1);
    return { path: 'schema.json' };
  },
};
