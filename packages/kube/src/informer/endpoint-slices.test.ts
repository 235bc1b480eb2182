import assert from 'node:assert/strict';
import { it } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { KubeError } from '../errors.ts';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { resources } from '../resources/resources.ts';
import { createInformer } from './create-informer.ts';
import { endpointSliceClient } from './endpoint-slices.ts';

const slice = (name: string, endpoint: object): object => ({
  apiVersion: 'discovery.k8s.io/v1beta1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'default', resourceVersion: '5' },
  endpoints: [{ addresses: ['10.1.0.1'], ...endpoint }],
});

/** A cluster that serves EndpointSlices in one version only. */
function serving(version: string, asked: string[]): Parameters<typeof endpointSliceClient>[0] {
  const check = (type: ResourceType<KubeObject>): void => {
    asked.push(type.version);
    if (type.version !== version) throw new KubeError({ status: 404, reason: 'NotFound', message: 'not served' });
  };
  return {
    list: async (type) => {
      check(type);
      return { items: [slice('a', { topology: { 'kubernetes.io/hostname': 'n1' } }) as never], resourceVersion: '5' };
    },
    async *watch(type, options) {
      check(type);
      yield { kind: 'added', object: slice('b', { nodeName: 'n2' }) as never };
      await new Promise((resolve) => options?.signal?.addEventListener('abort', resolve, { once: true }));
    },
  };
}

for (const version of ['v1', 'v1beta1']) {
  it(`follows EndpointSlices of ${version}, with the node of each endpoint`, async (t) => {
    const abort = new AbortController();
    t.after(() => abort.abort());
    const asked: string[] = [];
    const client = endpointSliceClient(serving(version, asked));
    const informer = createInformer({ client, type: resources.endpointSlices, log: silentLogger });
    const both = Promise.withResolvers<void>();
    informer.onChange(() => informer.list().length === 2 && both.resolve());
    informer.start(abort.signal);
    await both.promise;
    const nodes = informer.list().map(({ endpoints }) => endpoints?.[0]?.nodeName);
    assert.deepEqual(nodes.toSorted(), version === 'v1' ? ['n2', undefined] : ['n1', 'n2']);
    assert.equal(asked.at(-1), version);
  });
}
