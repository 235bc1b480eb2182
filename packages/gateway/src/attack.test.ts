import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import { after, before, beforeEach, describe, test } from 'node:test';
import { requireAuthservice, to, virtualService } from './rig/objects.ts';
import { rawExchange } from './rig/raw-exchange.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

/** Requests that reached an upstream: what must stay empty without a session. */
const reached: string[] = [];
let rig: Rig;

before(async () => {
  rig = await startRig();
  await rig.upstream('centraldashboard', (request, response) => {
    reached.push(`dashboard ${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    request.resume().on('end', () => response.end('secret'));
  });
  await rig.upstream('dex', (request, response) => {
    reached.push(`dex ${request.method} ${request.url} ${JSON.stringify(request.rawHeaders)}`);
    request.resume().on('end', () => response.end('dex'));
  });
  await rig.upstream(
    'authservice',
    (request, response) => {
      if (request.headers.cookie === 's=good') response.setHeader('kubeflow-userid', 'anna').end();
      else response.writeHead(401).end('no session');
    },
    'istio-system',
  );
  rig.sources.virtualServices.put(virtualService('dex', [{ match: [{ uri: { prefix: '/dex/' } }], ...to('dex') }]));
  rig.sources.virtualServices.put(
    virtualService('centraldashboard', [{ match: [{ uri: { prefix: '/' } }], ...to('centraldashboard') }]),
  );
  requireAuthservice(rig.sources);
  await rig.settle();
});
beforeEach(() => void (reached.length = 0));
after(() => rig.close());

const HTTP1 = { ALPNProtocols: ['http/1.1'] };

function send(bytes: string): Promise<string> {
  return rawExchange(rig.tlsPort(), bytes, { tls: HTTP1, quietMs: 60 });
}

function statuses(answer: string): string[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((found) => found[1] ?? '');
}

describe('requests that two parsers could read differently are refused and end the connection', () => {
  const chunkedTail = '0\r\n\r\nGET /dex/smuggled HTTP/1.1\r\nHost: h\r\n\r\n';
  const cases: Record<string, string> = {
    'CL.TE': `POST /dex/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedTail}`,
    'TE.CL': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n${chunkedTail}`,
    'TE.TE with a second encoding': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n${chunkedTail}`,
    'TE with an unknown encoding': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n${chunkedTail}`,
    'TE: chunked, identity': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n${chunkedTail}`,
    'TE with a vertical tab': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n${chunkedTail}`,
    'TE with a space before the colon': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n${chunkedTail}`,
    'TE on a folded line': `POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n${chunkedTail}`,
    'two lengths': `POST /dex/x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n${chunkedTail}`,
    'two equal lengths': 'POST /dex/x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
    'a signed length': `POST /dex/x HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n${chunkedTail}`,
    'a bare line feed after a header': 'GET /dex/x HTTP/1.1\r\nHost: h\nX: y\r\n\r\n',
    'a bare carriage return in a header': 'GET /dex/x HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n',
    'a NUL in a header': 'GET /dex/x HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n',
    'a NUL in the path': 'GET /dex/\0x HTTP/1.1\r\nHost: h\r\n\r\n',
    'no host': 'GET /dex/x HTTP/1.1\r\n\r\n',
    'two hosts': 'GET /dex/x HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n',
    'a chunk size with a sign':
      'POST /dex/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n',
    'chunks in HTTP/1.0': `POST /dex/x HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedTail}`,
    'HTTP/0.9': 'GET /dex/x\r\n\r\n',
    'an unknown version': 'GET /dex/x HTTP/1.2\r\nHost: h\r\n\r\n',
    'a space in the target': 'GET /dex/x y HTTP/1.1\r\nHost: h\r\n\r\n',
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      const answer = await send(bytes);
      assert.ok(
        statuses(answer).every((status) => status === '400'),
        answer,
      );
      assert.equal(reached.filter((line) => line.includes('smuggled')).length, 0);
      assert.equal(reached.filter((line) => !line.startsWith('dex POST /dex/x')).length, 0, reached.join('\n'));
    });
  }
});

test('an upgrade that is answered with a refusal ends the connection: what follows is not a request', async () => {
  const answer = await send(
    'GET /x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\nGET /dex/smuggled HTTP/1.1\r\nHost: h\r\n\r\n',
  );
  assert.deepEqual(statuses(answer), ['401']);
  assert.deepEqual(reached, []);
});

test('other upgrades are ignored, and the headers that ask for them stay behind', async () => {
  const answer = await send(
    'GET /dex/x HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
  );
  assert.deepEqual(statuses(answer), ['200']);
  assert.doesNotMatch(reached[0] ?? '', /h2c|HTTP2-Settings/i);
});

test('pipelined requests are judged one by one', async () => {
  const answer = await send(
    'GET /dex/a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\nGET /c HTTP/1.1\r\nHost: h\r\nCookie: s=good\r\n\r\n',
  );
  assert.deepEqual(statuses(answer), ['200', '401', '200']);
  assert.deepEqual(
    reached.map((line) => line.split(' ').slice(0, 3).join(' ')),
    ['dex GET /dex/a', 'dashboard GET /c'],
  );
});

test('without a session no path and no method reaches an upstream beside the login', async () => {
  const paths = [
    '/',
    '/x',
    '/dex',
    '/dexter',
    '/dex/../x',
    '/dex/%2e%2e/x',
    '/dex/..%2fx',
    '/dex/..%5cx',
    '/dex/..\\x',
    '/dex/..;/x',
    '/dex;/../x',
    '//dex/../x',
    '/x/dex/',
    '/Dex/',
    '/DEX/',
    '/x?/dex/',
    '/x%3f/dex/',
    '/dex%2f',
    '/%2fdex/',
    '/dex/%00/../../x',
    '/dex/%c0%ae%c0%ae/x',
    '/./dex/../x',
    '/x;/dex/',
    '/%64ex/../x',
    'http://h/x',
    'https://h/dex/../x',
    'http://h//dex/../x',
    '*',
    '/dex./../x',
  ];
  for (const path of paths) await send(`GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`);
  for (const method of [
    'OPTIONS',
    'HEAD',
    'TRACE',
    'PROPFIND',
    'CONNECT',
    'get',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'QUERY',
    'M-SEARCH',
  ]) {
    await send(
      `${method} /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\nX-HTTP-Method-Override: GET\r\n\r\n`,
    );
  }
  assert.deepEqual(
    reached.filter((line) => line.startsWith('dashboard')),
    [],
  );
  for (const line of reached) assert.match(line, /^dex GET \/dex\//);
});

test('forged identity reaches no upstream, with or without a session', async () => {
  const forged = [
    'kubeflow-userid: root',
    'Kubeflow_UserId: root',
    'KUBEFLOW-USERID: root',
    'kubeflow-userid: root',
    'kubeflow-groups: admins',
    'Kubeflow_Groups: admins',
    'X-Forwarded-User: root',
    'X_Remote_User: root',
    'X-Forwarded-For: 1.2.3.4',
    'X-Forwarded-Proto: http',
    'X-Forwarded-Uri: /dex/',
    'X-Original-URL: /dex/',
    'X-Envoy-Original-Path: /dex/',
    'Connection: close, kubeflow-userid, x-forwarded-for, x-request-id',
  ];
  await send(`GET /dex/x HTTP/1.1\r\nHost: h\r\n${forged.join('\r\n')}\r\n\r\n`);
  await send(`GET /x HTTP/1.1\r\nHost: h\r\nCookie: s=good\r\n${forged.join('\r\n')}\r\n\r\n`);
  assert.equal(reached.length, 2);
  for (const line of reached) assert.doesNotMatch(line, /root|admins|1\.2\.3\.4|Original|Forwarded-Uri/i);
  assert.match(reached[1] ?? '', /"kubeflow-userid","anna"/);
  assert.match(reached[1] ?? '', /"x-forwarded-for","127\.0\.0\.1"/);
});

test('a session cookie among others, twice or oversized is judged by the authorizer alone', async () => {
  for (const cookie of [
    'Cookie: s=good; s=bad',
    'Cookie: s=bad\r\nCookie: s=good',
    `Cookie: s=${'x'.repeat(10_000)}`,
    'Cookie: S=good',
    'Cookie: s="good"',
  ]) {
    const answer = await send(`GET /x HTTP/1.1\r\nHost: h\r\n${cookie}\r\nConnection: close\r\n\r\n`);
    assert.deepEqual(statuses(answer), ['401']);
  }
  assert.deepEqual(reached, []);
});

test('a head beyond the limits is refused', async () => {
  assert.deepEqual(statuses(await send(`GET /dex/x HTTP/1.1\r\nHost: h\r\nX: ${'a'.repeat(80_000)}\r\n\r\n`)), ['431']);
  assert.deepEqual(statuses(await send(`GET /dex/x HTTP/1.1\r\nHost: h\r\n${'a: b\r\n'.repeat(150)}\r\n`)), ['431']);
  assert.deepEqual(reached, []);
});

test('bytes that are no TLS handshake end the connection at once', async () => {
  for (const bytes of ['GET / HTTP/1.1\r\nHost: h\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n']) {
    const answer = await rawExchange(rig.tlsPort(), bytes, { quietMs: 60_000 });
    assert.doesNotMatch(answer, /HTTP/);
  }
});

describe('HTTP/2 frames by hand', () => {
  const frame = (type: number, flags: number, payload: Buffer): Buffer => {
    const head = Buffer.from([0, payload.length >> 8, payload.length & 255, type, flags, 0, 0, 0, type === 4 ? 0 : 1]);
    return Buffer.concat([head, payload]);
  };
  const literal = (text: string): Buffer => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'latin1')]);
  const hpack = (fields: readonly (readonly [string, string])[]): Buffer =>
    Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));

  /** The status of the answer, `reset`, or `none`; only the status is read from the header block. */
  const exchange = (fields: readonly (readonly [string, string])[], body?: string): Promise<string> =>
    new Promise((resolve) => {
      const socket = connectTls({
        port: rig.tlsPort(),
        host: '127.0.0.1',
        rejectUnauthorized: false,
        ALPNProtocols: ['h2'],
      });
      let received = Buffer.alloc(0);
      const done = (result: string): void => {
        socket.destroy();
        resolve(result);
      };
      const bytes = [
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(4, 0, Buffer.alloc(0)),
        frame(1, body === undefined ? 5 : 4, hpack(fields)),
      ];
      if (body !== undefined) bytes.push(frame(0, 1, Buffer.from(body)));
      socket.on('secureConnect', () => socket.write(Buffer.concat(bytes)));
      socket.on('error', () => done('none'));
      socket.on('close', () => done('none'));
      socket.on('data', (chunk: Buffer) => {
        received = Buffer.concat([received, chunk]);
        while (received.length >= 9) {
          const length = received.readUIntBE(0, 3);
          if (received.length < 9 + length) return;
          const type = received[3];
          const first = received[9] ?? 0;
          if (type === 1) return done(first === 0x88 ? '200' : 'answered');
          if (type === 3 || type === 7) return done('reset');
          received = received.subarray(9 + length);
        }
      });
    });

  const base: readonly (readonly [string, string])[] = [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'h'],
    [':path', '/dex/x'],
  ];

  test('a proper request is answered', async () => {
    assert.equal(await exchange(base), '200');
    assert.equal(reached.length, 1);
  });

  const cases: Record<string, { fields: readonly (readonly [string, string])[]; body?: string }> = {
    'transfer-encoding': {
      fields: [...base, ['transfer-encoding', 'chunked']],
      body: '0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n',
    },
    connection: { fields: [...base, ['connection', 'close']] },
    'a length that the data does not have': {
      fields: [[':method', 'POST'], ...base.slice(1), ['content-length', '1']],
      body: 'GET /smuggled',
    },
    'a line end in a value': { fields: [...base, ['x', 'a\r\nkubeflow-userid: root']] },
    'a line end in a name': { fields: [...base, ['x: y\r\nkubeflow-userid', 'root']] },
    'a line end in the path': { fields: [...base.slice(0, 3), [':path', '/dex/x HTTP/1.1\r\nx: y']] },
    'a space in the path': { fields: [...base.slice(0, 3), [':path', '/dex/x HTTP/1.1']] },
    'a line end in the method': { fields: [[':method', 'GET /smuggled HTTP/1.1\r\n\r\n'], ...base.slice(1)] },
    'another host': { fields: [...base, ['host', 'other']] },
    'a host with a path': { fields: [...base.slice(0, 2), [':authority', 'h/../x'], ...base.slice(3)] },
    'an upper-case name': { fields: [...base, ['Kubeflow-Userid', 'root']] },
    'two paths': { fields: [...base, [':path', '/x']] },
    'a pseudo header after the others': { fields: [...base.slice(0, 3), ['x', 'y'], [':path', '/dex/x']] },
    'an unknown pseudo header': { fields: [...base, [':kubeflow-userid', 'root']] },
    'an extended CONNECT to something else': {
      fields: [[':method', 'CONNECT'], [':protocol', 'connect-udp'], ...base.slice(1)],
    },
  };
  for (const [name, { fields, body }] of Object.entries(cases)) {
    test(`${name} gets nothing through`, async () => {
      assert.notEqual(await exchange(fields, body), '200');
      const bad = reached.filter((line) => /smuggled|root|other|\.\./.test(line));
      assert.deepEqual(bad, []);
    });
  }
});
