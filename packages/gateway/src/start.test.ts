import assert from 'node:assert/strict';
import type { Pod } from '@kfctl/kube';
import { test } from 'node:test';
import { fetchText } from './rig/fetch-text.ts';
import { destinationRule, endpointSlice, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'app-0', namespace: 'kubeflow', labels: { version: 'v1' } },
};

/** `/app` leads to the subset of `app-0`. */
async function addSubset(rig: Pick<Rig, 'sources' | 'upstream'>): Promise<void> {
  await rig.upstream('app', (_request, response) => response.end('subset'));
  const slice = rig.sources.endpointSlices.get('app-1', 'kubeflow');
  const targetRef = { kind: 'Pod', name: 'app-0', namespace: 'kubeflow' };
  const endpoint = { addresses: ['127.0.0.1'], conditions: { ready: true }, targetRef };
  rig.sources.endpointSlices.put({ ...endpointSlice('app', 'kubeflow', []), ...slice, endpoints: [endpoint] });
  const subsets = [{ name: 'v1', labels: { version: 'v1' } }];
  rig.sources.destinationRules.put(destinationRule('app', { host: 'app', subsets }));
  const destination = { host: 'app.kubeflow.svc.cluster.local', port: { number: 80 }, subset: 'v1' };
  rig.sources.virtualServices.put(virtualService('app', [{ route: [{ destination }] }]));
}

test('a gateway that starts opens no port before it knows the pods of its subsets', async () => {
  const listed = Promise.withResolvers<void>();
  const rig = await startRig({
    isReady: false,
    async prepare(early) {
      early.sources.podObjects.synced = listed.promise;
      await addSubset(early);
    },
  });
  try {
    for (let turn = 0; turn < 5; turn += 1) await rig.settle();
    assert.deepEqual([rig.gateway.notReady(), rig.gateway.boundPort(443)], ['not synced', undefined]);
    rig.sources.podObjects.put(pod);
    listed.resolve();
    while (rig.gateway.notReady() !== undefined) await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/app')).text, 'subset');
  } finally {
    await rig.close();
  }
});

test('a gateway that runs keeps its routes until the pods of a new subset are known', async () => {
  const rig = await startRig();
  try {
    await rig.upstream('old', (_request, response) => response.end('old'));
    const destination = { host: 'old.kubeflow.svc.cluster.local', port: { number: 80 } };
    rig.sources.virtualServices.put(virtualService('app', [{ route: [{ destination }] }]));
    await rig.settle();
    const listed = Promise.withResolvers<void>();
    rig.sources.podObjects.synced = listed.promise;
    await addSubset(rig);
    for (let turn = 0; turn < 5; turn += 1) await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/app')).text, 'old');
    rig.sources.podObjects.put(pod);
    listed.resolve();
    await rig.settle();
    assert.equal((await fetchText(rig.tlsPort(), '/app')).text, 'subset');
  } finally {
    await rig.close();
  }
});
