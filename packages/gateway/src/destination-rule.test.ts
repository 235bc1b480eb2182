import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { connect, constants } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import type { ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, test } from 'node:test';
import { selfSigned } from './rig/certificates.ts';
import { fetchText } from './rig/fetch-text.ts';
import type { Fetched } from './rig/fetch-text.ts';
import { ask, openClient } from './rig/http2-service.ts';
import { destinationRule, endpointSlice, to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
const servers: Server[] = [];

before(async () => {
  rig = await startRig();
});
after(async () => {
  await rig.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** A service with one endpoint for each handler; its pods are `<name>-0`, `<name>-1`, … */
async function serve(name: string, ...handlers: RequestListener[]): Promise<void> {
  const ports = await Promise.all(handlers.map((handler) => listen(createServer(handler))));
  addEndpoints(name, ports);
  route(name);
}

function addEndpoints(name: string, ports: readonly number[]): void {
  rig.addService(name, ports[0] ?? 0);
  for (const [index, port] of ports.entries()) {
    const slice = endpointSlice(name, 'kubeflow', [port]);
    const targetRef = { kind: 'Pod', name: `${name}-${index}`, namespace: 'kubeflow' };
    rig.sources.endpointSlices.put({
      ...slice,
      metadata: { ...slice.metadata, name: `${name}-${index + 1}` },
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true }, targetRef }],
    });
  }
}

function route(name: string, destination: object = to(name)): void {
  rig.sources.virtualServices.put(virtualService(name, [{ match: [{ uri: { prefix: `/${name}` } }], ...destination }]));
}

async function rule(name: string, spec: object): Promise<void> {
  rig.sources.destinationRules.put(destinationRule(name, { host: name, ...spec }));
  await rig.settle();
}

function get(path: string, headers: Record<string, string> = {}): Promise<Fetched> {
  return fetchText(rig.tlsPort(), path, headers);
}

const say =
  (text: string): RequestListener =>
  (_request, response) =>
    void response.end(text);

async function flagsOf(path: string): Promise<string | undefined> {
  const line = (): string | undefined => rig.accessLog.findLast((item) => item.includes(` ${path} `));
  while (line() === undefined) await rig.settle();
  return /" \d{3} (\S+) /.exec(line() ?? '')?.[1];
}

describe('subsets', () => {
  test('are pods by their labels, as these change', async () => {
    await serve('versions', say('one'), say('two'));
    const pod = (index: number, version: string): void =>
      rig.sources.podObjects.put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `versions-${index}`, namespace: 'kubeflow', labels: { version } },
      });
    pod(0, 'v1');
    pod(1, 'v2');
    const subsets = [{ name: 'new', labels: { version: 'v2' } }];
    const destination = { host: 'versions', port: { number: 80 }, subset: 'new' };
    route('versions', { route: [{ destination }] });
    await rule('versions', { subsets });
    for (let turn = 0; turn < 4; turn += 1) assert.equal((await get('/versions')).text, 'two');
    pod(0, 'v2');
    pod(1, 'v1');
    for (let turn = 0; turn < 4; turn += 1) assert.equal((await get('/versions')).text, 'one');
    pod(0, 'v1');
    assert.equal((await get('/versions/none')).status, 503);
    assert.equal(await flagsOf('/versions/none'), 'UH');
    await rule('versions', {});
    assert.equal((await get('/versions/unknown')).status, 503);
    assert.equal(await flagsOf('/versions/unknown'), 'NC');
  });
});

describe('consistent hashing', () => {
  test('by header leads the same to the same', async () => {
    await serve('sticky', say('a'), say('b'), say('c'));
    await rule('sticky', { trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'X-User' } } } });
    const seen = new Set<string>();
    for (let user = 0; user < 20; user += 1) {
      const first = (await get('/sticky', { 'x-user': `u${user}` })).text;
      assert.equal((await get('/sticky', { 'x-user': `u${user}` })).text, first);
      seen.add(first);
    }
    assert.ok(seen.size > 1);
  });

  test('by cookie gives one to those who have none, and nobody else', async () => {
    await serve('cookie', say('a'), say('b'), say('c'));
    const httpCookie = { name: 'lb', path: '/cookie', ttl: '60s' };
    await rule('cookie', { trafficPolicy: { loadBalancer: { consistentHash: { httpCookie } } } });
    const first = await get('/cookie');
    const [cookie] = first.headers['set-cookie'] ?? [];
    assert.match(cookie ?? '', /^lb=[0-9a-f]{24}; Path=\/cookie; Max-Age=60; HttpOnly; SameSite=Lax; Secure$/);
    for (let turn = 0; turn < 5; turn += 1) {
      const again = await get('/cookie', { cookie: `other=1; ${cookie?.split(';')[0]}` });
      assert.equal(again.text, first.text);
      assert.equal(again.headers['set-cookie'], undefined);
    }
  });
});

