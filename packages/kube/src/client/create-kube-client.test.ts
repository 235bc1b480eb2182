import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { Secret } from '@kfctl/core';
import type { KubeConfig } from '../config/kube-config.ts';
import { isKubeError } from '../errors.ts';
import { resources } from '../resources/resources.ts';
import { answerStatus, startScriptedServer } from '../../test/scripted-server.ts';
import type { Script, ScriptedServer } from '../../test/scripted-server.ts';
import { createKubeClient } from './create-kube-client.ts';
import type { KubeClient, WatchEvent } from './kube-client.ts';

const configMap = (
  name: string,
  more: object = {},
): { apiVersion: string; kind: string; metadata: { name: string } } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...more },
});

async function connect(
  context: TestContext,
  script: Script,
  more: Partial<KubeConfig> = {},
): Promise<{ server: ScriptedServer; client: KubeClient }> {
  const server = await startScriptedServer(script);
  const client = createKubeClient({ ...server.config, ...more });
  context.after(async () => {
    client.close();
    await server.close();
  });
  return { server, client };
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe('requests', () => {
  it('put namespace, name and subresource into the path', async (t) => {
    const { server, client } = await connect(t, () => configMap('a'));
    await client.get(resources.configMaps, 'a', { namespace: 'n' });
    await client.get(resources.namespaces, 'n');
    await client.patch(resources.deployments, 'd', {
      namespace: 'n',
      subresource: 'scale',
      patch: { kind: 'merge', body: {} },
    });
    assert.deepEqual(
      server.seen.map((request) => `${request.method} ${request.url}`),
      [
        'GET /api/v1/namespaces/n/configmaps/a',
        'GET /api/v1/namespaces/n',
        'PATCH /apis/apps/v1/namespaces/n/deployments/d/scale',
      ],
    );
  });

  it('keep the path prefix of the server address', async (t) => {
    const server = await startScriptedServer(() => configMap('a'));
    const client = createKubeClient({ ...server.config, server: `${server.url}/k8s/clusters/c-1/` });
    t.after(async () => {
      client.close();
      await server.close();
    });
    await client.get(resources.namespaces, 'n');
    assert.equal(server.seen[0]?.url, '/k8s/clusters/c-1/api/v1/namespaces/n');
  });

  it('refuse names that would leave their place', async (t) => {
    const { server, client } = await connect(t, () => configMap('a'));
    for (const name of ['', '.', '..', 'a/b', '../secrets/x', 'a%2fb']) {
      await assert.rejects(client.get(resources.configMaps, name, { namespace: 'n' }), { code: 'KUBE_NAME_INVALID' });
      await assert.rejects(client.list(resources.configMaps, { namespace: `${name}/` }), { code: 'KUBE_NAME_INVALID' });
    }
    assert.equal(server.seen.length, 0);
  });

  it('refuse a namespaced object without a namespace', async (t) => {
    const { client } = await connect(t, () => configMap('a'));
    await assert.rejects(client.create(resources.configMaps, configMap('a')), { code: 'KUBE_NAMESPACE_REQUIRED' });
  });

  it('send each kind of patch with its content type', async (t) => {
    const { server, client } = await connect(t, () => configMap('a'));
    const place = { namespace: 'n' };
    await client.patch(resources.configMaps, 'a', {
      ...place,
      patch: { kind: 'json', operations: [{ op: 'remove', path: '/data' }] },
    });
    await client.patch(resources.configMaps, 'a', { ...place, patch: { kind: 'merge', body: { a: 1 } } });
    await client.patch(resources.configMaps, 'a', { ...place, patch: { kind: 'strategic', body: { a: 1 } } });
    await client.apply(resources.configMaps, configMap('a', place), {
      fieldManager: 'kfctl',
      force: true,
      dryRun: true,
    });
    assert.deepEqual(
      server.seen.map((request) => request.headers['content-type']),
      [
        'application/json-patch+json',
        'application/merge-patch+json',
        'application/strategic-merge-patch+json',
        'application/apply-patch+yaml',
      ],
    );
    assert.equal(server.seen[3]?.url, '/api/v1/namespaces/n/configmaps/a?fieldManager=kfctl&dryRun=All&force=true');
  });

  it('write integers beyond 2^53 digit by digit', async (t) => {
    const { server, client } = await connect(t, () => configMap('a'));
    await client.patch(resources.configMaps, 'a', {
      namespace: 'n',
      patch: { kind: 'merge', body: { big: 9007199254740993n } },
    });
    assert.equal(server.seen[0]?.body, '{"big":9007199254740993}');
  });

  it('ask for background deletion with preconditions', async (t) => {
    const { server, client } = await connect(t, () => ({ kind: 'Status', status: 'Success' }));
    assert.equal(await client.delete(resources.jobs, 'j', { namespace: 'n', preconditions: { uid: 'u' } }), true);
    assert.deepEqual(JSON.parse(server.seen[0]?.body ?? ''), {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: 'Background',
      preconditions: { uid: 'u' },
    });
  });
});

describe('failures', () => {
  it('turn 404 of get and delete into absence', async (t) => {
    const { client } = await connect(t, (_request, response) => answerStatus(response, 404, 'NotFound'));
    assert.equal(await client.get(resources.configMaps, 'a', { namespace: 'n' }), undefined);
    assert.equal(await client.delete(resources.configMaps, 'a', { namespace: 'n' }), false);
  });

  it('carry reason, message and details of a Status', async (t) => {
    const { client } = await connect(t, (_request, response) => answerStatus(response, 403, 'Forbidden', 'no'));
    await assert.rejects(
      client.list(resources.secrets),
      (error) => isKubeError(error, 'Forbidden') && error.status === 403 && error.message === 'list secrets: no',
    );
  });

  it('do not quote what a proxy in between says', async (t) => {
    const { client } = await connect(t, (_request, response) => {
      response.writeHead(502, { 'content-type': 'text/html' });
      response.end('<h1>Bad gateway</h1>');
    });
    await assert.rejects(client.list(resources.pods), { status: 502, message: 'list pods: HTTP 502' });
  });

  it('name the server that cannot be reached', async (t) => {
    const { server, client } = await connect(t, () => ({}));
    await server.close();
    await assert.rejects(client.list(resources.pods), {
      code: 'KUBE_UNREACHABLE',
      message: /cannot reach the API server http:\/\/127/,
    });
  });

  it('repeat what the server refused to begin', async (t) => {
    const { server, client } = await connect(t, (_request, response, count) => {
      if (count > 2) return configMap('a');
      response.setHeader('retry-after', '0');
      return answerStatus(response, 429, 'TooManyRequests');
    });
    await client.create(resources.configMaps, configMap('a', { namespace: 'n' }));
    assert.equal(server.seen.length, 3);
  });

  it('renew a refused credential once', async (t) => {
    let token = 'old';
    const credentials = {
      current: () => Promise.resolve({ authorization: new Secret(`Bearer ${token}`) }),
      invalidate: () => {
        token = 'new';
        return true;
      },
    };
    const script: Script = (request, response) =>
      request.headers.authorization === 'Bearer new' ? configMap('a') : answerStatus(response, 401, 'Unauthorized');
    const { server, client } = await connect(t, script, { credentials });
    await client.get(resources.namespaces, 'n');
    assert.deepEqual(
      server.seen.map((request) => request.headers.authorization),
      ['Bearer old', 'Bearer new'],
    );
  });

  it('repeat a read on a connection that the server had given up', async (t) => {
    const { server, client } = await connect(t, (_request, response, count) => {
      if (count === 2) return void response.destroy();
      return configMap('a');
    });
    await client.get(resources.namespaces, 'n');
    await client.get(resources.namespaces, 'n');
    assert.equal(server.seen.length, 3);
  });
});

describe('list', () => {
  it('follows continue tokens and gives items their kind', async (t) => {
    const { server, client } = await connect(t, (request) =>
      request.url.includes('continue=next')
        ? { metadata: { resourceVersion: '7' }, items: [{ metadata: { name: 'b' } }] }
        : { metadata: { resourceVersion: '7', continue: 'next' }, items: [{ metadata: { name: 'a' } }] },
    );
    const list = await client.list(resources.configMaps, { labelSelector: 'app=x,y!=z' });
    assert.deepEqual(list, {
      resourceVersion: '7',
      items: [configMap('a'), configMap('b')].map((item) => ({ ...item })),
    });
    assert.equal(server.seen[0]?.url, '/api/v1/configmaps?limit=500&labelSelector=app%3Dx%2Cy%21%3Dz');
  });

  it('lists in one piece when the snapshot of its pages is gone', async (t) => {
    const { client } = await connect(t, (request, response) => {
      if (request.url.includes('continue=')) return answerStatus(response, 410, 'Expired');
      if (request.url.includes('limit='))
        return { metadata: { continue: 'x', resourceVersion: '1' }, items: [{ metadata: { name: 'a' } }] };
      return { metadata: { resourceVersion: '2' }, items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] };
    });
    const list = await client.list(resources.configMaps);
    assert.deepEqual(
      list.items.map((item) => item.metadata.name),
      ['a', 'b'],
    );
    assert.equal(list.resourceVersion, '2');
  });

  it('reads an empty list whose items are null', async (t) => {
    const { client } = await connect(t, () => ({ metadata: { resourceVersion: '1' }, items: null }));
    assert.deepEqual((await client.list(resources.pods)).items, []);
  });
});

