import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseVirtualService } from '../istio/virtual-service.ts';
import { ask as askHttp2, GRPC, openClient } from '../rig/http2-service.ts';
import { to, virtualService } from '../rig/objects.ts';
import { rawExchange } from '../rig/raw-exchange.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';

let rig: Rig;
before(async () => {
  rig = await startRig();
  await rig.upstream('app', (_request, response) =>
    response.setHeader('Access-Control-Allow-Origin', '*').end('answer'),
  );
  const cors = {
    allowOrigins: [{ exact: 'https://a.example' }, { regex: 'https://[a-z]+\\.b\\.example' }],
    allowMethods: ['GET', 'PUT'],
    allowHeaders: ['x-a'],
    exposeHeaders: ['x-e'],
    maxAge: '24h',
    allowCredentials: true,
  };
  rig.sources.virtualServices.put(
    virtualService('app', [
      {
        match: [{ uri: { prefix: '/broken' } }],
        fault: { abort: { httpStatus: 418, percentage: { value: 100 } }, delay: { fixedDelay: '10ms' } },
        ...to('app'),
      },
      {
        match: [{ uri: { prefix: '/whole' } }],
        fault: { abort: { httpStatus: 418, percentage: { value: 0 } } },
        ...to('app'),
      },
      {
        match: [{ uri: { prefix: '/closed' } }],
        corsPolicy: { ...cors, unmatchedPreflights: 'IGNORE' },
        ...to('app'),
      },
      {
        match: [{ uri: { prefix: '/grpc' } }],
        fault: { abort: { grpcStatus: 'RESOURCE_EXHAUSTED', percentage: { value: 100 } } },
        ...to('app'),
      },
      { corsPolicy: cors, ...to('app') },
    ]),
  );
  await rig.settle();
});
after(() => rig.close());

const ask = (line: string, ...fields: string[]): Promise<string> =>
  rawExchange(
    rig.tlsPort(),
    `${line} HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join('')}Connection: close\r\n\r\n`,
    { tls: { ALPNProtocols: ['http/1.1'] } },
  );

describe('a route with a cross-origin policy', () => {
  test('answers preflights of its origins itself', async () => {
    const answer = await ask('OPTIONS /x', 'Origin: https://x.b.example', 'Access-Control-Request-Method: PUT');
    assert.match(answer, /^HTTP\/1\.1 200 /);
    for (const line of [
      'access-control-allow-origin: https://x.b.example',
      'access-control-allow-methods: GET,PUT',
      'access-control-allow-headers: x-a',
      'access-control-max-age: 86400',
      'access-control-allow-credentials: true',
    ]) {
      assert.ok(answer.includes(`${line}\r\n`), line);
    }
    assert.doesNotMatch(answer, /answer$/);
  });

  test('replaces what the upstream says about origins', async () => {
    const answer = await ask('GET /x', 'Origin: https://a.example');
    assert.deepEqual(answer.match(/access-control-allow-origin: .*/gi), [
      'access-control-allow-origin: https://a.example',
    ]);
    assert.match(answer, /access-control-expose-headers: x-e\r\n[\s\S]*answer$/);
  });

  test('lets no other origin read', async () => {
    for (const origin of ['https://evil.example', 'https://a.example.evil.example', 'null']) {
      assert.doesNotMatch(await ask('GET /x', `Origin: ${origin}`), /access-control-/i);
    }
  });

  test('leaves preflights of other origins to the upstream, or ends them here without a permission', async () => {
    const preflight = ['Origin: https://evil.example', 'Access-Control-Request-Method: PUT'] as const;
    assert.match(await ask('OPTIONS /x', ...preflight), /^HTTP\/1\.1 200 [\s\S]*answer$/);
    const ended = await ask('OPTIONS /closed', ...preflight);
    assert.match(ended, /^HTTP\/1\.1 200 /);
    assert.doesNotMatch(ended, /access-control-|answer$/i);
    assert.match(await ask('OPTIONS /closed', 'Origin: https://evil.example'), /answer$/);
  });

  test('cannot let every origin act as the user', () => {
    const problems: string[] = [];
    parseVirtualService(
      virtualService('a', [{ corsPolicy: { allowOrigins: [{ regex: '.*' }], allowCredentials: true }, ...to('app') }]),
      problems,
    );
    assert.match(problems.join(), /allowCredentials/);
  });
});

test('a fault delays and refuses its share of requests', async () => {
  assert.match(await ask('GET /broken'), /^HTTP\/1\.1 418 /);
  assert.match(await ask('GET /whole'), /answer$/);
});

test('a fault named by a gRPC status is that to gRPC clients, and its HTTP status to others', async () => {
  assert.match(await ask('GET /grpc'), /^HTTP\/1\.1 429 /);
  const client = openClient(rig);
  const { status, headers } = await askHttp2(client, { ...GRPC, ':path': '/grpc' }, 'x');
  client.destroy();
  assert.deepEqual([status, headers['grpc-status']], [200, '8']);
  const problems: string[] = [];
  const fault = { abort: { grpcStatus: 'TIRED' } };
  parseVirtualService(virtualService('a', [{ fault, ...to('app') }]), problems);
  assert.match(problems.join(), /grpcStatus: "TIRED" is not known/);
});
