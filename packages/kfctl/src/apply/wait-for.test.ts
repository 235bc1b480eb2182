import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '@kfctl/kube';
import type { ConfigMap, ResourceType, UnknownObject } from '@kfctl/kube';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { hasAddress, ingressAddresses, namespaceActive, readinessCheck } from './readiness.ts';
import { READY, waitFor } from './wait-for.ts';
import type { Expectation, Readiness, Waiting } from './wait-for.ts';

const type = resources.configMaps as unknown as ResourceType;
const map = (name: string, state: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'a' },
  data: { state },
});

function expectation(name: string): Expectation {
  const check = (object: UnknownObject | undefined): Readiness => {
    const state = (object as unknown as ConfigMap | undefined)?.data?.['state'];
    if (state === 'good') return READY;
    return { kind: state === 'broken' ? 'failed' : 'waiting', reason: state ?? 'missing' };
  };
  return { id: { group: '', kind: 'ConfigMap', namespace: 'a', name }, type, check };
}

const bounds = { timeoutMs: 10_000, signal: new AbortController().signal };

test('waits for objects that do not exist yet and for changes, without asking again and again', async () => {
  const client = new MemoryKubeClient();
  await client.create(resources.configMaps, map('one', 'bad'));
  const seen: number[] = [];
  const waiting = waitFor(client, [expectation('one'), expectation('two')], {
    ...bounds,
    onProgress: (pending) => seen.push(pending.length),
  });
  await client.create(resources.configMaps, map('two', 'good'));
  await client.replace(resources.configMaps, map('one', 'good'));
  assert.deepEqual(await waiting, []);
  assert.equal(seen.at(-1), 0);
});

test('ends as soon as one has failed for good', async () => {
  const client = new MemoryKubeClient();
  await client.create(resources.configMaps, map('one', 'broken'));
  const left = await waitFor(client, [expectation('one')], bounds);
  assert.deepEqual(
    left.map(({ readiness }: Waiting) => readiness),
    [{ kind: 'failed', reason: 'broken' }],
  );
});

test('tells what is missing when the time is up or the person stops it', async () => {
  const client = new MemoryKubeClient();
  const late = await waitFor(client, [expectation('one')], { ...bounds, timeoutMs: 20 });
  assert.deepEqual(
    late.map(({ readiness }) => readiness),
    [{ kind: 'waiting', reason: 'missing' }],
  );
  const stopped = await waitFor(client, [expectation('one')], { ...bounds, signal: AbortSignal.abort() });
  assert.equal(stopped.length, 1);
});

test('nothing to wait for is no wait', async () =>
  assert.deepEqual(await waitFor(new MemoryKubeClient(), [], bounds), []));

const judge = (group: string, kind: string, object: object): Readiness | undefined =>
  readinessCheck({ group, kind })?.({
    apiVersion: 'v1',
    kind,
    metadata: { generation: 2 },
    ...object,
  } as UnknownObject);

for (const [what, expected, group, kind, object] of [
  [
    'a kind that is served',
    'ready',
    'apiextensions.k8s.io',
    'CustomResourceDefinition',
    { status: { conditions: [{ type: 'Established', status: 'True' }] } },
  ],
  ['a kind that is not served', 'waiting', 'apiextensions.k8s.io', 'CustomResourceDefinition', {}],
  [
    'a kind whose names are taken',
    'failed',
    'apiextensions.k8s.io',
    'CustomResourceDefinition',
    { status: { conditions: [{ type: 'NamesAccepted', status: 'False' }] } },
  ],
  [
    'a rollout that is done',
    'ready',
    'apps',
    'Deployment',
    { spec: { replicas: 2 }, status: { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 } },
  ],
  [
    'a rollout that its controller has not seen',
    'waiting',
    'apps',
    'Deployment',
    { spec: { replicas: 1 }, status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, availableReplicas: 1 } },
  ],
  [
    'a rollout with old pods',
    'waiting',
    'apps',
    'Deployment',
    { spec: { replicas: 1 }, status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 2 } },
  ],
  [
    'a rollout that makes no progress',
    'failed',
    'apps',
    'Deployment',
    { status: { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] } },
  ],
  [
    'a Deployment scaled to nothing',
    'ready',
    'apps',
    'Deployment',
    { spec: { replicas: 0 }, status: { observedGeneration: 2 } },
  ],
  [
    'a StatefulSet with its pods',
    'ready',
    'apps',
    'StatefulSet',
    { spec: { replicas: 1 }, status: { observedGeneration: 2, readyReplicas: 1 } },
  ],
  [
    'a StatefulSet without',
    'waiting',
    'apps',
    'StatefulSet',
    { spec: { replicas: 1 }, status: { observedGeneration: 2 } },
  ],
  [
    'a DaemonSet without nodes',
    'ready',
    'apps',
    'DaemonSet',
    { status: { observedGeneration: 2, desiredNumberScheduled: 0 } },
  ],
  [
    'a DaemonSet with a node too few',
    'waiting',
    'apps',
    'DaemonSet',
    { status: { observedGeneration: 2, desiredNumberScheduled: 2, numberAvailable: 1, updatedNumberScheduled: 2 } },
  ],
  [
    'a Job that is complete',
    'ready',
    'batch',
    'Job',
    { status: { conditions: [{ type: 'Complete', status: 'True' }] } },
  ],
  ['a Job that failed', 'failed', 'batch', 'Job', { status: { conditions: [{ type: 'Failed', status: 'True' }] } }],
] as const) {
  test(`${what} is ${expected}`, () => assert.equal(judge(group, kind, object)?.kind, expected));
}

test('kinds without a rule are ready when they exist', () => {
  assert.equal(readinessCheck({ group: '', kind: 'ConfigMap' }), undefined);
});

test('a Service is ready with its address, a workspace with its namespace', () => {
  const service = (ingress: object[]): UnknownObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {},
    status: { loadBalancer: { ingress } },
  });
  assert.equal(hasAddress(service([])).kind, 'waiting');
  assert.equal(hasAddress(service([{ ip: '10.0.0.100' }])).kind, 'ready');
  assert.deepEqual(ingressAddresses(service([{ ip: '10.0.0.100' }, { hostname: 'lb.example.org' }])), [
    '10.0.0.100',
    'lb.example.org',
  ]);
  const namespace = (deletionTimestamp?: string): UnknownObject => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: deletionTimestamp === undefined ? {} : { deletionTimestamp },
  });
  assert.deepEqual(
    [undefined, namespace('now'), namespace()].map((object) => namespaceActive(object).kind),
    ['waiting', 'waiting', 'ready'],
  );
});
