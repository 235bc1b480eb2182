import assert from 'node:assert/strict';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { constants } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { noEnvoy } from '../../testkit/src/front-door/envoy.ts';
import { parseVirtualService } from './istio/virtual-service.ts';
import { ask, createHttp2Beds, GRPC, openClient } from './rig/http2-service.ts';
import type { Answer, Http2Beds } from './rig/http2-service.ts';
import { startRetryingEnvoy } from './rig/http2-proxies.ts';
import { destinationRule, endpointSlice, to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
let beds: Http2Beds;
let client: ClientHttp2Session;
const servers: Server[] = [];

before(async () => {
  rig = await startRig();
  beds = createHttp2Beds(rig);
  client = openClient(rig);
});
after(async () => {
  client.destroy();
  beds.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rig.close();
});

/** What came to the endpoints of a service, request by request. */
interface Bed {
  readonly bodies: string[];
}

/** `/name` leads to endpoints that answer in turn: the first request gets the first answer, whichever endpoint it comes to. */
async function serve(name: string, retries: object | undefined, ...answers: RequestListener[]): Promise<Bed> {
  const bodies: string[] = [];
  const listener: RequestListener = (request, response) => {
    const answer = answers[Math.min(bodies.length, answers.length - 1)];
    const index = bodies.push('') - 1;
    request.on('data', (chunk: Buffer) => void (bodies[index] += chunk.toString('latin1')));
    request.on('error', () => undefined);
    answer?.(request, response);
  };
  const ports = [await listen(listener), await listen(listener)];
  addEndpoints(name, ports);
  route(name, retries);
  await rig.settle();
  return { bodies };
}

async function listen(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function addEndpoints(name: string, ports: readonly number[]): void {
  rig.addService(name, ports[0] ?? 0);
  for (const [index, port] of ports.entries()) {
    const slice = endpointSlice(name, 'kubeflow', [port]);
    rig.sources.endpointSlices.put({ ...slice, metadata: { ...slice.metadata, name: `${name}-${index + 1}` } });
  }
}

function route(name: string, retries: object | undefined, more: object = {}): void {
  const rule = { match: [{ uri: { prefix: `/${name}` } }], ...to(name), ...(retries && { retries }), ...more };
  rig.sources.virtualServices.put(virtualService(name, [rule]));
}

const status =
  (code: number, fields: Record<string, string> = {}): RequestListener =>
  (request, response) =>
    void request.resume().on('end', () => response.writeHead(code, fields).end(String(code)));

const hangUp = (_request: IncomingMessage, response: ServerResponse): void => void response.socket?.destroy();
const silence = (): void => undefined;

function get(path: string): Promise<Answer> {
  return ask(client, { ':path': path });
}

function post(path: string, body: string): Promise<Answer> {
  return ask(client, { ':method': 'POST', ':path': path }, body);
}

async function flagsOf(path: string): Promise<string | undefined> {
  const line = (): string | undefined => rig.accessLog.findLast((item) => item.includes(` ${path} `));
  while (line() === undefined) await rig.settle();
  return /" \d+ (\S+) /.exec(line() ?? '')?.[1];
}

/** A port where nobody listens. */
async function deadPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const CASES: readonly (readonly [retryOn: string, answer: RequestListener, isRetried: boolean])[] = [
  ['5xx', status(500), true],
  ['5xx', status(503), true],
  ['5xx', status(404), false],
  ['5xx', hangUp, true],
  ['gateway-error', status(502), true],
  ['gateway-error', status(504), true],
  ['gateway-error', status(500), false],
  ['gateway-error', hangUp, true],
  ['reset', hangUp, true],
  ['reset', status(503), false],
  ['connect-failure', hangUp, false],
  ['refused-stream', hangUp, false],
  ['reset-before-request', hangUp, false],
  ['retriable-4xx', status(409), true],
  ['retriable-4xx', status(404), false],
  ['429', status(429), true],
  ['429,reset', hangUp, true],
  ['503, retriable-status-codes', status(503), true],
  ['retriable-status-codes', status(503), false],
  ['5xx', status(503, { 'x-envoy-ratelimited': 'true' }), false],
  ['envoy-ratelimited', status(429, { 'x-envoy-ratelimited': 'true' }), true],
  ['connect-failure,unavailable', status(503), false],
];

describe('a request is sent again', () => {
  for (const [index, [retryOn, answer, isRetried]] of CASES.entries()) {
    const name = `condition-${index}-`;
    test(`on ${retryOn}, case ${index}: ${isRetried ? 'yes' : 'no'}`, async () => {
      const bed = await serve(name, { attempts: 1, retryOn, backoff: '1ms' }, answer, status(200));
      const { status: code } = await post(`/${name}`, 'the body');
      assert.deepEqual([code === 200, bed.bodies.length], [isRetried, isRetried ? 2 : 1]);
      if (isRetried) assert.equal(bed.bodies[1], 'the body');
    });
  }

  test('as often as attempts says, and then the last answer is the client’s', async () => {
    const bed = await serve('often', { attempts: 3, retryOn: '5xx', backoff: '1ms' }, status(500), status(501));
    const answer = await get('/often');
    assert.deepEqual([answer.status, answer.text, bed.bodies.length], [501, '501', 4]);
    assert.equal(await flagsOf('/often'), 'URX');
  });

  test('not at all without attempts, or when the rule says nothing about answers', async () => {
    const never = await serve('never', { attempts: 0 }, status(503));
    assert.equal((await get('/never')).status, 503);
    const silent = await serve('silent', undefined, status(503));
    assert.equal((await get('/silent')).status, 503);
    assert.deepEqual([never.bodies.length, silent.bodies.length], [1, 1]);
    assert.equal(await flagsOf('/silent'), '-');
  });

  test('as the mesh says where the rule says nothing', async () => {
    const mesh = (text: string): void =>
      rig.sources.configMaps.put({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'istio', namespace: 'istio-system' },
        data: { mesh: text },
      });
    mesh('defaultHttpRetryPolicy: { attempts: 1, retryOn: gateway-error, backoff: 1ms }');
    const silent = await serve('meshed', undefined, status(503), status(200));
    assert.deepEqual([(await get('/meshed')).status, silent.bodies.length], [200, 2]);
    const own = await serve('unmeshed', { attempts: 0 }, status(503));
    assert.deepEqual([(await get('/unmeshed')).status, own.bodies.length], [503, 1]);
    mesh('{}');
    await rig.settle();
  });

  test('to another endpoint while there is one that did not have it', async () => {
    const name = 'others';
    const seen: number[] = [];
    const answer =
      (endpoint: number): RequestListener =>
      (_request, response) => {
        seen.push(endpoint);
        response.writeHead(503).end();
      };
    addEndpoints(name, await Promise.all([0, 1, 2].map((endpoint) => listen(answer(endpoint)))));
    route(name, { attempts: 2, retryOn: '503', backoff: '1ms' });
    await rig.settle();
    // Others take turns between the tries.
    await Promise.all(Array.from({ length: 5 }, () => get(`/${name}`)));
    assert.deepEqual(
      [0, 1, 2].map((endpoint) => seen.filter((item) => item === endpoint).length),
      [5, 5, 5],
    );
  });

  test('without a second sticky cookie', async () => {
    await serve('cookie', { attempts: 1, retryOn: '5xx', backoff: '1ms' }, status(500), status(200));
    const consistentHash = { httpCookie: { name: 'lb', ttl: '60s' } };
    rig.sources.destinationRules.put(
      destinationRule('cookie', { host: 'cookie', trafficPolicy: { loadBalancer: { consistentHash } } }),
    );
    await rig.settle();
    const { status: code, headers } = await get('/cookie');
    assert.deepEqual([code, headers['set-cookie']?.length], [200, 1]);
  });

  test('and the failed try counts for outlier detection', async () => {
    await serve('counted', { attempts: 1, retryOn: '5xx', backoff: '1ms' }, status(500), status(200));
    const outlierDetection = { consecutive5xxErrors: 1, maxEjectionPercent: 50 };
    rig.sources.destinationRules.put(
      destinationRule('counted', { host: 'counted', trafficPolicy: { outlierDetection } }),
    );
    await rig.settle();
    assert.equal((await get('/counted')).status, 200);
    assert.match(rig.gateway.renderMetrics(), /outlier_ejections_total\{service="kubeflow\/counted"\} 1/);
  });

  test('but the answer stays where the rule allows no more retries at a time', async () => {
    const bed = await serve('full', { attempts: 1, retryOn: '5xx', backoff: '1ms' }, status(500), status(200));
    const connectionPool = { http: { maxRetries: 0 } };
    rig.sources.destinationRules.put(destinationRule('full', { host: 'full', trafficPolicy: { connectionPool } }));
    await rig.settle();
    assert.deepEqual([(await get('/full')).status, bed.bodies.length], [500, 1]);
  });
});

describe('Envoy, told the same', { skip: noEnvoy }, () => {
  const cleanup = new Cleanup();
  const asked = new Map<string, number>();
  let envoy: number;

  before(async () => {
    const listener: RequestListener = (request, response) => {
      const path = request.url ?? '';
      const turn = (asked.get(path) ?? 0) + 1;
      asked.set(path, turn);
      request.on('error', () => undefined);
      const answer = turn === 1 ? CASES[Number(path.split('-')[1])]?.[1] : status(200);
      answer?.(request, response);
    };
    const routes = CASES.map(([retryOn], index) => ({
      prefix: `/case-${index}-`,
      retryPolicy: renderPolicy(retryOn),
    }));
    envoy = await startRetryingEnvoy(cleanup, await listen(listener), routes);
  });
  after(() => cleanup.run());

  /** As Istio's pilot does: numbers become status codes. */
  function renderPolicy(retryOn: string): object {
    const parts = retryOn.split(',').map((part) => part.trim());
    const codes = parts.filter((part) => /^\d+$/.test(part)).map(Number);
    const names = parts.filter((part) => !/^\d+$/.test(part));
    return {
      retry_on: [...names, ...(codes.length > 0 ? ['retriable-status-codes'] : [])].join(','),
      num_retries: 1,
      retriable_status_codes: codes,
      retry_back_off: { base_interval: '0.001s' },
    };
  }

  for (const [index, [retryOn, , isRetried]] of CASES.entries()) {
    test(`does the same on ${retryOn}, case ${index}`, async () => {
      const path = `/case-${index}-`;
      const response = await fetch(`http://127.0.0.1:${envoy}${path}`, { method: 'POST', body: 'the body' });
      await response.arrayBuffer();
      assert.deepEqual([response.status === 200, asked.get(path)], [isRetried, isRetried ? 2 : 1]);
    });
  }
});

describe('a body', () => {
  test('waits in the client until an endpoint answers its connection', async () => {
    const bed = await serve('waits', undefined, status(200));
    const port = await deadPort();
    const slice = endpointSlice('waits', 'kubeflow', [port]);
    rig.sources.endpointSlices.put({ ...slice, metadata: { ...slice.metadata, name: 'waits-1' } });
    await rig.settle();
    for (let turn = 0; turn < 6; turn += 1) assert.equal((await post('/waits', `body ${turn}`)).status, 200);
    assert.deepEqual(
      bed.bodies,
      Array.from({ length: 6 }, (_, turn) => `body ${turn}`),
    );
  });

  test('that is too large to keep goes on, and the request is not sent again', async () => {
    const large = await serve('large', { attempts: 2, retryOn: '5xx', backoff: '1ms' }, status(500), status(200));
    assert.equal((await post('/large', 'x'.repeat(1_100_000))).status, 500);
    assert.deepEqual(
      large.bodies.map(({ length }) => length),
      [1_100_000],
    );
    const fits = await serve('fits', { attempts: 2, retryOn: '5xx', backoff: '1ms' }, status(500), status(200));
    assert.equal((await post('/fits', 'x'.repeat(900_000))).status, 200);
    assert.deepEqual(
      fits.bodies.map(({ length }) => length),
      [900_000, 900_000],
    );
  });

  test('that is still coming goes on to the next endpoint from its beginning', async () => {
    const early: RequestListener = (request, response) =>
      void request.once('data', () => response.writeHead(503).end());
    const bed = await serve('coming', { attempts: 1, retryOn: '503', backoff: '1ms' }, early, status(200));
    const stream = client.request({ ':method': 'POST', ':path': '/coming' });
    stream.write('begin ');
    while (bed.bodies.length < 2) await rig.settle();
    stream.end('end');
    const code = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    stream.resume();
    assert.deepEqual([code, bed.bodies[1]], [200, 'begin end']);
  });

  test('is still whole when more than is kept of it comes in the pause before the next try', async () => {
    const early: RequestListener = (request, response) =>
      void request.once('data', () => response.writeHead(503).end());
    const bed = await serve('pause', { attempts: 1, retryOn: '503', backoff: '1s' }, early, status(200));
    const stream = client.request({ ':method': 'POST', ':path': '/pause' });
    stream.write('begin ');
    while (bed.bodies.length < 1) await rig.settle();
    stream.end('x'.repeat(1_200_000));
    const code = await new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'])));
    stream.resume();
    assert.deepEqual([code, bed.bodies[1]?.slice(0, 7), bed.bodies[1]?.length], [200, 'begin x', 1_200_006]);
  });

  test('of a client that goes away is sent to nobody again', async () => {
    const bed = await serve('leaves', { attempts: 5, retryOn: '5xx,reset', backoff: '1ms' }, silence);
    const stream = client.request({ ':method': 'POST', ':path': '/leaves' });
    stream.on('error', () => undefined).write('begin');
    while (bed.bodies[0] !== 'begin') await rig.settle();
    stream.close(constants.NGHTTP2_CANCEL);
    assert.equal(await flagsOf('/leaves'), 'DC');
    assert.equal(bed.bodies.length, 1);
  });
});

describe('the time of one try', () => {
  test('ends it, and another endpoint is asked', async () => {
    const bed = await serve('slow', { attempts: 1, retryOn: '5xx', perTryTimeout: '400ms' }, silence, status(200));
    assert.equal((await post('/slow', 'again')).status, 200);
    assert.deepEqual(bed.bodies, ['again', 'again']);
  });

  test('gives 504 when no condition covers it, or no try is left', async () => {
    const alone = await serve('alone', { attempts: 1, retryOn: '429', perTryTimeout: '20ms' }, silence);
    assert.deepEqual([(await get('/alone')).status, alone.bodies.length], [504, 1]);
    assert.equal(await flagsOf('/alone'), 'UT');
    const spent = await serve('spent', { attempts: 1, retryOn: 'reset', perTryTimeout: '20ms' }, silence);
    assert.deepEqual([(await get('/spent')).status, spent.bodies.length], [504, 2]);
    assert.equal(await flagsOf('/spent'), 'UT,URX');
  });

  test('begins when the client has sent its request, and ends with the head of the answer', async () => {
    const early: RequestListener = (request, response) => {
      request.resume().on('end', () => {
        response.writeHead(200).write('head');
        setTimeout(() => response.end(' and tail'), 150);
      });
    };
    await serve('patient', { attempts: 1, retryOn: '5xx', perTryTimeout: '50ms' }, early);
    const stream = client.request({ ':method': 'POST', ':path': '/patient' });
    stream.write('slow');
    setTimeout(() => stream.end('ly'), 150);
    let text = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk));
    await new Promise((resolve) => stream.on('end', resolve));
    assert.equal(text, 'head and tail');
  });

  test('is within the time of the route', async () => {
    const name = 'bounded';
    const bed = await serve(name, undefined, silence);
    route(name, { attempts: 20, retryOn: '5xx', perTryTimeout: '40ms', backoff: '1ms' }, { timeout: '100ms' });
    await rig.settle();
    assert.equal((await get(`/${name}`)).status, 504);
    assert.ok(bed.bodies.length < 10, String(bed.bodies.length));
    assert.equal(await flagsOf(`/${name}`), 'UT');
  });
});

