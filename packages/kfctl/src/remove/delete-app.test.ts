import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { defineResource, resources } from '@kfctl/kube';
import type { DeleteOptions, DiscoveredResource, KubeObject, ResourceType, UnknownObject } from '@kfctl/kube';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { readApp } from '../app/app-directory.ts';
import { initApp } from '../app/init-app.ts';
import type { Scope } from '../app/scope.ts';
import { writeClusterRecord } from '../apply/cluster-identity.ts';
import { readInventory, writeInventory } from '../apply/inventory.ts';
import type { InventoryEntry } from '../apply/inventory.ts';
import { DEPLOYMENT_ANNOTATION } from '../apply/ownership.ts';
import { prune } from '../apply/prune.ts';
import { createTypeFinder } from '../plan/plan.ts';
import { deleteApp } from './delete-app.ts';
import type { DeleteResult } from './delete-app.ts';

const crds = defineResource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
  plural: 'customresourcedefinitions',
  namespaced: false,
});
const widgets = defineResource('example.com/v1', 'Widget', { plural: 'widgets' });
const gadgets = defineResource('example.com/v1', 'Gadget', { plural: 'gadgets' });
const profiles = defineResource('kubeflow.org/v1', 'Profile', { plural: 'profiles', namespaced: false });
const SERVED = [
  resources.namespaces,
  resources.configMaps,
  resources.deployments,
  resources.persistentVolumeClaims,
  crds,
  widgets,
  gadgets,
  profiles,
];

class Cluster extends MemoryKubeClient {
  /** Called when something was deleted. */
  onDeleted: (type: ResourceType<KubeObject>, name: string) => Promise<unknown> = async () => undefined;

  override async delete(type: ResourceType<KubeObject>, name: string, options: DeleteOptions = {}): Promise<boolean> {
    const existed = await super.delete(type, name, options);
    await this.onDeleted(type, name);
    return existed;
  }

  override discover(): Promise<readonly DiscoveredResource[]> {
    return Promise.resolve(
      SERVED.map(
        (type) =>
          ({ ...type, verbs: [], singular: '', shortNames: [], subresources: [] }) as unknown as DiscoveredResource,
      ),
    );
  }
}

const PLACE = { deployment: 'demo', namespace: 'kubeflow' };
let directory = '';
let client = new Cluster();
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'delete-'));
  await initApp({ name: 'demo', config: 'existing_arrikto', parent: directory, email: undefined });
  client = new Cluster();
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Makes an object as an apply of `owner` would have, and gives its inventory entry. */
async function make(
  type: ResourceType<KubeObject>,
  name: string,
  more: { owner?: string; application?: string; object?: object } = {},
): Promise<InventoryEntry> {
  const { owner = 'demo', application = 'dex', object = {} } = more;
  const namespace = type.namespaced ? 'kubeflow' : '';
  const metadata = {
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...(owner === '' ? {} : { annotations: { [DEPLOYMENT_ANNOTATION]: owner } }),
  };
  await client.create(
    type as ResourceType,
    { apiVersion: 'v1', kind: type.kind, metadata, ...object } as UnknownObject,
  );
  const { group, version, kind } = type;
  return { application, group, version, kind, namespace, name, ...(owner === '' ? { adopted: true } : {}) };
}

const WIDGET_CRD = {
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { kind: 'Widget', plural: 'widgets' },
    versions: [{ name: 'v1', served: true }],
  },
};

async function remove(scope: Scope = 'all', dryRun = false): Promise<DeleteResult | undefined> {
  return deleteApp({
    app: await readApp(path.join(directory, 'demo')),
    client,
    server: 'https://here',
    scope,
    timeoutMs: 2000,
    dryRun,
    signal: new AbortController().signal,
    onStage: () => undefined,
    onDeleted: () => undefined,
    onWaiting: () => undefined,
  });
}

const deletions = (): string[] =>
  client.calls.filter(({ verb }) => verb === 'delete').map(({ type, name }) => `${type.kind} ${name}`);

test('custom resources go first, their kinds and the namespaces last, the inventory with its namespace', async () => {
  const entries = [
    await make(resources.namespaces, 'kubeflow'),
    await make(resources.namespaces, 'istio-system'),
    await make(crds, 'widgets.example.com', { object: { ...WIDGET_CRD, apiVersion: 'apiextensions.k8s.io/v1' } }),
    await make(resources.configMaps, 'dex'),
    await make(resources.deployments, 'dex'),
    await make(widgets, 'ours'),
  ];
  await make(widgets, 'somebody', { owner: '' });
  await writeInventory(client, PLACE, entries);
  const result = await remove();
  assert.deepEqual(deletions().slice(0, 7), [
    'Widget ours',
    'Widget somebody',
    'Deployment dex',
    'ConfigMap dex',
    'CustomResourceDefinition widgets.example.com',
    'Namespace istio-system',
    'Namespace kubeflow',
  ]);
  assert.equal(result?.deleted.length, 7);
  assert.equal(await remove(), undefined);
});

