import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { keyOfId } from '../plan/object-id.ts';
import { CHECKSUM_ANNOTATION, podReferences, withChecksum } from './checksum.ts';

const deployment: UnknownObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'dex', namespace: 'kubeflow' },
  spec: {
    template: {
      spec: {
        volumes: [
          { name: 'a', configMap: { name: 'dex' } },
          { name: 'b', secret: { secretName: 'tls' } },
          { name: 'c', projected: { sources: [{ secret: { name: 'projected' } }] } },
        ],
        containers: [
          {
            name: 'dex',
            envFrom: [{ configMapRef: { name: 'env' } }],
            env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'dex-user', key: 'hash' } } }],
          },
        ],
      },
    },
  },
};

const live = (
  kind: string,
  name: string,
  data: Record<string, string>,
  namespace = 'kubeflow',
): [string, UnknownObject] => [
  keyOfId({ group: '', kind, namespace, name }),
  { apiVersion: 'v1', kind, metadata: { name, namespace }, data },
];

function checksum(applied: [string, UnknownObject][]): string | undefined {
  const { spec } = withChecksum(deployment, new Map(applied)) as unknown as {
    spec: { template: { metadata?: { annotations?: Record<string, string> } } };
  };
  return spec.template.metadata?.annotations?.[CHECKSUM_ANNOTATION];
}

test('finds everything that pods read', () => {
  assert.deepEqual([...podReferences(deployment)].toSorted(), [
    'ConfigMap/dex',
    'ConfigMap/env',
    'Secret/dex-user',
    'Secret/projected',
    'Secret/tls',
  ]);
});

test('changes with the content of a ConfigMap or Secret that pods read', () => {
  const first = checksum([live('ConfigMap', 'dex', { a: '1' })]);
  assert.match(first ?? '', /^[0-9a-f]{64}$/);
  assert.equal(checksum([live('ConfigMap', 'dex', { a: '1' })]), first);
  assert.notEqual(checksum([live('ConfigMap', 'dex', { a: '2' })]), first);
  assert.notEqual(checksum([live('Secret', 'dex-user', { a: '1' })]), first);
});

test('does not change with the order of keys, nor with what pods do not read', () => {
  const first = checksum([live('ConfigMap', 'dex', { a: '1', b: '2' })]);
  assert.equal(checksum([live('ConfigMap', 'dex', { b: '2', a: '1' }), live('ConfigMap', 'other', { a: '1' })]), first);
  assert.equal(checksum([live('ConfigMap', 'dex', { a: '1' }, 'elsewhere')]), undefined);
});

test('objects without pods stay as they are', () => {
  const map: UnknownObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: {} };
  assert.equal(withChecksum(map, new Map()), map);
});
