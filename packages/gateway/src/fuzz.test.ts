import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { kubeflowGateway, requireAuthservice, to, virtualService, withoutRedirect } from './rig/objects.ts';
import { rawExchange } from './rig/raw-exchange.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

/** Rounds of this run; longer suites set FUZZ_ROUNDS, and FUZZ_SEED repeats a run. */
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 300);
const seed = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

interface Seen {
  readonly upstream: string;
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly rawHeaders: readonly string[];
}

const reached: Seen[] = [];
let rig: Rig;

before(async () => {
  rig = await startRig();
  for (const upstream of ['centraldashboard', 'dex']) {
    await rig.upstream(upstream, (request, response) => {
      reached.push({ upstream, method: request.method, url: request.url, rawHeaders: request.rawHeaders });
      request.resume().on('end', () => response.end('ok'));
    });
  }
  await rig.upstream('authservice', (_request, response) => void response.writeHead(401).end(), 'istio-system');
  rig.sources.virtualServices.put(virtualService('dex', [{ match: [{ uri: { prefix: '/dex/' } }], ...to('dex') }]));
  rig.sources.virtualServices.put(
    virtualService('dashboard', [{ match: [{ uri: { prefix: '/' } }], ...to('centraldashboard') }]),
  );
  requireAuthservice(rig.sources);
  rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  await rig.settle();
});
after(() => rig.close());

/** mulberry32: small, and the same everywhere. */
function createRandom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const METHODS = [
  'GET',
  'POST',
  'OPTIONS',
  'HEAD',
  'PUT',
  'TRACE',
  'CONNECT',
  'get',
  'GE T',
  'PROPFIND',
  'PRI',
  'X'.repeat(50),
  '',
];
const PIECES = [
  '/',
  '//',
  'dex',
  'dex/',
  '..',
  '.',
  '%2e',
  '%2f',
  '%5c',
  '\\',
  ';',
  '%00',
  '%c0%af',
  '%',
  '?',
  '#',
  'x',
  'http://h',
  '*',
  ' ',
  '\t',
  '\x00',
  '\x7f',
  '\xe4',
  '%252e',
  '%ff',
  ':',
  '@',
];
const NAMES = [
  'Host',
  'Content-Length',
  'Transfer-Encoding',
  'Connection',
  'Upgrade',
  'Expect',
  'Cookie',
  'kubeflow-userid',
  'Kubeflow_Userid',
  'X-Forwarded-For',
  'TE',
  'Content-Length ',
  ' Host',
  'X',
  'Authorization',
  'Sec-WebSocket-Key',
  '',
];
const VALUES = [
  'h',
  '0',
  '5',
  '-1',
  'chunked',
  'gzip, chunked',
  'close',
  'keep-alive, kubeflow-userid',
  'upgrade',
  'websocket',
  'h2c',
  '100-continue',
  'root',
  'a\0b',
  'a\rb',
  '\x0bchunked',
  '1, 2',
  'x'.repeat(300),
  '',
];
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ', '\n\n'];
const BODIES = [
  '',
  'hello',
  '0\r\n\r\n',
  '5\r\nhello\r\n0\r\n\r\n',
  'GET /inner HTTP/1.1\r\nHost: h\r\n\r\n',
  '\r\n\r\n',
  'ffffffffff\r\n',
];

function renderRequest(random: (below: number) => number): string {
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? '';
  const isOrderly = random(2) === 0;
  const target = `/${Array.from({ length: random(6) }, () => pick(PIECES)).join('')}`;
  let text = `${isOrderly ? 'GET' : pick(METHODS)} ${target} HTTP/1.${random(20) === 0 ? 0 : 1}\r\nHost: h${isOrderly ? '\r\n' : pick(ENDS)}`;
  for (let count = random(5); count > 0; count -= 1)
    text += `${pick(NAMES)}: ${pick(VALUES)}${isOrderly ? '\r\n' : pick(ENDS)}`;
  return `${text}\r\n${pick(BODIES)}`;
}

test('whatever is sent, nobody gets beyond the login, and the gateway lives', async () => {
  const random = createRandom(seed);
  for (let round = 0; round < rounds; round += 10) {
    const batch = Array.from({ length: 10 }, () =>
      Array.from({ length: 1 + random(3) }, () => renderRequest(random)).join(''),
    );
    await Promise.all(
      batch.map((bytes, index) =>
        index % 2 === 0
          ? rawExchange(rig.tlsPort(), bytes, { tls: { ALPNProtocols: ['http/1.1'] }, quietMs: 15, waitMs: 60 })
          : rawExchange(rig.plainPort(), bytes, { quietMs: 15, waitMs: 60 }),
      ),
    );
    for (const seen of reached.splice(0)) {
      const text = JSON.stringify(seen);
      assert.equal(seen.upstream, 'dex', `seed ${seed}: ${text}`);
      const path = seen.url?.split('?')[0] ?? '';
      assert.match(path, /^\/dex\/[\x21-\x7e]*$/, `seed ${seed}: ${text}`);
      assert.doesNotMatch(path, /\/\.\.?(?:\/|$)|\/\/|%2[ef]|%5c/i, `seed ${seed}: ${text}`);
      // Values are the client's own (a cookie may hold any word); names and the path are what could let somebody in.
      const names = seen.rawHeaders.filter((_, index) => index % 2 === 0);
      assert.doesNotMatch([path, ...names].join(' '), /userid|smuggled|inner/i, `seed ${seed}: ${text}`);
    }
  }
  assert.match(
    await rawExchange(rig.tlsPort(), 'GET /dex/alive HTTP/1.1\r\nHost: h\r\n\r\n', {
      tls: { ALPNProtocols: ['http/1.1'] },
    }),
    /^HTTP\/1\.1 200/,
  );
});
