import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KubeError } from '@kfctl/kube';
import type { Informer, RawResponse, UnknownObject } from '@kfctl/kube';
import { optionalSource } from './optional-source.ts';
import { envoyFilters } from './resources.ts';

const never: Informer<UnknownObject> = {
  start: () => undefined,
  synced: new Promise<void>(() => undefined),
  get: () => undefined,
  list: () => [],
  onChange: () => () => undefined,
};

const answers = (request: () => Promise<RawResponse>): Promise<string> =>
  Promise.race([
    optionalSource(never, envoyFilters, { request }).synced.then(() => 'synced'),
    new Promise<string>((resolve) => setImmediate(() => setImmediate(() => resolve('waiting')))),
  ]);

test('a resource that the cluster does not serve is waited for no longer, any other is', async () => {
  const gone = new KubeError({ status: 404, reason: 'NotFound', message: 'no such group' });
  const down = new KubeError({ status: 503, reason: 'ServiceUnavailable', message: 'later' });
  assert.equal(await answers(() => Promise.reject(gone)), 'synced');
  assert.equal(
    await answers(() => Promise.resolve({ status: 200, body: { resources: [{ name: 'sidecars' }] } })),
    'synced',
  );
  assert.equal(
    await answers(() => Promise.resolve({ status: 200, body: { resources: [{ name: 'envoyfilters' }] } })),
    'waiting',
  );
  assert.equal(await answers(() => Promise.reject(down)), 'waiting');
});