test('an endpoint that is new to a service which warms up gets next to nothing at first', async () => {
  await serve('warm', say('old'));
  const warmup = { duration: '1h', minimumPercent: 0 };
  await rule('warm', { trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN', warmup } } });
  assert.equal((await get('/warm')).text, 'old');
  const slice = endpointSlice('warm', 'kubeflow', [await listen(createServer(say('new')))]);
  rig.sources.endpointSlices.put({ ...slice, metadata: { ...slice.metadata, name: 'warm-2' } });
  for (let turn = 0; turn < 10; turn += 1) assert.equal((await get('/warm')).text, 'old');
  await rule('warm', { trafficPolicy: { loadBalancer: { simple: 'ROUND_ROBIN' } } });
  const seen = [(await get('/warm')).text, (await get('/warm')).text];
  assert.deepEqual(seen.toSorted(), ['new', 'old']);
});

describe('connection limits', () => {
  /** Answers when it is told to. */
  function heldService(): { handler: RequestListener; waiting: (() => void)[]; sockets: Set<unknown> } {
    const waiting: (() => void)[] = [];
    const sockets = new Set<unknown>();
    const handler: RequestListener = (request, response) => {
      sockets.add(request.socket);
      waiting.push(() => response.end('done'));
    };
    return { handler, waiting, sockets };
  }

  const until = async (isTrue: () => boolean): Promise<void> => {
    while (!isTrue()) await rig.settle();
  };

  test('let requests wait for a connection, and refuse those beyond', async () => {
    const { handler, waiting, sockets } = heldService();
    await serve('narrow', handler);
    const connectionPool = { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1 } };
    await rule('narrow', { trafficPolicy: { connectionPool } });
    const first = get('/narrow/1');
    await until(() => waiting.length === 1);
    const second = get('/narrow/2');
    const third = await Promise.race([get('/narrow/3'), second]);
    assert.equal(third.status, 503);
    waiting[0]?.();
    assert.equal((await first).text, 'done');
    await until(() => waiting.length === 2);
    waiting[1]?.();
    assert.deepEqual([(await second).text, sockets.size], ['done', 1]);
    await until(() => rig.accessLog.some((line) => / 503 UO /.test(line)));
  });

  test('keep the body of a request that waits', async () => {
    const { handler, waiting } = heldService();
    let body = '';
    await serve('patient', (request, response) => {
      request.on('data', (chunk: Buffer) => void (body += chunk.toString()));
      handler(request, response);
    });
    await rule('patient', { trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } } });
    const first = get('/patient/1');
    await until(() => waiting.length === 1);
    const session = openClient(rig);
    const second = ask(session, { ':method': 'POST', ':path': '/patient/2' }, 'all of it');
    await once(session.request({ ':path': '/nowhere' }).resume(), 'end');
    waiting[0]?.();
    await first;
    await until(() => waiting.length === 2);
    waiting[1]?.();
    assert.deepEqual([(await second).text, body], ['done', 'all of it']);
    session.destroy();
  });

  test('forget a waiting client that went away', async () => {
    const { handler, waiting } = heldService();
    await serve('leaving', handler);
    await rule('leaving', { trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } } });
    const first = get('/leaving/1');
    await until(() => waiting.length === 1);
    const session = connect(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
    const second = session.request({ ':path': '/leaving/2' });
    second.on('error', () => undefined);
    await once(second, 'ready');
    // The gateway has read what came before this answer.
    await once(session.request({ ':path': '/nowhere' }).resume(), 'end');
    const third = get('/leaving/3');
    second.close(constants.NGHTTP2_CANCEL);
    await until(() => rig.accessLog.some((line) => line.includes('/leaving/2')));
    session.destroy();
    waiting[0]?.();
    await first;
    await until(() => waiting.length === 2);
    waiting[1]?.();
    assert.equal((await third).text, 'done');
    assert.equal(waiting.length, 2);
  });

  test('bound requests on their way, and those of one connection', async () => {
    const { handler, waiting, sockets } = heldService();
    await serve('few', handler);
    const http = { http2MaxRequests: 1, maxRequestsPerConnection: 1 };
    await rule('few', { trafficPolicy: { connectionPool: { http } } });
    const first = get('/few/1');
    await until(() => waiting.length === 1);
    assert.equal((await get('/few/2')).status, 503);
    assert.equal(await flagsOf('/few/2'), 'UO');
    waiting[0]?.();
    await first;
    const third = get('/few/3');
    await until(() => waiting.length === 2);
    waiting[1]?.();
    await third;
    assert.equal(sockets.size, 2);
  });
});

describe('outlier detection', () => {
  test('leaves an endpoint out that fails, and says so', async () => {
    let failures = 0;
    await serve('shaky', say('good'), (_request, response) => {
      failures += 1;
      response.writeHead(500).end('bad');
    });
    await rule('shaky', { trafficPolicy: { outlierDetection: { consecutive5xxErrors: 2, maxEjectionPercent: 50 } } });
    for (let turn = 0; turn < 12; turn += 1) await get('/shaky');
    assert.equal(failures, 2);
    assert.match(rig.gateway.renderMetrics(), /outlier_ejections_total\{service="kubeflow\/shaky"\} 1\n/);
    assert.equal((await get('/shaky')).text, 'good');
  });

  test('answers 503 when nobody is left', async () => {
    await serve('lost', (_request, response) => void response.writeHead(503).end());
    await rule('lost', { trafficPolicy: { outlierDetection: { consecutiveGatewayErrors: 1 } } });
    await get('/lost');
    assert.equal((await get('/lost/again')).text, 'no healthy upstream');
    assert.equal(await flagsOf('/lost/again'), 'UH');
  });
});

