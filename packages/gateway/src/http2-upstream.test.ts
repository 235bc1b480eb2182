import assert from 'node:assert/strict';
import { createServer as createHttp1Server } from 'node:http';
import { connect, constants, createSecureServer } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { selfSigned } from './rig/certificates.ts';
import { addHttp2Service, ask, createHttp2Beds, GRPC, openClient } from './rig/http2-service.ts';
import type { Http2Beds, StreamHandler } from './rig/http2-service.ts';
import { destinationRule, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
let beds: Http2Beds;
let client: ClientHttp2Session;

before(async () => {
  rig = await startRig();
  beds = createHttp2Beds(rig);
  client = openClient(rig);
});
after(async () => {
  client.destroy();
  beds.close();
  await rig.close();
});

const say =
  (text: string): StreamHandler =>
  (stream) => {
    stream.respond({ ':status': 200 });
    stream.end(text);
  };

async function flagsOf(path: string): Promise<string | undefined> {
  const line = (): string | undefined => rig.accessLog.findLast((item) => item.includes(` ${path} `));
  while (line() === undefined) await rig.settle();
  return /" \d+ (\S+) /.exec(line() ?? '')?.[1];
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await rig.settle();
}

describe('a service is spoken to over HTTP/2', () => {
  const ports = {
    grpc: { name: 'grpc' },
    'grpc-suffix': { name: 'grpc-api' },
    http2: { name: 'http2-web' },
    'grpc-web': { name: 'grpc-web' },
    h2c: { name: 'odd', appProtocol: 'kubernetes.io/h2c' },
    'app-protocol': { name: 'http', appProtocol: 'http2' },
  };
  for (const [name, port] of Object.entries(ports)) {
    test(`by its port: ${JSON.stringify(port)}`, async () => {
      await beds.serve(name, port, (stream, headers) => {
        stream.respond({ ':status': 200 });
        stream.end(`${headers[':method']} ${headers[':path']} ${headers[':scheme']} ${headers['x-forwarded-proto']}`);
      });
      assert.equal((await ask(client, { ':path': `/${name}?q=1` })).text, `GET /${name}?q=1 http https`);
    });
  }

  test('by its rule', async () => {
    await beds.serve('upgraded', { name: 'http' }, say('h2'));
    const connectionPool = { http: { h2UpgradePolicy: 'UPGRADE' } };
    rig.sources.destinationRules.put(
      destinationRule('upgraded', { host: 'upgraded', trafficPolicy: { connectionPool } }),
    );
    await rig.settle();
    assert.equal((await ask(client, { ':path': '/upgraded' })).text, 'h2');
  });

  test('for gRPC, when its port says nothing', async () => {
    await beds.serve('unnamed', { name: 'api' }, say('h2'));
    assert.equal((await ask(client, { ...GRPC, ':path': '/unnamed' }, 'x')).text, 'h2');
    assert.equal((await ask(client, { ':path': '/unnamed' })).status, 503);
  });

  test('on one connection for many requests', async () => {
    const held: ServerHttp2Stream[] = [];
    const [bed] = await beds.serve('many', { name: 'grpc' }, (stream) => {
      held.push(stream);
      if (held.length < 50) return;
      for (const item of held) say('done')(item, {});
    });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(client, { ':path': '/many' })));
    assert.deepEqual([...new Set(answers.map(({ text }) => text))], ['done']);
    assert.equal(bed?.sessions.size, 1);
  });

  test('with TLS and ALPN by its rule, and never with less', async () => {
    const certificate = await selfSigned(['tls.kubeflow.svc.cluster.local']);
    const server = createSecureServer({ ...certificate, allowHTTP1: false });
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) =>
      say(String(headers[':scheme']))(stream, headers),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      addHttp2Service(rig, { name: 'tls', port: { name: 'grpc' }, ports: [(server.address() as AddressInfo).port] });
      const data = { 'ca.crt': Buffer.from(certificate.cert).toString('base64') };
      rig.sources.secrets.put({
        kind: 'Secret',
        apiVersion: 'v1',
        metadata: { name: 'ca', namespace: 'istio-system' },
        data,
      });
      const tls = (more: object): object => ({ host: 'tls', trafficPolicy: { tls: { mode: 'SIMPLE', ...more } } });
      rig.sources.destinationRules.put(destinationRule('tls', tls({ credentialName: 'ca' })));
      await rig.settle();
      assert.equal((await ask(client, { ':path': '/tls' })).text, 'https');
      rig.sources.destinationRules.put(destinationRule('tls', tls({})));
      await rig.settle();
      assert.equal((await ask(client, { ':path': '/tls/stranger' })).status, 503);
      assert.equal(await flagsOf('/tls/stranger'), 'UF,URX');
    } finally {
      server.close();
    }
  });

  test('but WebSockets are opened over HTTP/1.1', async () => {
    const server = createHttp1Server();
    server.on('upgrade', (_request, socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      addHttp2Service(rig, { name: 'ws', port: { name: 'http2' }, ports: [(server.address() as AddressInfo).port] });
      await rig.settle();
      const stream = client.request({
        ':method': 'CONNECT',
        ':protocol': 'websocket',
        ':path': '/ws',
        ':scheme': 'https',
        ':authority': 'h',
      });
      const text = await new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      assert.equal(text, 'hello');
      stream.close(constants.NGHTTP2_CANCEL);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('bodies and trailers', () => {
  const echo: StreamHandler = (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    let trailers = {};
    stream.on('trailers', (received) => void (trailers = received));
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-got': JSON.stringify(trailers) }));
    stream.pipe(stream);
  };

  test('go both ways at the same time, and end with the trailers of both', async () => {
    await beds.serve('bidi', { name: 'grpc' }, echo);
    const stream = client.request({ ...GRPC, ':path': '/bidi' }, { waitForTrailers: true });
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'x-sum': '7', 'kubeflow-userid': 'mallory', authorization: 'no' }),
    );
    const trailers = new Promise((resolve) => stream.on('trailers', resolve));
    for (const word of ['one', 'two', 'three']) {
      stream.write(word);
      const echoed = await new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
      assert.equal(echoed, word);
    }
    stream.end();
    stream.resume();
    const { 'grpc-status': status, 'x-got': got } = (await trailers) as Record<string, string>;
    assert.deepEqual([status, JSON.parse(got ?? '')], ['0', { 'x-sum': '7' }]);
  });

  test('that are trailers only stay so', async () => {
    await beds.serve('only', { name: 'grpc' }, (stream) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true }),
    );
    const answer = await ask(client, { ...GRPC, ':path': '/only' }, 'x');
    assert.deepEqual([answer.status, answer.headers['grpc-status'], answer.reset], [200, '5', 0]);
  });

  test('may be answered before they are complete', async () => {
    await beds.serve('early', { name: 'grpc' }, say('enough'));
    const stream = client.request({ ...GRPC, ':path': '/early' });
    stream.write('never ends');
    const text = await new Promise((resolve) => stream.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    await new Promise((resolve) => stream.on('close', resolve));
    assert.deepEqual([text, stream.rstCode], ['enough', constants.NGHTTP2_NO_ERROR]);
  });

  test('wait for a client that does not read, and no other client waits for it', async () => {
    let sent = 0;
    await beds.serve('flood', { name: 'grpc' }, (stream, headers) => {
      if (headers[':path'] === '/flood/small') return say('small')(stream, headers);
      stream.respond({ ':status': 200 });
      const chunk = Buffer.alloc(65_536);
      const more = (): void => {
        while (!stream.destroyed && sent < 500 * chunk.length) {
          sent += chunk.length;
          if (!stream.write(chunk)) return void stream.once('drain', more);
        }
      };
      more();
    });
    const lazy = connect(`https://127.0.0.1:${rig.tlsPort()}`, { rejectUnauthorized: false });
    const streams = Array.from({ length: 20 }, () => lazy.request({ ':path': '/flood' }));
    for (const stream of streams) stream.on('error', () => undefined).on('response', () => stream.pause());
    let before = -1;
    await until(() => sent > 0);
    // It stops by itself.
    while (before !== sent) {
      before = sent;
      for (let turn = 0; turn < 5; turn += 1)
        assert.equal((await ask(client, { ':path': '/flood/small' })).text, 'small');
    }
    assert.ok(sent < 20 * 1024 * 1024, `${sent} bytes for 20 clients that do not read`);
    lazy.destroy();
  });

  test('of a client that goes away are given up', async () => {
    let closed = 0;
    const codes: (number | undefined)[] = [];
    await beds.serve('gone', { name: 'grpc' }, (stream) => {
      stream.respond({ ':status': 200 });
      stream.write('begin');
      stream.on('close', () => {
        closed += 1;
        codes.push(stream.rstCode);
      });
    });
    const stream = client.request({ ...GRPC, ':path': '/gone' });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('data', resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    await until(() => closed === 1);
    assert.deepEqual(codes, [constants.NGHTTP2_CANCEL]);
  });
});

describe('an endpoint that gives up', () => {
  test('a request it did not look at: another one gets it', async () => {
    let refused = 0;
    await beds.serve('refuses', { name: 'grpc' }, say('good'), (stream) => {
      refused += 1;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    for (let turn = 0; turn < 6; turn += 1) {
      assert.equal((await ask(client, { ':method': 'POST', ':path': '/refuses' })).text, 'good');
    }
    assert.ok(refused > 0);
  });

  test('a request it may have looked at: 503, once', async () => {
    let requests = 0;
    await beds.serve('resets', { name: 'grpc' }, (stream) => {
      requests += 1;
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    });
    assert.equal((await ask(client, { ':method': 'POST', ':path': '/resets' })).status, 503);
    assert.deepEqual([requests, await flagsOf('/resets')], [1, 'UR']);
    const grpc = await ask(client, { ...GRPC, ':path': '/resets' }, 'x');
    assert.deepEqual([grpc.status, grpc.headers['grpc-status']], [200, '14']);
  });

  test('in the middle of its answer: so does the gateway', async () => {
    await beds.serve('breaks', { name: 'grpc' }, (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.write('begin');
      setImmediate(() => {
        if (headers[':path'] === '/breaks/session') stream.session?.destroy();
        else if (headers[':path'] === '/breaks/socket') stream.session?.socket.destroy();
        else stream.destroy(new Error('gave up'));
      });
    });
    for (const path of ['/breaks', '/breaks/session', '/breaks/socket']) {
      const answer = await ask(client, { ':path': path });
      assert.notEqual(answer.reset, 0, path);
      assert.equal(answer.status, 200);
    }
  });

  test('its session: requests on their way end, the next ones use a new one', async () => {
    const held: ServerHttp2Stream[] = [];
    const [bed] = await beds.serve('leaves', { name: 'grpc' }, (stream, headers) => {
      if (headers[':path'] === '/leaves/slow') held.push(stream);
      else say('fast')(stream, headers);
    });
    const slow = ask(client, { ':path': '/leaves/slow' });
    await until(() => held.length === 1);
    const [first] = bed?.sessions ?? [];
    first?.close();
    await ask(client, { ':path': '/leaves' });
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(client, { ':path': '/leaves' })));
    for (const { status, text } of answers) assert.deepEqual([status, text], [200, 'fast']);
    const [stream] = held;
    if (stream !== undefined) say('slow')(stream, {});
    assert.equal((await slow).text, 'slow');
    await until(() => bed?.sessions.size === 1);
    assert.ok(first !== undefined && !bed?.sessions.has(first));
  });
});

describe('gRPC clients hear of the gateway', () => {
  const statusOf = async (path: string, more: object = {}): Promise<(string | string[] | number | undefined)[]> => {
    const { status, headers, text } = await ask(client, { ...GRPC, ':path': path, ...more }, 'x');
    return [status, headers['content-type'], headers['grpc-status'], headers['grpc-message'], text];
  };

  test('in their own terms', async () => {
    assert.deepEqual(await statusOf('/nowhere'), [200, 'application/grpc', '12', undefined, '']);
    rig.sources.virtualServices.put(
      virtualService('fault', [
        {
          match: [{ uri: { prefix: '/fault' } }],
          fault: { abort: { httpStatus: 503, percentage: { value: 100 } } },
          route: [{ destination: { host: 'x' } }],
        },
        { match: [{ uri: { prefix: '/missing' } }], route: [{ destination: { host: 'x' } }] },
        { match: [{ uri: { prefix: '/login' } }], redirect: { uri: '/dex' } },
      ]),
    );
    await rig.settle();
    assert.deepEqual(await statusOf('/fault'), [200, 'application/grpc', '14', undefined, '']);
    assert.deepEqual(await statusOf('/missing'), [200, 'application/grpc', '14', 'no healthy upstream', '']);
    assert.deepEqual((await statusOf('/login'))[2], '16');
    assert.equal(
      (await ask(client, { ...GRPC, 'content-type': 'application/grpc-web', ':path': '/nowhere' }, 'x')).status,
      404,
    );
  });

  test('when their deadline is over', async () => {
    let closed = false;
    await beds.serve('late', { name: 'grpc' }, (stream) => void stream.on('close', () => (closed = true)));
    assert.deepEqual(await statusOf('/late', { 'grpc-timeout': '50m' }), [
      200,
      'application/grpc',
      '4',
      'upstream request timeout',
      '',
    ]);
    assert.equal(await flagsOf('/late'), 'UT');
    await until(() => closed);
  });
});