describe('watch', () => {
  const line = (type: string, object: object): string => `${JSON.stringify({ type, object })}\n`;

  it('gives events in order, characters split between packets included', async (t) => {
    const bytes = Buffer.from(
      line('ADDED', configMap('é', { resourceVersion: '2' })) +
        line('BOOKMARK', { metadata: { resourceVersion: '9' } }) +
        line('DELETED', configMap('é', { resourceVersion: '10' })),
    );
    const { server, client } = await connect(t, async (_request, response) => {
      for (const byte of bytes) {
        response.write(Buffer.of(byte));
        if (byte > 127) await new Promise(setImmediate);
      }
      response.end();
    });
    const events = await collect(client.watch(resources.configMaps, { namespace: 'n', resourceVersion: '1' }));
    assert.deepEqual(
      events.map((event: WatchEvent<{ metadata: { name?: string } }>) =>
        event.kind === 'bookmark' ? event.resourceVersion : `${event.kind} ${event.object.metadata.name}`,
      ),
      ['added é', '9', 'deleted é'],
    );
    assert.match(
      server.seen[0]?.url ?? '',
      /watch=true&allowWatchBookmarks=true&timeoutSeconds=\d+&resourceVersion=1$/,
    );
  });

  it('throws 410 for an ERROR event about an old version', async (t) => {
    const { client } = await connect(t, (_request, response) => {
      response.end(line('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' }));
    });
    await assert.rejects(
      collect(client.watch(resources.pods)),
      (error) => isKubeError(error, 'Expired') && error.status === 410,
    );
  });

  it('ends without an error when the connection breaks, dropping a cut line', async (t) => {
    const { client } = await connect(t, (_request, response) => {
      response.write(line('ADDED', configMap('a')) + '{"type":"ADDED","obj', () => response.destroy());
    });
    assert.equal((await collect(client.watch(resources.configMaps))).length, 1);
  });

  it('ends when its signal aborts', async (t) => {
    const abort = new AbortController();
    const { client } = await connect(t, (_request, response) => void response.write(line('ADDED', configMap('a'))));
    const seen: unknown[] = [];
    for await (const event of client.watch(resources.configMaps, { signal: abort.signal })) {
      seen.push(event);
      abort.abort();
    }
    assert.equal(seen.length, 1);
  });
});

