import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { runServer } from './running-server.ts';

const crds: ResourceType<UnknownObject> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const toys: ResourceType<UnknownObject> = {
  group: 'example.com',
  version: 'v1',
  plural: 'toys',
  kind: 'Toy',
  namespaced: true,
};

const spec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    color: { type: 'string', enum: ['red', 'blue'], default: 'red' },
    mode: { type: 'string', pattern: '^[a-z]+$' },
    port: { 'x-kubernetes-int-or-string': true },
    parts: {
      type: 'array',
      maxItems: 2,
      items: { type: 'object', properties: { name: { type: 'string' }, weight: { type: 'integer', default: 1 } } },
    },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};
const schema = {
  openAPIV3Schema: {
    type: 'object',
    properties: { spec, status: { type: 'object', properties: { ready: { type: 'boolean' } } } },
  },
};

const crd: UnknownObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'toys.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'toys', kind: 'Toy', shortNames: ['ty'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema,
        subresources: { status: {} },
        additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
      },
      { name: 'v1beta1', served: true, storage: false, schema, deprecated: true },
    ],
  },
};

async function withToys(t: TestContext): Promise<KubeClient> {
  const api = (await runServer(t)).createClient('test');
  const made = await api.create(crds, crd);
  const conditions = (made['status'] as { conditions: { type: string; status: string }[] }).conditions;
  assert.equal(conditions.find((condition) => condition.type === 'Established')?.status, 'True');
  return api;
}

function toy(content: object): UnknownObject {
  return { apiVersion: 'example.com/v1', kind: 'Toy', metadata: { name: 't', namespace: 'default' }, spec: content };
}

test('a kind is served as soon as its definition is stored, with defaults and pruning', async (t) => {
  const api = await withToys(t);
  const made = await api.create(toys, toy({ size: 2, unknown: 1, parts: [{ name: 'a', x: 1 }], free: { any: 1 } }));
  assert.deepEqual(made['spec'], { size: 2, color: 'red', parts: [{ name: 'a', weight: 1 }], free: { any: 1 } });
  assert.equal(made.metadata.generation, 1);
});

test('values that the schema refuses are named with their place', async (t) => {
  const api = await withToys(t);
  const refused: readonly (readonly [object, RegExp])[] = [
    [{}, /spec\.size: Required value/],
    [{ size: 'x' }, /spec\.size: Invalid value: "string": spec\.size in body must be of type integer: "string"/],
    [{ size: 0 }, /spec\.size in body should be greater than or equal to 1/],
    [{ size: 1, color: 'green' }, /spec\.color: Unsupported value: "green": supported values: "red", "blue"/],
    [{ size: 1, mode: 'A' }, /spec\.mode in body should match '\^\[a-z\]\+\$'/],
    [{ size: 1, port: true }, /spec\.port in body must be of type integer,string/],
    [{ size: 1, parts: [{}, {}, {}] }, /spec\.parts: Too many: 3: must have at most 2 items/],
    [{ size: 1, parts: 'no' }, /spec\.parts in body must be of type array/],
  ];
  for (const [content, message] of refused) {
    await assert.rejects(
      api.create(toys, toy(content)),
      (error) => isKubeError(error, 'Invalid') && message.test(error.message),
      String(message),
    );
  }
});

test('strict field validation refuses what pruning would drop', async (t) => {
  const api = await withToys(t);
  const path = '/apis/example.com/v1/namespaces/default/toys?fieldValidation=Strict';
  const { status, body } = await api.request({ method: 'POST', path, body: toy({ size: 1, extra: 1 }) });
  assert.equal(status, 400);
  assert.match((body as { message: string }).message, /strict decoding error: unknown field "spec\.extra"/);
});

test('status and spec are changed through their own endpoints only', async (t) => {
  const api = await withToys(t);
  await api.create(toys, { ...toy({ size: 1 }), status: { ready: true } });
  const place = { namespace: 'default' };
  const both = { kind: 'merge', body: { spec: { size: 3 }, status: { ready: true } } } as const;
  const viaStatus = await api.patch(toys, 't', { ...place, subresource: 'status', patch: both });
  assert.deepEqual(
    [viaStatus['spec'], viaStatus['status'], viaStatus.metadata.generation],
    [{ size: 1, color: 'red' }, { ready: true }, 1],
  );
  const viaMain = await api.patch(toys, 't', {
    ...place,
    patch: { kind: 'merge', body: { spec: { size: 3 }, status: { ready: false } } },
  });
  assert.deepEqual([viaMain['status'], viaMain.metadata.generation], [{ ready: true }, 2]);
});

test('every served version shows the same object; a deprecated one warns', async (t) => {
  const api = await withToys(t);
  await api.create(toys, toy({ size: 1 }));
  const old = await api.get({ ...toys, version: 'v1beta1' }, 't', { namespace: 'default' });
  assert.equal(old?.apiVersion, 'example.com/v1beta1');
  assert.deepEqual(old?.['spec'], { size: 1, color: 'red' });
});

test('a replace needs the version that it replaces', async (t) => {
  const api = await withToys(t);
  const made = await api.create(toys, toy({ size: 1 }));
  await assert.rejects(
    api.replace(toys, toy({ size: 2 })),
    (error) => isKubeError(error, 'Invalid') && /must be specified for an update/.test(error.message),
  );
  await api.replace(toys, { ...made, spec: { size: 2 } });
  await assert.rejects(api.replace(toys, { ...made, spec: { size: 3 } }), (error) => isKubeError(error, 'Conflict'));
});

test('deleting the definition deletes its objects, and waits for their finalizers', async (t) => {
  const api = await withToys(t);
  await api.create(toys, {
    ...toy({ size: 1 }),
    metadata: { name: 'held', namespace: 'default', finalizers: ['example.com/hold'] },
  });
  await api.create(toys, { ...toy({ size: 1 }), metadata: { name: 'free', namespace: 'default' } });
  const gone = new AbortController();
  const events = api.watch(crds, { signal: gone.signal })[Symbol.asyncIterator]();
  await events.next();
  await api.delete(crds, 'toys.example.com');
  assert.equal(await api.get(toys, 'free', { namespace: 'default' }), undefined);
  assert.ok(await api.get(toys, 'held', { namespace: 'default' }));
  await assert.rejects(
    api.create(toys, { ...toy({ size: 1 }), metadata: { name: 'new', namespace: 'default' } }),
    /terminating/,
  );
  await api.patch(toys, 'held', {
    namespace: 'default',
    patch: { kind: 'merge', body: { metadata: { finalizers: null } } },
  });
  for (let event = await events.next(); event.value.kind !== 'deleted'; event = await events.next());
  gone.abort();
  await assert.rejects(api.list(toys), (error) => isKubeError(error, 'NotFound'));
});

test('a definition that cannot work is refused', async (t) => {
  const api = (await runServer(t)).createClient('test');
  const change = (more: object, name = 'toys.example.com'): UnknownObject => ({
    ...crd,
    metadata: { name },
    spec: { ...(crd['spec'] as object), ...more },
  });
  const refused = [
    change({}, 'other.example.com'),
    change({ scope: 'Galaxy' }),
    change({ versions: [] }),
    change({ versions: [{ name: 'v1', served: true, storage: true }] }),
  ];
  for (const object of refused)
    await assert.rejects(api.create(crds, object), (error) => isKubeError(error, 'Invalid'));
});
