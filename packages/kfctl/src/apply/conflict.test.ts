import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '@kfctl/kube';
import { conflictsOf, withoutFields } from './conflict.ts';

const object = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'dex', annotations: { 'a.b/c': '1', 'a.b': '2' } },
  spec: {
    replicas: 1,
    finalizers: ['x', 'y'],
    template: {
      spec: {
        containers: [
          { name: 'sidecar', image: 'b' },
          {
            name: 'dex',
            image: 'a',
            ports: [
              { containerPort: 80, protocol: 'TCP' },
              { containerPort: 81, protocol: 'TCP' },
            ],
          },
        ],
      },
    },
  },
};

const without = (field: string): unknown => withoutFields(object, [{ field, manager: 'm' }]);

test('removes a plain field', () => {
  const { replicas: _replicas, ...spec } = object.spec;
  assert.deepEqual(without('.spec.replicas'), { ...object, spec });
});

test('finds names that hold dots', () => {
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {},
    data: { 'config.yaml': 'x', config: { yaml: 'y' } },
  };
  assert.deepEqual(withoutFields(map, [{ field: '.data.config.yaml', manager: 'm' }]), {
    ...map,
    data: { config: { yaml: 'y' } },
  });
  const found = without('.metadata.annotations.a.b/c') as typeof object;
  assert.deepEqual(found.metadata.annotations, { 'a.b': '2' });
});

test('finds list elements by their keys', () => {
  const image = without('.spec.template.spec.containers[name="dex"].image') as typeof object;
  assert.equal(image.spec.template.spec.containers[1]?.image, undefined);
  const port = without(
    '.spec.template.spec.containers[name="dex"].ports[containerPort=81,protocol="TCP"]',
  ) as typeof object;
  assert.deepEqual(port.spec.template.spec.containers[1]?.ports, [{ containerPort: 80, protocol: 'TCP' }]);
});

test('finds elements of sets by value', () => {
  assert.deepEqual((without('.spec.finalizers[="y"]') as typeof object).spec.finalizers, ['x']);
});

test('gives up on a field that is not there', () => {
  for (const field of [
    '.spec.nothing',
    '.spec.template.spec.containers[name="x"].image',
    'spec',
    '',
    '.spec.replicas.deep',
  ]) {
    assert.equal(without(field), undefined);
  }
});

test('leaves the input as it was', () => {
  const before = structuredClone(object);
  without('.spec.replicas');
  assert.deepEqual(object, before);
});

test('reads the conflicts of a refused apply', () => {
  const causes = [
    { reason: 'FieldManagerConflict', message: 'conflict with "kubectl-edit" using apps/v1', field: '.spec.replicas' },
  ];
  const error = new KubeError({ status: 409, reason: 'Conflict', message: 'conflict', details: { causes } });
  assert.deepEqual(conflictsOf(error), [{ field: '.spec.replicas', manager: 'kubectl-edit' }]);
});

test('a conflict of versions is no conflict of fields', () => {
  assert.equal(conflictsOf(new KubeError({ status: 409, reason: 'Conflict', message: 'modified' })), undefined);
  assert.equal(conflictsOf(new Error('x')), undefined);
});
