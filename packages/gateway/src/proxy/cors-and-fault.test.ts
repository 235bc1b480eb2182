import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseVirtualService } from '../istio/virtual-service.ts';
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