test('a program that makes its state anew as long as it runs holds nothing up', async () => {
  const entries = [
    await make(resources.namespaces, 'kubeflow'),
    await make(crds, 'widgets.example.com', { object: { ...WIDGET_CRD, apiVersion: 'apiextensions.k8s.io/v1' } }),
    await make(resources.deployments, 'dex'),
  ];
  await make(widgets, 'lease', { owner: '' });
  client.onDeleted = async (_, name) => {
    if (name === 'lease') await make(widgets, 'lease', { owner: '' });
  };
  await writeInventory(client, PLACE, entries);
  await remove();
  assert.deepEqual(deletions().slice(0, 4), [
    'Widget lease',
    'Deployment dex',
    'CustomResourceDefinition widgets.example.com',
    'Namespace kubeflow',
  ]);
});

test('what belongs to workloads and Profiles goes without the garbage collector, a namespace of another owner stays', async () => {
  client.collectsGarbage = false;
  const ownedBy = async (type: ResourceType<KubeObject>, name: string, namespace = 'kubeflow'): Promise<object> => {
    const uid = (await client.get(type, name, type.namespaced ? { namespace } : {}))?.metadata.uid ?? '';
    return { ownerReferences: [{ apiVersion: 'v1', kind: type.kind, name, uid, controller: true }] };
  };
  const child = async (type: ResourceType<KubeObject>, name: string, more: object): Promise<void> => {
    const metadata = { name, ...(type.namespaced ? { namespace: 'kubeflow' } : {}), ...more };
    await client.create(type as ResourceType, { apiVersion: 'v1', kind: type.kind, metadata });
  };
  const entries = [
    await make(resources.namespaces, 'kubeflow'),
    await make(profiles, 'ann', { application: 'profiles' }),
    await make(profiles, 'ben', { application: 'profiles' }),
    await make(resources.deployments, 'dex'),
  ];
  await child(resources.namespaces, 'ann', await ownedBy(profiles, 'ann'));
  await child(resources.namespaces, 'ben', {});
  await child(resources.replicaSets, 'dex-1', await ownedBy(resources.deployments, 'dex'));
  await child(resources.pods, 'dex-1-a', await ownedBy(resources.replicaSets, 'dex-1'));
  await child(resources.pods, 'another', {});
  await writeInventory(client, PLACE, entries);

  const rehearsed = await remove('all', true);
  const result = await remove();
  const wanted = ['Profile ann', 'Profile ben', 'Namespace ann', 'Deployment kubeflow/dex', 'Namespace kubeflow'];
  assert.deepEqual([rehearsed?.deleted, result?.deleted], [wanted, wanted]);
  assert.deepEqual(deletions().slice(0, -1), [
    'Profile ann',
    'Profile ben',
    'Namespace ann',
    'Deployment dex',
    'ReplicaSet dex-1',
    'Pod dex-1-a',
    'Namespace kubeflow',
  ]);
});

