import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resources } from '@kfctl/kube';
import type { LogOptions, Pod, ResourceType, UnknownObject } from '@kfctl/kube';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { diagnose } from './diagnose.ts';
import { nextStep } from './next-step.ts';
import { createPodWatch } from './pod-watch.ts';
import { readinessCheck } from './readiness.ts';
import { READY, waitFor } from './wait-for.ts';

class Cluster extends MemoryKubeClient {
  log = '';
  readonly logRequests: (LogOptions & { pod: string })[] = [];

  override async *logs(pod: string, options: LogOptions = {}): AsyncGenerator<Buffer> {
    this.logRequests.push({ ...options, pod });
    yield Buffer.from(this.log);
  }
}

const id = { group: 'apps', kind: 'Deployment', namespace: 'kubeflow', name: 'dex' };
const deployment = (availableReplicas: number): UnknownObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'dex', namespace: 'kubeflow' },
  spec: { replicas: 1, selector: { matchLabels: { app: 'dex' } } },
  status: { replicas: 1, updatedReplicas: 1, availableReplicas },
});
const pod = (status: object, { name = 'dex-1', app = 'dex' } = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'kubeflow', labels: { app } },
    status,
  }) as Pod;
const container = (state: object, more: object = {}): object => ({
  containerStatuses: [{ name: 'dex', ready: false, restartCount: 0, state, ...more }],
});
const CRASHING = container(
  { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' } },
  { restartCount: 2, lastState: { terminated: { exitCode: 1, reason: 'Error' } } },
);

/** The reasons that a person is told, one after the other, while `scene` plays. */
async function reasonsDuring(
  client: Cluster,
  scene: (until: (text: string) => Promise<void>) => Promise<unknown>,
): Promise<string[]> {
  await client.create(resources.deployments as unknown as ResourceType, deployment(0));
  const pods = createPodWatch(client, new Set(['kubeflow']));
  const check = pods.explain(readinessCheck(id) ?? (() => READY));
  const told: string[] = [];
  const awaited = new Map<string, () => void>();
  const type = resources.deployments as unknown as ResourceType;
  const waiting = waitFor(client, [{ id, type, check }], {
    timeoutMs: 10_000,
    signal: new AbortController().signal,
    evidence: pods,
    onProgress: ([first]) => {
      if (first === undefined || first.readiness.kind === 'ready') return;
      const { reason } = first.readiness;
      if (told.at(-1) !== reason) told.push(reason);
      awaited.get(reason)?.();
    },
  });
  await scene((text) =>
    told.includes(text) ? Promise.resolve() : new Promise((resolve) => awaited.set(text, resolve)),
  );
  await client.replace(type, deployment(1));
  assert.deepEqual(await waiting, []);
  return told;
}

test('a workload that waits says what its pods say, as it changes, with the last words of a container that crashes', async () => {
  const client = new Cluster();
  client.log = '{"level":"info","msg":"starting"}\n{"level":"error","msg":"cannot start","error":"port in use"}\n';
  const pulling = 'ErrImagePull: no such image (0 of 1 pods available)';
  const crashed =
    'CrashLoopBackOff (exit code 1, Error, 2 restarts): cannot start: port in use (0 of 1 pods available)';
  const told = await reasonsDuring(client, async (until) => {
    await client.create(resources.pods, pod({}, { name: 'other', app: 'other' }));
    await client.create(
      resources.pods,
      pod(container({ waiting: { reason: 'ErrImagePull', message: 'no such image' } })),
    );
    await until(pulling);
    await client.replace(resources.pods, pod(CRASHING));
    await until(crashed);
    // Told again: the words are known.
    await client.patch(resources.pods, 'dex-1', {
      namespace: 'kubeflow',
      patch: { kind: 'merge', body: { metadata: { labels: { changed: 'true' } } } },
    });
  });
  assert.deepEqual(
    told.filter((reason) => reason === pulling || reason === crashed),
    [pulling, crashed],
  );
  assert.deepEqual(
    client.logRequests.map(({ pod, container, previous, tailLines }) => ({ pod, container, previous, tailLines })),
    [{ pod: 'dex-1', container: 'dex', previous: true, tailLines: 1 }],
  );
});

for (const [what, trouble, status] of [
  [
    'no node',
    'not scheduled: 0/1 nodes are available: 1 Insufficient memory.',
    {
      conditions: [
        { type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient memory.' },
      ],
    },
  ],
  ['a container that is being made', 'ContainerCreating', container({ waiting: { reason: 'ContainerCreating' } })],
  ['a container that is not ready yet', 'runs, not ready yet', container({ running: {} })],
  ['no container yet', 'its containers are not made yet', { phase: 'Pending' }],
  [
    'a message of the container’s own',
    'CrashLoopBackOff (exit code 2, Error): the last line',
    container(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { lastState: { terminated: { exitCode: 2, reason: 'Error', message: 'first\nthe last line\n' } } },
    ),
  ],
  [
    'two containers, of which one is well',
    'container web: ErrImagePull',
    {
      containerStatuses: [
        { name: 'dex', ready: true, restartCount: 0, state: { running: {} } },
        { name: 'web', ready: false, restartCount: 0, state: { waiting: { reason: 'ErrImagePull' } } },
      ],
    },
  ],
  ['a pod that is well', undefined, container({ running: {} }, { ready: true })],
] as const) {
  test(`one look at a pod with ${what}: ${trouble ?? 'nothing to say'}`, async () => {
    const client = new Cluster();
    await client.create(resources.pods, pod(status));
    assert.deepEqual(await diagnose(client, deployment(0)), trouble === undefined ? [] : [trouble]);
  });
}

test('a container that ended a moment ago has last words too', async () => {
  const client = new Cluster();
  client.log = 'no settings\n';
  const ended = container({ terminated: { exitCode: 3, reason: 'Error' } }, { restartCount: 1 });
  await client.create(resources.pods, pod(ended));
  assert.deepEqual(await diagnose(client, deployment(0)), ['ended (exit code 3, Error, 1 restart): no settings']);
  assert.equal(client.logRequests[0]?.previous, false);
});

test('the same trouble of several pods is one, and control characters of a log do not reach the terminal', async () => {
  const client = new Cluster();
  client.log = 'red \u001B[31malert\u0007\n';
  for (const name of ['dex-1', 'dex-2']) await client.create(resources.pods, pod(CRASHING, { name }));
  assert.deepEqual(await diagnose(client, deployment(0)), [
    '2 pods: CrashLoopBackOff (exit code 1, Error, 2 restarts): red  [31malert',
  ]);
});

test('the advice follows from the reasons', () => {
  const advice = (reason: string, kind = 'Deployment'): string =>
    nextStep([{ id: { ...id, kind }, readiness: { kind: 'waiting', reason } }]);
  assert.match(advice('ErrImagePull'), /^Give the nodes the image/);
  assert.match(
    advice('CrashLoopBackOff (exit code 1)'),
    /kubectl logs -n kubeflow deployment\/dex --all-containers --previous/,
  );
  assert.match(advice('not scheduled: 0/1 nodes'), /kubectl describe nodes/);
  assert.match(advice('has no address yet', 'Service'), /add the application metallb/);
  assert.match(advice('0 of 1 pods available'), /kfctl doctor/);
});