describe('discovery', () => {
  it('reads aggregated discovery', async (t) => {
    const group = (name: string, version: string, resource: object): object => ({
      metadata: { name },
      versions: [{ version, resources: [resource] }],
    });
    const pod = {
      resource: 'pods',
      responseKind: { group: '', version: 'v1', kind: 'Pod' },
      scope: 'Namespaced',
      singularResource: 'pod',
      verbs: ['get'],
      shortNames: ['po'],
      subresources: [{ subresource: 'log' }],
    };
    const { server, client } = await connect(t, (request) => ({
      kind: 'APIGroupDiscoveryList',
      items: request.url === '/api' ? [group('', 'v1', pod)] : [],
    }));
    const expected = {
      group: '',
      version: 'v1',
      plural: 'pods',
      kind: 'Pod',
      namespaced: true,
      verbs: ['get'],
      singular: 'pod',
      shortNames: ['po'],
      subresources: ['log'],
    };
    assert.deepEqual(await client.discover(), [expected]);
    await client.discover();
    assert.equal(server.seen.length, 2);
  });

  it('goes group by group on old servers, preferred version first, a broken group left out', async (t) => {
    const answers: Record<string, unknown> = {
      '/api': { kind: 'APIVersions', versions: ['v1'] },
      '/apis': {
        kind: 'APIGroupList',
        groups: [
          {
            name: 'apps',
            versions: [{ groupVersion: 'apps/v1beta1' }, { groupVersion: 'apps/v1' }],
            preferredVersion: { groupVersion: 'apps/v1' },
          },
          {
            name: 'broken',
            versions: [{ groupVersion: 'broken/v1' }],
            preferredVersion: { groupVersion: 'broken/v1' },
          },
        ],
      },
      '/api/v1': {
        resources: [
          { name: 'pods', kind: 'Pod', namespaced: true, verbs: ['get'] },
          { name: 'pods/log', kind: 'Pod' },
        ],
      },
      '/apis/apps/v1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: [] }] },
      '/apis/apps/v1beta1': { resources: [{ name: 'deployments', kind: 'Deployment', namespaced: true, verbs: [] }] },
    };
    const { client } = await connect(
      t,
      (request, response) => answers[request.url] ?? answerStatus(response, 500, 'InternalError'),
    );
    assert.deepEqual(
      (await client.discover()).map(
        (found) => `${found.group}/${found.version} ${found.plural} ${found.subresources.join()}`,
      ),
      ['/v1 pods log', 'apps/v1 deployments ', 'apps/v1beta1 deployments '],
    );
  });
});