test('a workspace that outlived its Profile in an earlier try is not forgotten', async () => {
  const spec = { group: 'kubeflow.org', scope: 'Cluster', names: { kind: 'Profile', plural: 'profiles' } };
  const versions = [{ name: 'v1', served: true }];
  const crd = { apiVersion: 'apiextensions.k8s.io/v1', spec: { ...spec, versions } };
  const entries = [
    await make(resources.namespaces, 'kubeflow'),
    await make(crds, 'profiles.kubeflow.org', { object: crd }),
  ];
  const owned = (kind: string): object => ({
    ownerReferences: [
      { apiVersion: `${kind === 'Profile' ? 'kubeflow.org' : 'example.com'}/v1`, kind, name: 'a', uid: '1' },
    ],
  });
  for (const [name, kind] of [
    ['ann', 'Profile'],
    ['theirs', 'Tenant'],
  ] as const) {
    const metadata = { name, ...owned(kind) };
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  await writeInventory(client, PLACE, entries);
  await remove();
  assert.deepEqual(deletions().slice(0, 3), [
    'Namespace ann',
    'CustomResourceDefinition profiles.kubeflow.org',
    'Namespace kubeflow',
  ]);
});

test('what was there before, and what has another owner now, stays and is named', async () => {
  const entries = [
    await make(resources.namespaces, 'kubeflow', { owner: '' }),
    await make(resources.configMaps, 'dex'),
    { ...(await make(resources.configMaps, 'theirs', { owner: 'other' })), adopted: false },
  ];
  await writeInventory(client, PLACE, entries);
  const result = await remove();
  assert.deepEqual(result?.deleted, ['ConfigMap kubeflow/dex']);
  assert.deepEqual(result?.left.toSorted(), [
    'ConfigMap kubeflow/theirs: it is no longer marked as made by kfctl',
    'Namespace kubeflow: it was there before kfctl',
  ]);
  assert.equal(await readInventory(client, PLACE), undefined, 'the inventory goes although its namespace stays');
});

test('platform and k8s delete their part and keep the rest in the inventory', async () => {
  const entries = [
    await make(resources.configMaps, 'dex'),
    await make(resources.configMaps, 'dashboard', { application: 'centraldashboard' }),
  ];
  await writeInventory(client, PLACE, entries);
  assert.deepEqual((await remove('k8s'))?.deleted, ['ConfigMap kubeflow/dashboard']);
  assert.deepEqual(
    (await readInventory(client, PLACE))?.map(({ name }) => name),
    ['dex'],
  );
});

test('a part that the rest stands on stays: namespaces with its objects, kinds that its controllers make objects of', async () => {
  const crd = (kind: string): object => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    spec: { ...WIDGET_CRD.spec, names: { kind, plural: `${kind.toLowerCase()}s` } },
  });
  const entries = [
    await make(resources.namespaces, 'kubeflow', { application: 'namespaces' }),
    await make(resources.namespaces, 'istio-system', { application: 'namespaces' }),
    await make(crds, 'widgets.example.com', { application: 'istio-crds', object: crd('Widget') }),
    await make(crds, 'gadgets.example.com', { application: 'dex', object: crd('Gadget') }),
    await make(resources.configMaps, 'dex'),
    await make(resources.configMaps, 'profiles', { application: 'profiles' }),
  ];
  // The controller of `profiles` would make it again as long as its kind is there.
  const owner = { apiVersion: 'kubeflow.org/v1', kind: 'Profile', name: 'ann', uid: '1', controller: true };
  const policy = { name: 'policy-of-ann', namespace: 'kubeflow', ownerReferences: [owner] };
  await client.create(widgets as ResourceType, { apiVersion: 'example.com/v1', kind: 'Widget', metadata: policy });
  await make(gadgets, 'session', { owner: '' });
  await writeInventory(client, PLACE, entries);

  const result = await remove('platform');
  assert.deepEqual(deletions(), [
    'Gadget session',
    'ConfigMap dex',
    'CustomResourceDefinition gadgets.example.com',
    'Namespace istio-system',
  ]);
  assert.deepEqual(result?.left.toSorted(), [
    'CustomResourceDefinition widgets.example.com: 1 Widget objects of what stays exist',
    'Namespace kubeflow: 1 objects of applications that stay are in it',
  ]);
  const listed = async (): Promise<string[]> => (await readInventory(client, PLACE))?.map(({ name }) => name) ?? [];
  assert.deepEqual((await listed()).toSorted(), ['kubeflow', 'profiles', 'widgets.example.com']);
  await remove('k8s');
  assert.deepEqual((await listed()).toSorted(), ['kubeflow', 'widgets.example.com']);
  await remove('platform');
  assert.equal(await readInventory(client, PLACE), undefined);
  assert.equal(await client.get(resources.namespaces, 'kubeflow'), undefined);
});

test('a dry run deletes nothing', async () => {
  await writeInventory(client, PLACE, [await make(resources.configMaps, 'dex')]);
  assert.deepEqual((await remove('all', true))?.deleted, ['ConfigMap kubeflow/dex']);
  assert.deepEqual(deletions(), []);
});

test('another cluster than the one applied to is refused', async () => {
  await writeInventory(client, PLACE, [await make(resources.configMaps, 'dex')]);
  await writeClusterRecord(path.join(directory, 'demo'), { uid: 'another', server: 'https://there' });
  await assert.rejects(remove(), /demo was applied to https:\/\/there, but this is another cluster: https:\/\/here/);
  assert.deepEqual(deletions(), []);
});

test('a damaged inventory deletes nothing', async () => {
  const object = { data: { objects: 'dex /v1 ConfigMap kubeflow/dex\nrubbish\n' } };
  await make(resources.configMaps, 'kfctl-inventory-demo', { object });
  await assert.rejects(remove(), /inventory ConfigMap kubeflow\/kfctl-inventory-demo is damaged/);
  assert.deepEqual(deletions(), []);
});

test('prune removes what vanished, but no kind that has objects and no namespace that holds volumes', async () => {
  const vanished = [
    await make(resources.namespaces, 'kubeflow'),
    await make(crds, 'widgets.example.com', { object: { ...WIDGET_CRD, apiVersion: 'apiextensions.k8s.io/v1' } }),
    await make(resources.configMaps, 'old'),
    await make(resources.configMaps, 'adopted', { owner: '' }),
    await make(resources.configMaps, 'other', { owner: 'other' }),
  ];
  await make(widgets, 'somebody', { owner: '' });
  await make(resources.persistentVolumeClaims, 'data', { owner: '' });
  const types = await createTypeFinder(client);
  const result = await prune(vanished, { client, types, deployment: 'demo', dryRun: false });
  assert.deepEqual(
    result.removed.map(({ name }) => name),
    ['old'],
  );
  assert.deepEqual(result.kept.map(({ entry, reason }) => `${entry.name}: ${reason}`).toSorted(), [
    'kubeflow: 1 volumes are claimed in it; delete them first',
    'other: ConfigMap kubeflow/other is no longer marked as made by kfctl',
    'widgets.example.com: 1 Widget objects exist; delete them first',
  ]);
});
