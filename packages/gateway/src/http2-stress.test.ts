import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stressHttp2 } from './rig/http2-stress.ts';
import { startRig } from './rig/rig.ts';

const REQUESTS = Number(process.env['KFCTL_STRESS_REQUESTS'] ?? 4_000);

test('every request over HTTP/2 is answered as it should be and logged once, whoever cancels and resets', async (t) => {
  const rig = await startRig();
  try {
    const { requests, cancelled, problems, counts } = await stressHttp2(rig, REQUESTS);
    t.diagnostic(`${requests} requests, ${cancelled} cancelled: ${[...counts].map(String).join(' ')}`);
    assert.deepEqual(problems, []);
    assert.equal(requests, REQUESTS);
  } finally {
    await rig.close();
  }
});
