import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isConditionTrue, resources } from '@kfctl/kube';
import type { KubeClient, Workload } from '@kfctl/kube';
import { claims, volumes } from '../src/node/claim-directories.ts';
import { firstChild } from '../src/node/container/process-table.ts';
import { localPods } from '../src/node/pod/pod-spec.ts';
import type { LocalPod } from '../src/node/pod/pod-spec.ts';
import { runCluster, startTestCluster, until } from './running-cluster.ts';
import type { TestCluster } from './running-cluster.ts';
import { kubectl } from './running-server.ts';

const WAIT = 'trap "exit 0" TERM; while true; do sleep 0.05; done';

function pod(name: string, script: string, more: object = {}): LocalPod {
  const spec = {
    terminationGracePeriodSeconds: 1,
    containers: [{ name: 'c', image: 'busybox', command: ['sh', '-c', script] }],
    ...more,
  };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec };
}

function workload(kind: string, name: string, spec: object): Workload {
  const labels = { app: name };
  const containers = [{ name: 'c', image: 'busybox', command: ['sh', '-c', WAIT] }];
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers } };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'default' },
    spec: { selector: { matchLabels: labels }, template, ...spec },
  };
}

const isReady = (object: LocalPod | undefined): boolean => isConditionTrue(object?.status?.conditions, 'Ready');
const isGone = (object: unknown): boolean => object === undefined;
const at = (name: string) => ({ name, namespace: 'default' });
const podsOf = async (client: KubeClient, app: string): Promise<readonly LocalPod[]> =>
  (await client.list(localPods, { namespace: 'default', labelSelector: `app=${app}` })).items;

/** The pod's /data/log, once it has two lines. */
async function twoLines(kubeconfigFile: string, name: string): Promise<string> {
  const script = 'until [ "$(wc -l < /data/log)" -ge 2 ]; do sleep 0.02; done; cat /data/log';
  return (await kubectl({ kubeconfigFile }, ['exec', name, '--', 'sh', '-c', script])).stdout;
}

