import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { KubeObject, ResourceType, Workload } from '@kfctl/kube';
import { resources } from '@kfctl/kube';
import type { LocalPod } from '../node/pod/pod-spec.ts';
import { newSetReplicas, oldSetReplicas, rolloutLimits } from './deployment/rollout.ts';
import type { SetCounts } from './deployment/rollout.ts';
import { endpointGroups } from './endpoints/endpoint-addresses.ts';
import { collect } from './garbage/collect.ts';
import { createOwnerGraph } from './garbage/owner-graph.ts';
import { whyNot } from './scheduler/fit.ts';
import { nextSteps } from './stateful-set/next-step.ts';
import { canonicalJson, isSameTemplate, templateHash } from './workload/template.ts';

function deployment(replicas: number, rollingUpdate: object): Workload {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec: { replicas, strategy: { rollingUpdate } } };
}

describe('rolling update', () => {
  test('percentages become whole pods, never both zero', () => {
    const limits = (replicas: number, maxSurge: unknown, maxUnavailable: unknown) => {
      const found = rolloutLimits(deployment(replicas, { maxSurge, maxUnavailable }));
      return [found.maxSurge, found.maxUnavailable];
    };
    assert.deepEqual(limits(3, '25%', '25%'), [1, 0]);
    assert.deepEqual(limits(10, '25%', '25%'), [3, 2]);
    assert.deepEqual(limits(1, 0, '25%'), [0, 1]);
    assert.deepEqual(limits(2, 0, 5), [0, 2]);
  });

  test('it ends with the new set alone, within surge and availability at each step', () => {
    for (const [desired, maxSurge, maxUnavailable] of [
      [1, 1, 0],
      [3, 1, 0],
      [4, 0, 1],
      [10, 3, 2],
      [5, 5, 5],
    ] as const) {
      const limits = { desired, maxSurge, maxUnavailable };
      let fresh: SetCounts = { name: 'new', replicas: 0, available: 0 };
      let old: SetCounts = { name: 'old', replicas: desired, available: desired };
      for (let round = 0; round < 40 && (fresh.available < desired || old.replicas > 0); round += 1) {
        fresh = { ...fresh, replicas: newSetReplicas(limits, fresh, [old]) };
        const wanted = oldSetReplicas(limits, fresh, [old]).get('old') ?? old.replicas;
        old = { name: 'old', replicas: wanted, available: Math.min(old.available, wanted) };
        assert.ok(fresh.replicas + old.replicas <= desired + maxSurge);
        assert.ok(fresh.available + old.available >= desired - maxUnavailable);
        fresh = { ...fresh, available: fresh.replicas };
      }
      assert.deepEqual([fresh.replicas, old.replicas], [desired, 0]);
    }
  });

  test('a new set that never gets ready does not cost the old one more than allowed', () => {
    const limits = { desired: 4, maxSurge: 1, maxUnavailable: 1 };
    const stuck = { name: 'new', replicas: 2, available: 0 };
    assert.deepEqual([...oldSetReplicas(limits, stuck, [{ name: 'old', replicas: 3, available: 3 }])], []);
    const ill = { name: 'old', replicas: 3, available: 1 };
    assert.deepEqual(
      [...oldSetReplicas({ ...limits, maxUnavailable: 3 }, { name: 'new', replicas: 1, available: 0 }, [ill])],
      [['old', 1]],
    );
  });
});

test('templates are the same whatever the order of their fields, and the hash label does not count', () => {
  const a = { metadata: { labels: { app: 'x', 'pod-template-hash': '1' } }, spec: { b: 1, a: [1, { y: 2, x: 1 }] } };
  const b = { metadata: { labels: { app: 'x' } }, spec: { a: [1, { x: 1, y: 2 }], b: 1 } };
  assert.equal(isSameTemplate(a, b), true);
  assert.equal(isSameTemplate(a, { ...b, spec: { b: 2 } }), false);
  assert.equal(canonicalJson({ b: 1, a: undefined }), '{"b":1}');
  assert.notEqual(templateHash(b), templateHash(b, 1));
});

const pod = (name: string, more: Partial<LocalPod['spec']> = {}, status: LocalPod['status'] = {}): LocalPod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'x' } },
  spec: { containers: [], ...more },
  status,
});
const ready = [{ type: 'Ready', status: 'True' }];

test('endpoints: named ports, readiness, pods that end, and services that publish all', () => {
  const containers = [{ name: 'c', ports: [{ name: 'web', containerPort: 8080 }] }];
  const up = pod('a', { containers }, { podIP: '127.0.0.2', conditions: ready });
  const ill = pod('b', { containers }, { podIP: '127.0.0.3' });
  const going = pod('c', { containers }, { podIP: '127.0.0.4', conditions: ready });
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  const done = pod('d', { containers }, { podIP: '127.0.0.5', phase: 'Succeeded' });
  const service = (publishNotReadyAddresses: boolean) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: { selector: { app: 'x' }, publishNotReadyAddresses, ports: [{ name: 'http', port: 80, targetPort: 'web' }] },
  });
  const shown = (all: boolean) =>
    endpointGroups(service(all), [ill, up, going, done]).map(({ ports, pods }) => [
      ports[0]?.port,
      pods.map(({ ip, ready }) => `${ip} ${ready}`),
    ]);
  assert.deepEqual(shown(false), [[8080, ['127.0.0.2 true', '127.0.0.3 false', '127.0.0.4 false']]]);
  assert.deepEqual(shown(true), [[8080, ['127.0.0.2 true', '127.0.0.3 true', '127.0.0.4 true']]]);
});