describe('a gRPC call is sent again', () => {
  const grpcStatus =
    (code: string): Parameters<Http2Beds['serve']>[2] =>
    (stream) =>
      void stream.resume().on('end', () => {
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code },
          { endStream: true },
        );
      });

  test('when its server says at once that it did nothing, or what the rule names', async () => {
    const cases: readonly (readonly [retryOn: string | undefined, first: string, isRetried: boolean])[] = [
      [undefined, '14', true],
      [undefined, '1', true],
      [undefined, '4', false],
      ['deadline-exceeded', '4', true],
      ['resource-exhausted', '8', true],
      ['internal', '13', true],
      ['cancelled', '14', false],
      ['5xx', '14', false],
    ];
    for (const [index, [retryOn, first, isRetried]] of cases.entries()) {
      const name = `grpc-${index}-`;
      let calls = 0;
      await beds.serve(name, { name: 'grpc' }, (stream, headers) => {
        calls += 1;
        grpcStatus(calls === 1 ? first : '0')(stream, headers);
      });
      if (retryOn !== undefined) route(name, { attempts: 1, retryOn, backoff: '1ms' });
      await rig.settle();
      const { headers } = await ask(client, { ...GRPC, ':path': `/${name}` }, 'x');
      assert.deepEqual([headers['grpc-status'], calls], [isRetried ? '0' : first, isRetried ? 2 : 1], name);
    }
  });

  test('with all of its body when a stream was refused after some of it had left', async () => {
    const bodies: string[] = [];
    await beds.serve('refused', { name: 'grpc' }, (stream) => {
      const index = bodies.push('') - 1;
      stream.on('data', (chunk: Buffer) => {
        bodies[index] += chunk.toString();
        if (index === 0) stream.close(constants.NGHTTP2_REFUSED_STREAM);
      });
      stream.on('end', () => {
        if (index === 0) return;
        stream.respond({ ':status': 200 });
        stream.end('done');
      });
    });
    const stream = client.request({ ...GRPC, ':path': '/refused' });
    stream.write('one ');
    while (bodies.length < 2) await rig.settle();
    stream.end('two');
    const text = await new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    assert.deepEqual([text, bodies[1]], ['done', 'one two']);
  });
});