describe('a running cluster', () => {
  let shared: TestCluster;
  before(async () => {
    shared = await startTestCluster();
  });
  after(() => shared.stop());

  test('a pod runs, mounts what it names, and follows a changed ConfigMap', async () => {
    const { client, kubeconfigFile } = shared;
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: at('settings'), data: { color: 'red' } };
    await client.create(resources.configMaps, config);
    const object = pod(
      'reader',
      `cat /etc/settings/color; echo " $NAME"; until grep -q blue /etc/settings/color; do sleep 0.02; done; echo changed; ${WAIT}`,
    );
    object.spec.volumes = [{ name: 'settings', configMap: { name: 'settings' } }];
    Object.assign(object.spec.containers[0] ?? {}, {
      env: [{ name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      volumeMounts: [{ name: 'settings', mountPath: '/etc/settings' }],
      readinessProbe: { exec: { command: ['test', '-f', '/etc/settings/color'] } },
    });
    await client.create(localPods, object);
    await until(client, localPods, { place: at('reader'), is: isReady });
    await client.replace(resources.configMaps, { ...config, data: { color: 'blue' } });
    const follow = kubectl({ kubeconfigFile }, ['logs', '-f', 'reader']);
    const text = await new Promise<string>((resolve, reject) => {
      const look = async (): Promise<void> => {
        const { stdout } = await kubectl({ kubeconfigFile }, ['logs', 'reader']);
        if (stdout.includes('changed')) resolve(stdout);
        else setTimeout(() => void look().catch(reject), 50);
      };
      void look().catch(reject);
    });
    assert.equal(text, 'red reader\nchanged\n');
    const ran = await kubectl(
      { kubeconfigFile },
      ['exec', '-i', 'reader', '--', 'sh', '-c', 'cat; exit 7'],
      'over stdin',
    );
    assert.deepEqual([ran.stdout, ran.code], ['over stdin', 7]);
    await client.delete(localPods, 'reader', { namespace: 'default' });
    await until(client, localPods, { place: at('reader'), is: isGone });
    assert.equal((await follow).stdout, text);
  });

  test('a container that is killed starts again and keeps its emptyDir', async () => {
    const { client, kubeconfigFile } = shared;
    const object = pod('phoenix', `echo run >> /data/log; ${WAIT}`, { volumes: [{ name: 'data', emptyDir: {} }] });
    Object.assign(object.spec.containers[0] ?? {}, {
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
      readinessProbe: { exec: { command: ['test', '-s', '/data/log'] } },
    });
    await client.create(localPods, object);
    const first = await until(client, localPods, { place: at('phoenix'), is: isReady });
    const outer = Number(first?.status?.containerStatuses?.[0]?.containerID?.replace('process://', ''));
    process.kill((await firstChild(outer)) ?? outer, 'SIGKILL');
    const isBack = (now: LocalPod | undefined): boolean =>
      isReady(now) && now?.status?.containerStatuses?.[0]?.restartCount === 1;
    const again = await until(client, localPods, { place: at('phoenix'), is: isBack });
    assert.equal(again?.metadata.uid, first?.metadata.uid);
    assert.equal(again?.status?.podIP, first?.status?.podIP);
    assert.equal(again?.status?.containerStatuses?.[0]?.lastState.terminated?.exitCode, 137);
    assert.equal(await twoLines(kubeconfigFile, 'phoenix'), 'run\nrun\n');
  });

  test('a Deployment rolls to a new template, its Service follows, and deleting it removes all that it made', async () => {
    const { client, kubeconfigFile } = shared;
    await client.create(resources.deployments, workload('Deployment', 'web', { replicas: 2 }));
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: at('web'),
      spec: { selector: { app: 'web' }, ports: [{ port: 7 }] },
    };
    await client.create(resources.services, service);
    const isComplete = (now: Workload | undefined): boolean =>
      now?.status?.observedGeneration === now?.metadata.generation &&
      now?.status?.updatedReplicas === 2 &&
      now.status.availableReplicas === 2 &&
      now.status.replicas === 2;
    await until(client, resources.deployments, { place: at('web'), is: isComplete });
    const before = new Set((await podsOf(client, 'web')).map(({ metadata }) => metadata.uid));
    await kubectl({ kubeconfigFile }, ['rollout', 'restart', 'deployment/web']);
    assert.match(
      (await kubectl({ kubeconfigFile }, ['rollout', 'status', 'deployment/web', '--timeout=20s'])).stdout,
      /successfully rolled out/,
    );
    const after = (await podsOf(client, 'web')).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    assert.equal(after.filter(({ metadata }) => before.has(metadata.uid)).length, 0);
    const ips = new Set(after.map(({ status }) => status?.podIP));
    await until(client, resources.endpoints, {
      place: at('web'),
      is: (now) => {
        const known = (now?.subsets ?? []).flatMap(({ addresses = [] }) => addresses.map(({ ip }) => ip));
        return known.length === 2 && known.every((ip) => ips.has(ip));
      },
    });
    const history = await kubectl({ kubeconfigFile }, ['rollout', 'history', 'deployment/web']);
    assert.match(history.stdout, /^1 [\s\S]*^2 /m);
    const [set] = (await client.list(resources.replicaSets, { namespace: 'default' })).items;
    await client.delete(resources.deployments, 'web', { namespace: 'default', propagation: 'Foreground' });
    await until(client, resources.deployments, { place: at('web'), is: isGone });
    await until(client, resources.replicaSets, { place: at(set?.metadata.name ?? ''), is: isGone });
    for (const { metadata } of after) await until(client, localPods, { place: at(metadata.name ?? ''), is: isGone });
  });

  test('a Service address leads to its pods, and its name to the address', async (t) => {
    const { client, cluster, kubeconfigFile } = shared;
    const target = createServer((socket) => socket.end('hello'));
    await client.create(localPods, pod('asker', WAIT));
    await until(client, localPods, { place: at('asker'), is: isReady });
    const host = cluster.addresses.podAddress(4000);
    await new Promise<void>((resolve) => target.listen(0, host, resolve));
    t.after(() => target.close());
    const port = (target.address() as { port: number }).port;
    const service = { apiVersion: 'v1', kind: 'Service', metadata: at('greeter'), spec: { ports: [{ port: 4242 }] } };
    await client.create(resources.services, service);
    const endpoints = {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: at('greeter'),
      subsets: [{ addresses: [{ ip: host }], ports: [{ port }] }],
    };
    await client.create(resources.endpoints, endpoints);
    const script =
      'for i in $(seq 50); do exec 3<>/dev/tcp/greeter.default.svc/4242 && cat <&3 && exit 0; sleep 0.05; done; exit 1';
    const ran = await kubectl({ kubeconfigFile }, ['exec', 'asker', '--', 'bash', '-c', script]);
    assert.equal(ran.stdout, 'hello', ran.stderr);
  });

  test('a namespace goes away with everything in it', async () => {
    const { client } = shared;
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } });
    const object = pod('worker', WAIT);
    object.metadata.namespace = 'team';
    await until(client, resources.serviceAccounts, {
      place: { name: 'default', namespace: 'team' },
      is: (now) => now !== undefined,
    });
    await client.create(localPods, object);
    await until(client, localPods, { place: { name: 'worker', namespace: 'team' }, is: isReady });
    await client.delete(resources.namespaces, 'team');
    await until(client, resources.namespaces, { place: { name: 'team' }, is: isGone });
    assert.equal((await client.list(localPods, { namespace: 'team' })).items.length, 0);
  });

  test('a pod that fits nowhere waits, an unknown image says what would help', async () => {
    const { client, kubeconfigFile } = shared;
    await client.create(localPods, pod('homeless', WAIT, { nodeSelector: { moon: 'dark' } }));
    const waiting = await until(client, localPods, {
      place: at('homeless'),
      is: (now) => now?.status?.conditions?.some(({ reason }) => reason === 'Unschedulable') === true,
    });
    assert.equal(waiting?.status?.phase, 'Pending');
    await client.create(localPods, pod('stranger', WAIT, { containers: [{ name: 'c', image: 'nobody/knows:1' }] }));
    const stuck = await until(client, localPods, {
      place: at('stranger'),
      is: (now) =>
        /ErrImagePull|ImagePullBackOff/.test(now?.status?.containerStatuses?.[0]?.state.waiting?.reason ?? ''),
    });
    assert.match(stuck?.status?.containerStatuses?.[0]?.state.waiting?.message ?? '', /knows these.*nginx/);
    const logs = await kubectl({ kubeconfigFile }, ['logs', 'stranger']);
    assert.match(logs.stderr, /trying and failing to pull image/);
  });
});