describe('TLS to a destination', () => {
  async function serveTls(name: string, options: ServerOptions): Promise<void> {
    const server = createTlsServer(options, (request, response) => {
      const socket = request.socket as TLSSocket;
      const peer = socket.getPeerCertificate();
      response.end(`${String(socket.servername)} ${peer.subjectaltname ?? '-'}`);
    });
    addEndpoints(name, [await listen(server)]);
    route(name);
  }

  function putSecret(name: string, data: Record<string, string>): void {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    rig.sources.secrets.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace: 'istio-system' },
      data: Object.fromEntries(encoded),
    });
  }

  const tlsRule = (name: string, tls: object): Promise<void> => rule(name, { trafficPolicy: { tls } });

  test('believes the authorities of a Secret and the name of the service, or the names that are listed', async () => {
    const server = await selfSigned([
      'secure.kubeflow.svc.cluster.local',
      'spiffe://cluster.local/ns/kubeflow/sa/secure',
    ]);
    await serveTls('secure', server);
    putSecret('secure-ca', { 'ca.crt': server.cert });
    await tlsRule('secure', { mode: 'SIMPLE', credentialName: 'secure-ca' });
    assert.equal((await get('/secure')).text, 'secure.kubeflow.svc.cluster.local -');
    await tlsRule('secure', { mode: 'SIMPLE', credentialName: 'secure-ca', sni: 'other.example.com' });
    assert.equal((await get('/secure/name')).status, 503);
    assert.equal(await flagsOf('/secure/name'), 'UF,URX');
    const subjectAltNames = ['spiffe://cluster.local/ns/kubeflow/sa/secure'];
    await tlsRule('secure', { mode: 'SIMPLE', credentialName: 'secure-ca', sni: 'other.example.com', subjectAltNames });
    assert.equal((await get('/secure')).text, 'other.example.com -');
    const others = ['spiffe://cluster.local/ns/mallory/sa/secure'];
    await tlsRule('secure', { mode: 'SIMPLE', credentialName: 'secure-ca', subjectAltNames: others });
    assert.equal((await get('/secure')).status, 503);
  });

  test('believes no stranger, unless it is told to', async () => {
    await serveTls('stranger', await selfSigned(['stranger.kubeflow.svc.cluster.local']));
    await tlsRule('stranger', { mode: 'SIMPLE' });
    assert.equal((await get('/stranger')).status, 503);
    await tlsRule('stranger', { mode: 'SIMPLE', insecureSkipVerify: true });
    assert.equal((await get('/stranger')).status, 200);
  });

  test('shows its own certificate, and the new one once the Secret is renewed', async () => {
    const server = await selfSigned(['mutual.kubeflow.svc.cluster.local']);
    const [first, second] = [await selfSigned(['first']), await selfSigned(['second'])];
    await serveTls('mutual', { ...server, ca: [first.cert, second.cert], requestCert: true, keepAliveTimeout: 1 });
    await tlsRule('mutual', { mode: 'MUTUAL', credentialName: 'client' });
    assert.equal((await get('/mutual')).status, 503);
    putSecret('client', { 'tls.crt': first.cert, 'tls.key': first.key, 'ca.crt': server.cert });
    assert.equal((await get('/mutual')).text, 'mutual.kubeflow.svc.cluster.local DNS:first');
    putSecret('client', { 'tls.crt': second.cert, 'tls.key': second.key, 'ca.crt': server.cert });
    assert.equal((await get('/mutual')).text, 'mutual.kubeflow.svc.cluster.local DNS:second');
  });
});

test('a rule that becomes broken stays in force as it was, and is told about', async () => {
  await serve('keeps', say('a'), say('b'), say('c'));
  await rule('keeps', { trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'x-user' } } } });
  const { text } = await get('/keeps', { 'x-user': 'anna' });
  await rule('keeps', { trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' } } });
  for (let turn = 0; turn < 4; turn += 1) assert.equal((await get('/keeps', { 'x-user': 'anna' })).text, text);
  assert.match(rig.warnings.join('\n'), /DestinationRule keeps: Invalid: .*PASSTHROUGH.*last good version/);
});

test('a rule that was never whole sends nothing in the clear where it asks for TLS, and does nothing where it does not', async () => {
  await serve('guarded', say('in the clear'));
  await rule('guarded', { trafficPolicy: { tls: { mode: 'SIMPEL' } } });
  assert.equal((await get('/guarded')).status, 503);
  await rule('guarded', { trafficPolicy: { tls: { mode: 'DISABLE' } } });
  assert.equal((await get('/guarded')).text, 'in the clear');
  await serve('unguarded', say('as ever'));
  await rule('unguarded', { trafficPolicy: { loadBalancer: { simple: 'PASSTHROUGH' }, tls: { mode: 'DISABLE' } } });
  assert.equal((await get('/unguarded')).text, 'as ever');
});