describe('a policy of retries', () => {
  const problemsOf = (retries: object): string => {
    const problems: string[] = [];
    parseVirtualService(virtualService('a', [{ ...to('a'), retries }]), problems);
    return problems.join('; ');
  };

  test('is refused where Istio refuses it', () => {
    assert.match(problemsOf({ retryOn: '5xx' }), /attempts: is needed/);
    assert.match(problemsOf({ attempts: 0, perTryTimeout: '1s' }), /attempts: is needed/);
    assert.match(problemsOf({ attempts: 1, retryOn: '5xx,sometimes' }), /"sometimes" is not known/);
    assert.match(problemsOf({ attempts: 1, retryOn: '600' }), /"600" is not known/);
    assert.match(problemsOf({ attempts: 1, perTryTimeout: 'soon' }), /perTryTimeout/);
  });

  test('is taken with everything that Istio documents', () => {
    const every =
      'connect-failure,refused-stream,unavailable,cancelled,retriable-headers,503,http3-post-connect-failure';
    const more = { retryRemoteLocalities: true, retryIgnorePreviousHosts: false, backoff: '10ms', perTryTimeout: '1s' };
    assert.equal(problemsOf({ attempts: 3, retryOn: every, ...more }), '');
    assert.equal(problemsOf({ attempts: 0 }), '');
  });
});