test('a StatefulSet keeps its data over a restart of the whole cluster', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-cluster-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const set = workload('StatefulSet', 'db', {
    serviceName: 'db',
    replicas: 1,
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  });
  const containers = [
    {
      name: 'c',
      image: 'busybox',
      command: ['sh', '-c', `echo run >> /data/log; ${WAIT}`],
      readinessProbe: { exec: { command: ['test', '-s', '/data/log'] } },
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    },
  ];
  set.spec = {
    ...set.spec,
    template: { ...set.spec?.template, spec: { terminationGracePeriodSeconds: 1, containers } },
  };
  let uid: string | undefined;
  await t.test('first start', async (inner) => {
    const { client } = await runCluster(inner, directory);
    await client.create(resources.statefulSets, set);
    uid = (await until(client, localPods, { place: at('db-0'), is: isReady }))?.metadata.uid;
  });
  await t.test('second start', async (inner) => {
    const { client, kubeconfigFile } = await runCluster(inner, directory);
    const isBack = (now: LocalPod | undefined): boolean =>
      isReady(now) && now?.status?.containerStatuses?.[0]?.restartCount === 1;
    const again = await until(client, localPods, { place: at('db-0'), is: isBack });
    assert.equal(again?.metadata.uid, uid);
    assert.equal(await twoLines(kubeconfigFile, 'db-0'), 'run\nrun\n');
    await client.delete(resources.statefulSets, 'db', { namespace: 'default' });
    await until(client, localPods, { place: at('db-0'), is: isGone });
    const claim = await client.get(claims, 'data-db-0', { namespace: 'default' });
    const volume = claim?.spec?.volumeName ?? '';
    assert.notEqual(volume, '');
    await client.delete(claims, 'data-db-0', { namespace: 'default' });
    await until(client, volumes, { place: { name: volume }, is: isGone });
  });
});
