import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientHttp2Session } from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { parseVirtualService } from './istio/virtual-service.ts';
import { ask, openClient } from './rig/http2-service.ts';
import { kubeflowGateway, policy, requireAuthservice, to, virtualService, withoutRedirect } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';
import { openWire } from '../../testkit/src/wire.ts';

interface Copy {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let rig: Rig;
let client: ClientHttp2Session;
const copies: Copy[] = [];

before(async () => {
  rig = await startRig();
  client = openClient(rig);
  await rig.upstream('app', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
    request.on('end', () => response.end(`app ${body.length}`));
  });
  await rig.upstream('mirror', (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => void (body += chunk));
    request.on('end', () => {
      copies.push({ url: request.url ?? '', headers: request.headers, body });
      response.writeHead(500).end('the mirror’s own');
    });
  });
  await rig.upstream('stuck', (request) => void request.pause());
});
after(async () => {
  client.destroy();
  await rig.close();
});

const host = (name: string): object => ({ host: `${name}.kubeflow.svc.cluster.local`, port: { number: 80 } });

async function route(more: object): Promise<void> {
  rig.sources.virtualServices.put(virtualService('app', [{ ...to('app'), ...more }]));
  await rig.settle();
  copies.length = 0;
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await rig.settle();
}

/** Half a body, and its rest after the answer. */
async function sendOnOverHttp1(): Promise<void> {
  const wire = openWire(rig.plainPort());
  wire.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  await wire.until(/hasty/);
  wire.send('6\r\nsecond\r\n0\r\n\r\nGET / HTTP/1.0\r\nHost: h\r\n\r\n');
  await wire.ended;
  wire.socket.destroy();
}

async function sendOnOverHttp2(): Promise<void> {
  const stream = client.request({ ':method': 'POST', ':path': '/' });
  stream.on('error', () => undefined).write('first');
  await new Promise((resolve) => stream.once('data', resolve));
  stream.end('second');
  await new Promise((resolve) => stream.once('close', resolve));
}

