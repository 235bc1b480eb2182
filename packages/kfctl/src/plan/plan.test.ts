import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAppError } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { DiscoveredResource, UnknownObject } from '@kfctl/kube';
import { profileName } from './user-profile.ts';
import { createTypeFinder, planObjects } from './plan.ts';
import type { PlannedObject } from './plan.ts';
import { waveOf, WAVE } from './waves.ts';

const served = [resources.namespaces, resources.configMaps, resources.services, resources.deployments].map(
  (type) => ({ ...type, verbs: [], singular: '', shortNames: [], subresources: [] }) as unknown as DiscoveredResource,
);
const client = { discover: () => Promise.resolve(served) };

async function plan(...objects: UnknownObject[]): Promise<PlannedObject[]> {
  const applications = [{ name: 'app', objects }];
  return planObjects(await createTypeFinder(client, applications), { applications, namespace: 'kubeflow' });
}

const object = (apiVersion: string, kind: string, more: object = {}): UnknownObject =>
  ({ apiVersion, kind, metadata: { name: kind.toLowerCase() }, ...more }) as UnknownObject;

const crd = object('apiextensions.k8s.io/v1', 'Namespace', {
  kind: 'CustomResourceDefinition',
  spec: {
    group: 'example.com',
    scope: 'Cluster',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v0', served: false },
    ],
  },
});
served.push({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  namespaced: false,
} as DiscoveredResource);

test('plans what others need first', async () => {
  const planned = await plan(
    object('example.com/v1', 'Widget'),
    object('apps/v1', 'Deployment'),
    object('v1', 'ConfigMap'),
    crd,
  );
  assert.deepEqual(
    planned.map(({ id }) => id.kind),
    ['CustomResourceDefinition', 'ConfigMap', 'Deployment', 'Widget'],
  );
});

test('policies come before routes', () => {
  assert.equal(waveOf({ group: 'security.istio.io', kind: 'AuthorizationPolicy' }), WAVE.foundations);
  assert.equal(waveOf({ group: 'networking.istio.io', kind: 'VirtualService' }), WAVE.rest);
});

test('knows the kinds that the plan itself brings, in the versions that are served', async () => {
  const [, widget] = await plan(crd, object('example.com/v1', 'Widget'));
  assert.deepEqual(widget?.type, {
    group: 'example.com',
    version: 'v1',
    kind: 'Widget',
    plural: 'widgets',
    namespaced: false,
  });
  await assert.rejects(
    plan(crd, object('example.com/v0', 'Widget')),
    /the cluster knows no Widget of example\.com\/v0/,
  );
});

test('gives namespaced objects a namespace and cluster-scoped ones none', async () => {
  const planned = await plan(
    object('v1', 'ConfigMap'),
    object('v1', 'Namespace', { metadata: { name: 'x', namespace: 'y' } }),
  );
  assert.deepEqual(
    planned.map(({ id }) => [id.kind, id.namespace]),
    [
      ['Namespace', ''],
      ['ConfigMap', 'kubeflow'],
    ],
  );
  assert.equal(planned[0]?.object.metadata.namespace, undefined);
});

test('names every object that cannot be planned at once', async () => {
  const broken = plan(
    object('v1', 'ConfigMap'),
    object('v1', 'ConfigMap'),
    object('x.io/v1', 'Nothing'),
    object('v1', 'Service', { metadata: {} }),
  );
  await assert.rejects(broken, (error) => {
    assert.ok(isAppError(error));
    assert.match(error.message, /ConfigMap kubeflow\/configmap is also in app/);
    assert.match(error.message, /knows no Nothing of x\.io\/v1/);
    assert.match(error.message, /a Service has no name/);
    return true;
  });
});

test('ports name their protocol, aggregated roles no rules', async () => {
  const pod = { containers: [{ name: 'a', ports: [{ containerPort: 1 }, { containerPort: 2, protocol: 'UDP' }] }] };
  const planned = await plan(
    object('v1', 'Service', { spec: { ports: [{ port: 80 }] } }),
    object('apps/v1', 'Deployment', { spec: { template: { spec: pod } } }),
  );
  assert.deepEqual(planned[0]?.object['spec'], { ports: [{ port: 80, protocol: 'TCP' }] });
  const ports = [
    { containerPort: 1, protocol: 'TCP' },
    { containerPort: 2, protocol: 'UDP' },
  ];
  assert.deepEqual(planned[1]?.object['spec'], { template: { spec: { containers: [{ name: 'a', ports }] } } });
});

for (const [email, name] of [
  ['admin@kubeflow.org', 'kubeflow-admin'],
  ['Ada.Lovelace+x@example.org', 'kubeflow-ada-lovelace-x'],
  ['_@example.org', 'kubeflow-user'],
  [`${'a'.repeat(64)}@x.org`, `kubeflow-${'a'.repeat(54)}`],
] as const) {
  test(`the workspace of ${email} is ${name}`, () => assert.equal(profileName(email), name));
}
