import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { goneCheck, nextStep } from './gone.ts';

function reason(kind: string, { metadata = {}, ...more }: { metadata?: object; [field: string]: unknown }): string {
  // As lists give them: without their kind.
  const object = { metadata: { uid: '1', deletionTimestamp: 'now', ...metadata }, ...more } as unknown as UnknownObject;
  const readiness = goneCheck(kind, '1')(object);
  return readiness.kind === 'ready' ? 'gone' : readiness.reason;
}

const condition = (type: string, message: string, status = 'True'): object => ({ type, status, message });

test('an object is gone when there is none, or another of its name', () => {
  assert.equal(goneCheck('Pod', '1')(undefined).kind, 'ready');
  assert.equal(reason('Pod', { metadata: { uid: '2' } }), 'gone');
  assert.equal(reason('ConfigMap', {}), 'is being deleted');
  assert.equal(reason('ConfigMap', { metadata: { deletionTimestamp: undefined } }), 'is there, and not being deleted');
});

test('finalizers are named', () => {
  assert.equal(reason('ConfigMap', { metadata: { finalizers: ['a/b', 'c'] } }), 'waits for the finalizers a/b, c');
});

test('a namespace and a kind say what their controllers say', () => {
  const conditions = [
    condition('NamespaceContentRemaining', 'Some resources are remaining: pods. has 2 resource instances'),
    condition('NamespaceDeletionDiscoveryFailure', 'Discovery failed for some groups', 'False'),
    condition('NamespaceFinalizersRemaining', 'Some content has finalizers remaining: a/b in 1 resource instances'),
  ];
  assert.equal(
    reason('Namespace', { status: { conditions } }),
    'Some content has finalizers remaining: a/b in 1 resource instances; ' +
      'Some resources are remaining: pods. has 2 resource instances',
  );
  const terminating = [condition('Terminating', 'CustomResource deletion is in progress')];
  assert.equal(
    reason('CustomResourceDefinition', {
      metadata: { finalizers: ['cleanup'] },
      status: { conditions: terminating },
    }),
    'CustomResource deletion is in progress; waits for the finalizers cleanup',
  );
});

test('a pod says whether it still runs or its kubelet has yet to clean up', () => {
  const statuses = (state: object): object => ({ containerStatuses: [{ name: 'dex', state }] });
  const pod = (status: object): string =>
    reason('Pod', { metadata: { deletionGracePeriodSeconds: 30 }, spec: { nodeName: 'node-1' }, status });
  assert.equal(pod(statuses({ running: {} })), 'dex on node-1 has 30s to end');
  assert.equal(pod(statuses({ terminated: {} })), 'its containers have ended; the kubelet of node-1 has to clean up');
  assert.equal(reason('Pod', {}), 'is being deleted');
});

test('the next step follows from the reasons', () => {
  const left = (text: string): string =>
    nextStep([
      {
        id: { group: '', kind: 'Pod', namespace: 'a', name: 'b' },
        readiness: { kind: 'waiting', reason: text },
      },
    ]);
  assert.match(left('Discovery failed for some groups'), /kubectl get apiservices/);
  assert.match(left('waits for the finalizers a'), /take the finalizers out by hand/);
  assert.match(left('dex on node-1 has 30s to end'), /kubectl get nodes/);
  assert.match(left('is being deleted'), /--timeout 15m/);
});