test('a pod fits a node by selector, taints and the resources that only some nodes have', () => {
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'local', labels: { os: 'linux' } },
    spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
  };
  assert.match(whyNot(pod('a'), node) ?? '', /untolerated taint/);
  const tolerations = [{ key: 'gpu', operator: 'Exists' }];
  assert.equal(whyNot(pod('a', { tolerations, nodeSelector: { os: 'linux' } }), node), undefined);
  assert.match(whyNot(pod('a', { tolerations, nodeSelector: { os: 'plan9' } }), node) ?? '', /affinity\/selector/);
  const greedy = { tolerations, containers: [{ name: 'c', resources: { limits: { 'nvidia.com/gpu': '1' } } }] };
  assert.equal(whyNot(pod('a', greedy), node), 'Insufficient nvidia.com/gpu');
  const away = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: 'os', operator: 'NotIn', values: ['linux'] }] }],
      },
    },
  };
  assert.match(whyNot(pod('a', { tolerations, affinity: away }), node) ?? '', /affinity/);
});

test('a StatefulSet grows and shrinks one pod at a time and replaces from the highest number down', () => {
  const set = (replicas: number, more: object = {}): Workload => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: { replicas, ...more },
  });
  const member = (ordinal: number, hash: string, isReady = true): LocalPod => {
    const made = pod(`db-${ordinal}`, {}, isReady ? { conditions: ready } : {});
    made.metadata.labels = { 'controller-revision-hash': hash };
    return made;
  };
  const steps = (of: Workload, ...pods: LocalPod[]) => {
    const { create, remove } = nextSteps(of, pods, 'new');
    return [create, remove.map(({ metadata }) => metadata.name)];
  };
  assert.deepEqual(steps(set(3)), [[0], []]);
  assert.deepEqual(steps(set(3), member(0, 'new', false)), [[], []]);
  assert.deepEqual(steps(set(3), member(0, 'new')), [[1], []]);
  assert.deepEqual(steps(set(3, { podManagementPolicy: 'Parallel' }), member(1, 'new', false)), [[0, 2], []]);
  assert.deepEqual(steps(set(1), member(0, 'new'), member(1, 'new'), member(2, 'new')), [[], ['db-2']]);
  assert.deepEqual(steps(set(2), member(0, 'old'), member(1, 'old')), [[], ['db-1']]);
  assert.deepEqual(steps(set(2), member(0, 'old'), member(1, 'new', false)), [[], []]);
  const partition = { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } };
  assert.deepEqual(steps(set(2, partition), member(0, 'old'), member(1, 'new')), [[], []]);
});

describe('garbage collection', () => {
  const maps = resources.configMaps as ResourceType<KubeObject>;
  const object = (name: string, owners: string[] = [], more: Partial<KubeObject['metadata']> = {}): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      ...(owners.length === 0
        ? {}
        : {
            ownerReferences: owners.map((uid) => ({
              apiVersion: 'v1',
              kind: 'ConfigMap',
              name: uid,
              uid,
              blockOwnerDeletion: true,
            })),
          }),
      ...more,
    },
  });

  async function judge(name: string, objects: KubeObject[]): Promise<string[]> {
    const graph = createOwnerGraph();
    for (const item of objects) graph.put({ type: maps, object: item });
    const calls: string[] = [];
    const node = graph.get(name);
    if (node === undefined) throw new Error('unreachable');
    await collect(
      {
        graph,
        typeOf: (_apiVersion, kind) => (kind === 'ConfigMap' ? maps : undefined),
        client: {
          get: () => Promise.resolve(undefined),
          delete: (_type, target, options) => {
            calls.push(`delete ${target} ${options?.propagation ?? ''}`);
            return Promise.resolve(true);
          },
          patch: (_type, target, change) => {
            calls.push(`patch ${target} ${JSON.stringify(change.patch.kind === 'merge' ? change.patch.body : '')}`);
            return Promise.resolve(object('') as never);
          },
        },
      },
      node,
    );
    return calls;
  }

  test('an object goes when all of its owners are gone, and stays while one is left', async () => {
    assert.deepEqual(await judge('child', [object('child', ['gone'])]), ['delete child Background']);
    const kept = await judge('child', [object('child', ['gone', 'owner']), object('owner')]);
    assert.equal(kept.length, 1);
    assert.match(kept[0] ?? '', /^patch child .*"ownerReferences":\[\{.*"uid":"owner"/);
    assert.deepEqual(await judge('child', [object('child', ['owner']), object('owner')]), []);
  });

  test('an owner of an unknown kind is never taken for gone', async () => {
    const child = object('child');
    child.metadata.ownerReferences = [{ apiVersion: 'x/v1', kind: 'Mystery', name: 'm', uid: 'm' }];
    assert.deepEqual(await judge('child', [child]), []);
  });

  test('foreground deletion waits for dependents, orphan deletion cuts them loose', async () => {
    const deleted = (finalizer: string) =>
      object('owner', [], { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [finalizer] });
    assert.deepEqual(await judge('owner', [deleted('foregroundDeletion'), object('child', ['owner'])]), [
      'delete child Background',
    ]);
    assert.deepEqual(
      await judge('owner', [deleted('foregroundDeletion'), object('child', ['owner']), object('grand', ['child'])]),
      ['delete child Foreground'],
    );
    assert.match((await judge('owner', [deleted('foregroundDeletion')])).join(), /^patch owner .*"finalizers":null/);
    const cut = await judge('owner', [deleted('orphan'), object('child', ['owner'])]);
    assert.match(cut.join('\n'), /patch child .*"ownerReferences":null[^]*patch owner .*"finalizers":null/);
  });
});
