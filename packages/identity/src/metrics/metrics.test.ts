import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

test('counts requests by route, method and status, never by what a client sent', async () => {
  await identity.fetch('/dex/keys');
  await identity.fetch('/dex/keys');
  await identity.post('/dex/token', { grant_type: 'x' });
  await identity.fetch('/dex/auth/%22%7Devil/login');
  const text = await (await fetch(`${identity.telemetry}/metrics`)).text();
  assert.match(text, /^http_requests_total\{code="200",handler="\/keys",method="get"\} 2$/m);
  assert.match(text, /^http_requests_total\{code="400",handler="\/token",method="post"\} 1$/m);
  assert.match(text, /^http_requests_total\{code="400",handler="\/auth\/:connector\/login",method="get"\} 1$/m);
  assert.match(text, /^request_duration_seconds_count\{code="200",handler="\/keys",method="get"\} 2$/m);
  assert.match(text, /^response_size_bytes_sum\{code="200",handler="\/keys",method="get"\} [1-9]\d+$/m);
  assert.match(text, /^response_size_bytes_count\{code="200",handler="\/keys",method="get"\} 2$/m);
  assert.match(text, /^dex_build_info\{version="[\d.]+",runtime="node v[\d.]+"\} 1$/m);
  assert.doesNotMatch(text, /evil/);
  const counts = [...text.matchAll(/bucket\{code="200",handler="\/keys",method="get",le="[^"]+"\} (\d+)$/gm)].map(
    (found) => Number(found[1]),
  );
  assert.equal(counts.length, 12);
  assert.deepEqual(
    counts,
    counts.toSorted((left, right) => left - right),
  );
  assert.equal(counts.at(-1), 2);
});

test('probes answer on the telemetry listener', async () => {
  for (const path of ['/healthz', '/healthz/live', '/healthz/ready']) {
    assert.equal((await fetch(identity.telemetry + path)).status, 200, path);
  }
});
