import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { runServer } from './running-server.ts';

function core(plural: string, kind: string, namespaced = true): ResourceType<UnknownObject> {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

const pods = core('pods', 'Pod');
const services = core('services', 'Service');
const configMaps = core('configmaps', 'ConfigMap');
const namespaces = core('namespaces', 'Namespace', false);
const secrets = core('secrets', 'Secret');
const deployments: ResourceType<UnknownObject> = { ...core('deployments', 'Deployment'), group: 'apps' };
const place = { namespace: 'default' };

async function client(t: TestContext): Promise<KubeClient> {
  return (await runServer(t)).createClient('test');
}

function object(type: ResourceType<UnknownObject>, name: string, more: object = {}): UnknownObject {
  const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
  return { apiVersion, kind: type.kind, metadata: { name, ...(type.namespaced ? place : {}) }, ...more };
}

const podSpec = { spec: { containers: [{ name: 'c', image: 'busybox' }] } };

test('a pod gets its defaults, its service account and a token volume', async (t) => {
  const api = await client(t);
  const pod = await api.create(pods, object(pods, 'p', podSpec));
  const spec = pod['spec'] as Record<string, unknown> & {
    containers: { imagePullPolicy: string; volumeMounts: { mountPath: string }[] }[];
  };
  assert.deepEqual(
    [spec['restartPolicy'], spec['serviceAccountName'], spec['dnsPolicy']],
    ['Always', 'default', 'ClusterFirst'],
  );
  assert.equal(spec.containers[0]?.imagePullPolicy, 'Always');
  assert.equal(spec.containers[0]?.volumeMounts[0]?.mountPath, '/var/run/secrets/kubernetes.io/serviceaccount');
  assert.deepEqual(pod['status'], { phase: 'Pending', qosClass: 'BestEffort' });
});

test('a running pod is deleted gracefully, a pod that no node has at once', async (t) => {
  const api = await client(t);
  await api.create(pods, object(pods, 'free', podSpec));
  await api.delete(pods, 'free', place);
  assert.equal(await api.get(pods, 'free', place), undefined);
  await api.create(
    pods,
    object(pods, 'bound', { spec: { ...podSpec.spec, nodeName: 'n', terminationGracePeriodSeconds: 7 } }),
  );
  await api.delete(pods, 'bound', place);
  const waiting = await api.get(pods, 'bound', place);
  assert.equal(waiting?.metadata.deletionGracePeriodSeconds, 7);
  assert.ok(waiting?.metadata.deletionTimestamp);
  await api.delete(pods, 'bound', { ...place, gracePeriodSeconds: 0 });
  assert.equal(await api.get(pods, 'bound', place), undefined);
});

test('finalizers and propagation hold an object until they are done', async (t) => {
  const api = await client(t);
  await api.create(configMaps, {
    ...object(configMaps, 'c'),
    metadata: { name: 'c', ...place, finalizers: ['a.b/c'] },
  });
  await api.delete(configMaps, 'c', { ...place, propagation: 'Foreground' });
  const held = await api.get(configMaps, 'c', place);
  assert.deepEqual(held?.metadata.finalizers, ['a.b/c', 'foregroundDeletion']);
  const add = {
    kind: 'merge',
    body: { metadata: { finalizers: ['a.b/c', 'foregroundDeletion', 'new/one'] } },
  } as const;
  await assert.rejects(api.patch(configMaps, 'c', { ...place, patch: add }), /no new finalizers can be added/);
  await api.patch(configMaps, 'c', { ...place, patch: { kind: 'merge', body: { metadata: { finalizers: null } } } });
  assert.equal(await api.get(configMaps, 'c', place), undefined);
});

test('preconditions protect another object of the same name', async (t) => {
  const api = await client(t);
  const made = await api.create(configMaps, object(configMaps, 'c'));
  await assert.rejects(api.delete(configMaps, 'c', { ...place, preconditions: { uid: 'other' } }), (error) =>
    isKubeError(error, 'Conflict'),
  );
  await assert.rejects(
    api.delete(configMaps, 'c', { ...place, preconditions: { resourceVersion: '1' } }),
    /Precondition failed/,
  );
  assert.equal(await api.delete(configMaps, 'c', { ...place, preconditions: { uid: made.metadata.uid ?? '' } }), true);
  assert.equal(await api.delete(configMaps, 'c', place), false);
});

test('a terminating namespace takes nothing new and goes with its last finalizer', async (t) => {
  const api = await client(t);
  const made = await api.create(namespaces, object(namespaces, 'team'));
  assert.equal(made.metadata.labels?.['kubernetes.io/metadata.name'], 'team');
  await api.delete(namespaces, 'team');
  const map = { ...object(configMaps, 'c'), metadata: { name: 'c', namespace: 'team' } };
  await assert.rejects(
    api.create(configMaps, map),
    /unable to create new content in namespace team because it is being terminated/,
  );
  const current = await api.get(namespaces, 'team');
  assert.deepEqual(current?.['status'], { phase: 'Terminating' });
  await api.replace(
    namespaces,
    { ...(current as UnknownObject), spec: { finalizers: [] } },
    { subresource: 'finalize' },
  );
  assert.equal(await api.get(namespaces, 'team'), undefined);
  await assert.rejects(api.create(configMaps, map), /namespaces "team" not found/);
  await assert.rejects(api.delete(namespaces, 'default'), /this namespace may not be deleted/);
});

test('services get addresses and node ports of their own and keep them', async (t) => {
  const api = await client(t);
  const service = (name: string, spec: object) => object(services, name, { spec: { ports: [{ port: 80 }], ...spec } });
  const one = (await api.create(services, service('one', {})))['spec'] as {
    clusterIP: string;
    ports: { targetPort: number }[];
  };
  assert.match(one.clusterIP, /^127\.90\.8\.\d+$/);
  assert.equal(one.ports[0]?.targetPort, 80);
  const two = (await api.create(services, service('two', { type: 'LoadBalancer' })))['spec'] as {
    clusterIP: string;
    ports: { nodePort: number }[];
  };
  assert.notEqual(two.clusterIP, one.clusterIP);
  const kept = await api.replace(
    services,
    service('two', { type: 'LoadBalancer', ports: [{ port: 80, targetPort: 8080 }] }),
  );
  assert.deepEqual((kept['spec'] as typeof two).ports[0]?.nodePort, two.ports[0]?.nodePort);
  assert.equal((kept['spec'] as typeof two).clusterIP, two.clusterIP);
  await assert.rejects(
    api.create(services, service('three', { clusterIP: one.clusterIP })),
    /provided IP is already allocated/,
  );
  await assert.rejects(api.create(services, service('four', { clusterIP: '10.0.0.1' })), /not in the valid range/);
  const headless = (await api.create(services, service('five', { clusterIP: 'None' })))['spec'] as {
    clusterIP: string;
  };
  assert.equal(headless.clusterIP, 'None');
});

test('an update that changes nothing keeps the version; a stale one is a conflict', async (t) => {
  const api = await client(t);
  const made = await api.create(configMaps, object(configMaps, 'c', { data: { a: '1' } }));
  const same = await api.replace(configMaps, made);
  assert.equal(same.metadata.resourceVersion, made.metadata.resourceVersion);
  await api.replace(configMaps, { ...made, data: { a: '2' } });
  await assert.rejects(
    api.replace(configMaps, { ...made, data: { a: '3' } }),
    (error) =>
      isKubeError(error, 'Conflict') &&
      /the object has been modified; please apply your changes to the latest version and try again/.test(error.message),
  );
});

test('generation counts what was asked for, not the status', async (t) => {
  const api = await client(t);
  const template = { metadata: { labels: { a: 'b' } }, ...podSpec };
  await api.create(
    deployments,
    object(deployments, 'd', { spec: { selector: { matchLabels: { a: 'b' } }, template } }),
  );
  const patch = (body: object, subresource?: string) =>
    api.patch(deployments, 'd', { ...place, ...(subresource ? { subresource } : {}), patch: { kind: 'merge', body } });
  assert.equal((await patch({ status: { replicas: 1 } }, 'status')).metadata.generation, 1);
  assert.equal((await patch({ metadata: { labels: { x: 'y' } } })).metadata.generation, 1);
  assert.equal((await patch({ spec: { replicas: 3 } })).metadata.generation, 2);
  await assert.rejects(
    patch({ spec: { selector: { matchLabels: { other: 'x' } } } }),
    /spec\.selector: Invalid value: .*: field is immutable/,
  );
});

test('secrets take plain text and keep their type; immutable data stays', async (t) => {
  const api = await client(t);
  const made = await api.create(secrets, object(secrets, 's', { stringData: { a: 'x' }, immutable: true }));
  assert.deepEqual([made['type'], made['data'], made['stringData']], ['Opaque', { a: 'eA==' }, undefined]);
  await assert.rejects(api.replace(secrets, { ...made, data: { a: 'eQ==' } }), /immutable/);
  await assert.rejects(
    api.create(secrets, object(secrets, 't', { type: 'kubernetes.io/tls', data: {} })),
    /data\[tls\.crt\]: Required value/,
  );
});

test('names, labels and unknown types are refused with the text that people know', async (t) => {
  const api = await client(t);
  await assert.rejects(
    api.create(configMaps, object(configMaps, 'Bad_Name')),
    /a lowercase RFC 1123 subdomain must consist of/,
  );
  await assert.rejects(
    api.create(configMaps, { ...object(configMaps, 'c'), metadata: { name: 'c', ...place, labels: { a: '-' } } }),
    /metadata\.labels: Invalid value: "-": a valid label must be/,
  );
  await assert.rejects(
    api.create(deployments, object(deployments, 'd', { spec: { replicas: 'x' } })),
    /json: cannot unmarshal string into Go struct field DeploymentSpec\.spec\.replicas of type int32/,
  );
  await assert.rejects(
    api.create(deployments, object(deployments, 'd', { spec: {} })),
    /spec\.selector: Required value/,
  );
  await assert.rejects(api.create(configMaps, { ...object(configMaps, 'c'), kind: 'Secret' }), (error) =>
    isKubeError(error, 'BadRequest'),
  );
});

test('a generated name is the base with five characters behind it', async (t) => {
  const api = await client(t);
  const made = await api.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { generateName: 'x-', ...place },
  });
  assert.match(made.metadata.name ?? '', /^x-[a-z0-9]{5}$/);
});

