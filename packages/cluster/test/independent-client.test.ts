import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  KubernetesObjectApi,
  Watch,
  makeInformer,
} from '@kubernetes/client-node';
import { runServer } from './running-server.ts';

test('an independent client lists, watches, patches, applies and deletes', async (t) => {
  const server = await runServer(t);
  const config = new KubeConfig();
  config.loadFromFile(server.kubeconfigFile);
  const core = config.makeApiClient(CoreV1Api);
  const namespace = 'default';

  await t.test('typed objects', async () => {
    const made = await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'c' }, data: { a: '1' } },
    });
    assert.equal(made.data?.['a'], '1');
    assert.equal((await core.listNamespacedConfigMap({ namespace, labelSelector: 'x' })).items.length, 0);
    await assert.rejects(
      core.readNamespacedConfigMap({ name: 'none', namespace }),
      (error) => error instanceof ApiException && error.code === 404,
    );
    const apps = config.makeApiClient(AppsV1Api);
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    await apps.createNamespacedDeployment({
      namespace,
      body: { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } },
    });
    const scale = await apps.readNamespacedDeploymentScale({ name: 'd', namespace });
    assert.deepEqual([scale.kind, scale.spec?.replicas, scale.status?.selector], ['Scale', 1, 'a=b']);
    await apps.replaceNamespacedDeploymentScale({ name: 'd', namespace, body: { ...scale, spec: { replicas: 4 } } });
    assert.equal((await apps.readNamespacedDeployment({ name: 'd', namespace })).spec?.replicas, 4);
    await apps.deleteCollectionNamespacedDeployment({ namespace });
    assert.equal((await apps.listDeploymentForAllNamespaces()).items.length, 0);
  });

  await t.test('a watch and an informer', async () => {
    const seen: string[] = [];
    const done = Promise.withResolvers<void>();
    const abort = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      { allowWatchBookmarks: true },
      (type: string, object: { metadata: { name: string } }) => {
        seen.push(`${type} ${object.metadata.name}`);
        if (type === 'DELETED') done.resolve();
      },
      () => undefined,
    );
    await core.deleteNamespacedConfigMap({ name: 'c', namespace });
    await done.promise;
    abort.abort();
    assert.deepEqual(seen, ['ADDED c', 'DELETED c']);
    const informer = makeInformer(config, '/api/v1/namespaces', () => core.listNamespace());
    const added = new Promise((resolve) =>
      informer.on('add', (object) => object.metadata?.name === 'fresh' && resolve(object)),
    );
    await informer.start();
    await core.createNamespace({ body: { metadata: { name: 'fresh' } } });
    await added;
    await informer.stop();
  });

  await t.test('server-side apply and custom objects', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const schema = {
      openAPIV3Schema: {
        type: 'object',
        properties: { spec: { type: 'object', properties: { x: { type: 'integer' } } } },
      },
    };
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'bars.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural: 'bars', kind: 'Bar' },
        versions: [{ name: 'v1', served: true, storage: true, schema }],
      },
    };
    await objects.create(crd);
    const custom = config.makeApiClient(CustomObjectsApi);
    const place = { group: 'example.com', version: 'v1', plural: 'bars' };
    await custom.createClusterCustomObject({
      ...place,
      body: { apiVersion: 'example.com/v1', kind: 'Bar', metadata: { name: 'b' }, spec: { x: 1 } },
    });
    const read = (await custom.getClusterCustomObject({ ...place, name: 'b' })) as { spec: object };
    assert.deepEqual(read.spec, { x: 1 });
    await objects.delete(crd);
  });

  await t.test('a review of its own rights', async () => {
    const body = { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } };
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({ body });
    assert.equal(review.status?.allowed, true);
  });
});