describe('a mirror', () => {
  test('gets a copy of each request, its host marked, and its answer is nobody’s', async () => {
    await route({ mirror: host('mirror') });
    const answer = await ask(client, { ':path': '/a?b=c', ':authority': 'kf.example:8443', 'x-a': '1' });
    assert.deepEqual([answer.status, answer.text], [200, 'app 0']);
    await until(() => copies.length === 1);
    const [copy] = copies;
    assert.deepEqual([copy?.url, copy?.headers['x-a'], copy?.headers.host], ['/a?b=c', '1', 'kf.example-shadow:8443']);
  });

  test('gets bodies too', async () => {
    await route({
      mirrors: [{ destination: host('mirror') }, { destination: host('mirror'), percentage: { value: 0 } }],
    });
    const body = 'x'.repeat(300_000);
    assert.equal((await ask(client, { ':method': 'POST', ':path': '/' }, body)).text, 'app 300000');
    await until(() => copies.length === 1);
    assert.equal(copies[0]?.body, body);
  });

  test('gets its share, and none where there is nobody', async () => {
    await route({ mirror: host('mirror'), mirrorPercentage: { value: 0 } });
    for (let turn = 0; turn < 20; turn += 1) assert.equal((await ask(client, { ':path': '/' })).text, 'app 0');
    await route({ mirror: host('nobody') });
    assert.equal((await ask(client, { ':path': '/' })).text, 'app 0');
    await route({ mirror: host('mirror'), mirrorPercent: 100 });
    await ask(client, { ':path': '/last' });
    await until(() => copies.length > 0);
    assert.deepEqual(
      copies.map(({ url }) => url),
      ['/last'],
    );
  });

  test('that falls behind makes nobody wait', async () => {
    await route({ mirror: host('stuck') });
    const body = 'x'.repeat(8 * 1024 * 1024);
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => ask(client, { ':method': 'POST', ':path': '/' }, body)),
    );
    for (const { text } of answers) assert.equal(text, `app ${body.length}`);
  });

  test('that cannot be reached keeps nothing of what was meant for it', async () => {
    (await rig.upstream('closed', () => undefined)).close();
    let status = 503;
    await rig.upstream('flaky', (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(status).end();
        status = 200;
      });
    });
    await route({ mirror: host('closed') });
    const body = 'x'.repeat(900_000);
    // Together more than may be kept of all requests, those that may have to be sent again among them.
    for (let turn = 0; turn < 40; turn += 1) await ask(client, { ':method': 'POST', ':path': '/' }, body);
    await route({ ...to('flaky'), retries: { attempts: 1, retryOn: '503', backoff: '1ms' } });
    assert.equal((await ask(client, { ':method': 'POST', ':path': '/' }, body)).status, 200);
  });

  for (const kind of ['HTTP/1.1', 'HTTP/2']) {
    test(`never takes for whole what nobody read to its end, from a client of ${kind}`, async () => {
      const ends: string[] = [];
      await rig.upstream('hasty', (request, response) => {
        if (request.method === 'GET') response.end();
        else request.once('data', () => response.end('hasty'));
      });
      await rig.upstream('careful', (request, response) => {
        if (request.method === 'GET') return void response.end();
        request.on('error', () => undefined).on('end', () => void ends.push('whole'));
        request.on('close', () => void ends.push('over')).resume();
      });
      rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
      await route({ ...to('hasty'), mirror: host('careful') });
      await (kind === 'HTTP/2' ? sendOnOverHttp2() : sendOnOverHttp1());
      await until(() => ends.includes('over'));
      assert.deepEqual(ends, ['over']);
    });
  }

  test('gets no copy of what its own policies refuse', async () => {
    await route({ mirror: host('mirror') });
    const deny = { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/secret'] } }] }] };
    rig.sources.authorizationPolicies.put(policy('deny', deny, 'kubeflow'));
    await rig.settle();
    assert.equal((await ask(client, { ':path': '/secret' })).status, 403);
    // The app’s own namespace is the mirror’s: a policy that concerns the mirror alone.
    rig.sources.services.put({
      ...(rig.sources.services.get('mirror', 'kubeflow') ?? assert.fail()),
      spec: { selector: { app: 'mirror' }, ports: [{ name: 'http', port: 80 }] },
    });
    rig.sources.services.put({
      ...(rig.sources.services.get('app', 'kubeflow') ?? assert.fail()),
      spec: { selector: { app: 'app' }, ports: [{ name: 'http', port: 80 }] },
    });
    const selector = { matchLabels: { app: 'mirror' } };
    rig.sources.authorizationPolicies.put(policy('deny', { ...deny, selector }, 'kubeflow'));
    await rig.settle();
    assert.equal((await ask(client, { ':path': '/secret' })).status, 200);
    await ask(client, { ':path': '/open' });
    await until(() => copies.length > 0);
    assert.deepEqual(
      copies.map(({ url }) => url),
      ['/open'],
    );
  });

  test('gets no copy of what the gateway refuses', async () => {
    await route({ mirror: host('mirror') });
    requireAuthservice(rig.sources);
    await rig.settle();
    assert.equal((await ask(client, { ':path': '/' })).status, 503);
    await ask(client, { ':path': '/dex/free' });
    await until(() => copies.length > 0);
    assert.deepEqual(
      copies.map(({ url }) => url),
      ['/dex/free'],
    );
  });

  test('is refused where it is half said', () => {
    const problemsOf = (more: object): string => {
      const problems: string[] = [];
      parseVirtualService(virtualService('a', [{ ...to('app'), ...more }]), problems);
      return problems.join();
    };
    assert.match(problemsOf({ mirror: {} }), /mirror\.host: is required/);
    assert.match(problemsOf({ mirrors: [{}] }), /destination: is required/);
    assert.match(problemsOf({ mirror: { host: 'a' }, mirrors: [] }), /mirror: excludes mirrors/);
    assert.match(problemsOf({ mirror: { host: 'a' }, mirrorPercentage: { value: 101 } }), /is no percentage/);
  });
});