test('lists come in pages that continue where the last one ended', async (t) => {
  const api = await client(t);
  for (const name of ['a', 'b', 'c', 'd', 'e']) await api.create(configMaps, object(configMaps, name));
  const path = '/api/v1/namespaces/default/configmaps';
  const names: string[] = [];
  let query = '?limit=2';
  for (let pages = 0; query !== '' && pages < 9; pages += 1) {
    const { body } = await api.request({ method: 'GET', path: path + query });
    const page = body as { items: UnknownObject[]; metadata: { continue?: string; remainingItemCount?: number } };
    names.push(...page.items.map((item) => item.metadata.name ?? ''));
    query = page.metadata.continue === undefined ? '' : `?limit=2&continue=${page.metadata.continue}`;
  }
  assert.deepEqual(names, ['a', 'b', 'c', 'd', 'e']);
  assert.equal((await api.request({ method: 'GET', path: `${path}?continue=bogus` })).status, 400);
});

test('a quota counts objects and what pods ask for', async (t) => {
  const api = await client(t);
  const quotas = core('resourcequotas', 'ResourceQuota');
  await api.create(
    quotas,
    object(quotas, 'q', { spec: { hard: { pods: '2', 'requests.cpu': '1', 'count/configmaps': '1' } } }),
  );
  const pod = (name: string, cpu: string) =>
    object(pods, name, { spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu } } }] } });
  await assert.rejects(api.create(pods, object(pods, 'none', podSpec)), /failed quota: q: must specify requests\.cpu/);
  await api.create(pods, pod('one', '700m'));
  await assert.rejects(
    api.create(pods, pod('two', '400m')),
    /exceeded quota: q, requested: requests\.cpu=400m, used: requests\.cpu=700m, limited: requests\.cpu=1/,
  );
  await api.create(configMaps, object(configMaps, 'a'));
  await assert.rejects(api.create(configMaps, object(configMaps, 'b')), /exceeded quota/);
});
