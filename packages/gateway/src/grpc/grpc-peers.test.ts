/** gRPC with the peers that other people run: grpc-js on both ends, and between gateway and server nothing, Envoy or nginx. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import type { ServiceError, StatusObject } from '@grpc/grpc-js';
import { Cleanup } from '../../../testkit/src/front-door/cleanup.ts';
import { openEcho, startEcho } from '../rig/grpc-echo.ts';
import type { EchoClient, EchoServer } from '../rig/grpc-echo.ts';
import { ask, openClient } from '../rig/http2-service.ts';
import { envoyProxy, nginxProxy } from '../rig/http2-proxies.ts';
import { endpointSlice, requireAuthservice, service, testCredential, to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

const HOST = 'gateway.example.com';
const cleanup = new Cleanup();
let rig: Rig;
let echo: EchoServer;
let web: Server;
let gateway: { readonly certificate: Buffer; readonly host: string };

before(async () => {
  const credential = await testCredential(HOST);
  gateway = { certificate: Buffer.from(credential.data?.['tls.crt'] ?? '', 'base64'), host: HOST };
  rig = await startRig({ credential });
  echo = await startEcho(['direct.Echo', 'envoy.Echo', 'nginx.Echo']);
  web = createServer((request, response) => request.pipe(response)).listen(0, '127.0.0.1');
  await once(web, 'listening');
});
after(async () => {
  echo.close();
  web.closeAllConnections();
  web.close();
  await rig.close();
  await cleanup.run();
});

async function route(name: string, port: number): Promise<void> {
  rig.sources.services.put(service(name, 'kubeflow', { name: 'grpc' }));
  const slice = endpointSlice(name, 'kubeflow', []);
  rig.sources.endpointSlices.put({ ...slice, ports: [{ name: 'grpc', port }] });
  const match = [{ uri: { prefix: `/${name}.Echo/` } }, { uri: { prefix: `/${name}/` } }];
  rig.sources.virtualServices.put(virtualService(name, [{ match, ...to(name) }]));
  await rig.settle();
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await rig.settle();
}

const direct = { name: 'direct', skip: false as const, start: (): Promise<number> => Promise.resolve(echo.port) };

for (const proxy of [direct, envoyProxy, nginxProxy]) {
  describe(`gRPC through the gateway, to grpc-js ${proxy.name}`, { skip: proxy.skip }, () => {
    let client: EchoClient;
    before(async () => {
      const behind = { grpc: echo.port, web: (web.address() as AddressInfo).port };
      await route(proxy.name, await proxy.start(cleanup, behind));
      client = openEcho(rig.tlsPort(), `${proxy.name}.Echo`, gateway);
    });
    after(() => client.close());

    test('a call carries its message and metadata both ways, and no identity of its own making', async () => {
      const metadata = new Metadata();
      metadata.set('x-text', 'plain text');
      metadata.set('x-raw-bin', Buffer.from([0, 1, 254, 255]));
      metadata.set('kubeflow-userid', 'mallory@example.com');
      const answer = await client.unary('Unary', Buffer.from('hello'), { metadata });
      assert.equal(answer.error, null);
      assert.equal(answer.message.toString(), 'hello');
      assert.deepEqual(answer.metadata.get('x-text'), ['plain text']);
      assert.deepEqual(answer.metadata.get('x-raw-bin'), [Buffer.from([0, 1, 254, 255])]);
      assert.deepEqual(answer.metadata.get('x-kubeflow-userid'), []);
      assert.deepEqual(answer.trailer.get('x-size'), ['5']);
      assert.deepEqual(answer.trailer.get('x-sum-bin'), [Buffer.from([0, 255, 10])]);
    });

    test('an error without messages keeps its code, its words and its metadata', async () => {
      const { error } = await client.unary('Fail', Buffer.alloc(0));
      assert.deepEqual(
        [error?.code, error?.details, error?.metadata.get('x-detail')],
        [status.NOT_FOUND, 'nöthing % here', ['no such thing']],
      );
    });

    test('an error after messages comes after them', async () => {
      const stream = client.read('FailLate', Buffer.alloc(0));
      const seen: string[] = [];
      stream.on('data', (message: Buffer) => void seen.push(message.toString()));
      const [error] = (await once(stream, 'error')) as [ServiceError];
      assert.deepEqual([seen, error.code, error.details], [['one'], status.FAILED_PRECONDITION, 'late']);
    });

    test('a server streams, a client streams, and both at once, message by message', async () => {
      const counted: string[] = [];
      for await (const message of client.read('Count', Buffer.from('1000'))) counted.push(String(message));
      assert.deepEqual(
        counted,
        Array.from({ length: 1000 }, (_, index) => String(index)),
      );
      const sum = await new Promise((resolve) => {
        const stream = client.sum((_error, message) => resolve(message?.toString()));
        for (let number = 1; number <= 1000; number += 1) stream.write(Buffer.from(String(number)));
        stream.end();
      });
      assert.equal(sum, '500500');
      const talk = client.talk();
      for (const word of ['one', 'two', 'three']) {
        talk.write(Buffer.from(word));
        const [echoed] = (await once(talk, 'data')) as [Buffer];
        assert.equal(echoed.toString(), word);
      }
      talk.end();
      const [ended] = (await once(talk.resume(), 'status')) as [StatusObject];
      assert.equal(ended.code, status.OK);
    });

    test('a deadline ends the call on both sides', async () => {
      const before = echo.cancelled.length;
      const { error } = await client.unary('Hang', Buffer.alloc(0), { deadlineMs: 800 });
      assert.equal(error?.code, status.DEADLINE_EXCEEDED);
      await until(() => echo.cancelled.length > before);
      assert.equal(echo.cancelled.at(-1), 'Hang');
    });

    test('a call that its client gives up is given up at the server', async () => {
      const before = echo.cancelled.length;
      const talk = client.talk();
      talk.on('error', () => undefined).write(Buffer.from('begin'));
      await once(talk, 'data');
      talk.cancel();
      await until(() => echo.cancelled.length > before);
      assert.equal(echo.cancelled.at(-1), 'Talk');
    });

    test('a message of 8 MiB passes whole', async () => {
      const message = Buffer.alloc(8 * 1024 * 1024, 'abcdefg');
      const answer = await client.unary('Unary', message);
      assert.equal(answer.error, null);
      assert.ok(answer.message.equals(message));
    });

    test('a client that does not read stops the server', async () => {
      const before = echo.flooded();
      const lazy = openEcho(rig.tlsPort(), `${proxy.name}.Echo`, gateway);
      const flood = lazy.read('Flood', Buffer.alloc(0));
      // grpc-js takes everything until the first message was read.
      flood.on('error', () => undefined).once('data', () => flood.pause());
      await until(() => echo.flooded() > before);
      // It stops by itself: other calls go on meanwhile.
      let seen = -1;
      while (seen !== echo.flooded()) {
        seen = echo.flooded();
        for (let turn = 0; turn < 10; turn += 1) await client.unary('Unary', Buffer.from('x'));
      }
      const sent = echo.flooded() - before;
      assert.ok(sent < 64 * 1024 * 1024, `${sent} bytes for a client that does not read`);
      flood.cancel();
      lazy.close();
    });

    if (proxy === direct) return;
    test('plain requests with bodies pass over the same protocol', async () => {
      const session = openClient(rig);
      const body = 'x'.repeat(5 * 1024 * 1024);
      const answers = await Promise.all(
        [body, 'short'].map((text) => ask(session, { ':method': 'POST', ':path': `/${proxy.name}/web` }, text)),
      );
      assert.deepEqual(
        answers.map(({ status: code, text }) => [code, text.length]),
        [
          [200, body.length],
          [200, 5],
        ],
      );
      session.destroy();
    });
  });
}

describe('a gRPC client hears from the gateway', () => {
  const call = async (name: string): Promise<ServiceError | null> => {
    const client = openEcho(rig.tlsPort(), name, gateway);
    const { error } = await client.unary('Unary', Buffer.from('x'));
    client.close();
    return error;
  };

  test('UNIMPLEMENTED where there is no such route', async () => {
    assert.equal((await call('nowhere.Echo'))?.code, status.UNIMPLEMENTED);
  });

  test('UNAVAILABLE where nobody is ready', async () => {
    rig.sources.virtualServices.put(
      virtualService('absent', [{ match: [{ uri: { prefix: '/absent.Echo/' } }], ...to('absent') }]),
    );
    await rig.settle();
    const error = await call('absent.Echo');
    assert.deepEqual([error?.code, error?.details], [status.UNAVAILABLE, 'no healthy upstream']);
  });

  test('UNAUTHENTICATED where there is no session', async () => {
    await rig.upstream(
      'authservice',
      (request, response) => {
        if (request.headers['authorization'] === 'Bearer good') response.setHeader('kubeflow-userid', 'anna').end();
        else response.writeHead(302, { location: '/dex/auth' }).end();
      },
      'istio-system',
    );
    requireAuthservice(rig.sources);
    await route('direct', echo.port);
    assert.equal((await call('direct.Echo'))?.code, status.UNAUTHENTICATED);
    const client = openEcho(rig.tlsPort(), 'direct.Echo', gateway);
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer good');
    const { error, metadata: initial } = await client.unary('Unary', Buffer.from('x'), { metadata });
    client.close();
    assert.deepEqual([error, initial.get('x-kubeflow-userid')], [null, ['anna']]);
  });
});
