import assert from 'node:assert/strict';
import type { IncomingHttpHeaders } from 'node:http';
import { after, before, test } from 'node:test';
import { fetchText } from './rig/fetch-text.ts';
import { to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
let seen: IncomingHttpHeaders = {};

before(async () => {
  rig = await startRig({ env: { ACCESS_LOG_TRACE_ID: 'true' } });
  await rig.upstream('a', (request, response) => {
    seen = request.headers;
    response.end();
  });
  rig.sources.virtualServices.put(virtualService('a', [to('a')]));
  await rig.settle();
});
after(() => rig.close());

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

async function lastLine(path: string): Promise<string> {
  const find = (): string | undefined => rig.accessLog.find((line) => line.includes(` ${path} `));
  while (find() === undefined) await rig.settle();
  return find() ?? '';
}

test('a client’s trace goes on and is in the log, its other headers stay as they are', async () => {
  const b3 = { b3: '0', 'x-b3-traceid': 'abc' };
  const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'v=1', 'x-request-id': 'mine', ...b3 };
  await fetchText(rig.tlsPort(), '/one', headers);
  assert.match(String(seen['traceparent']), new RegExp(`^00-${TRACE}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
  assert.deepEqual([seen['tracestate'], seen['b3'], seen['x-b3-traceid']], ['v=1', '0', 'abc']);
  assert.notEqual(seen['x-request-id'], 'mine');
  assert.match(await lastLine('/one'), new RegExp(` "${TRACE}"$`));
});

test('no trace begins unless the mesh wants it; then its id is that of the request', async () => {
  await fetchText(rig.tlsPort(), '/two', { traceparent: 'nonsense' });
  assert.equal(seen['traceparent'], undefined);
  assert.match(await lastLine('/two'), / "-"$/);
  const mesh = 'enableTracing: true\ndefaultConfig: { tracing: { sampling: 100 } }';
  rig.sources.configMaps.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh },
  });
  await rig.settle();
  await fetchText(rig.tlsPort(), '/three');
  const id = String(seen['x-request-id']).replaceAll('-', '');
  assert.match(String(seen['traceparent']), new RegExp(`^00-${id}-[0-9a-f]{16}-01$`));
});
