import assert from 'node:assert/strict';
import { test } from 'node:test';
import { basic, loginForCode, redeem, startTestIdentity } from '../../test/test-identity.ts';
import type { Tokens } from '../../test/test-identity.ts';
import { MAX_TOKENS_PER_CLIENT } from './refresh-tokens.ts';

test('a person stays logged in on many devices of one client; beyond ten the oldest login gives way', async (t) => {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const devices: string[] = [];
  for (let count = 0; count <= MAX_TOKENS_PER_CLIENT; count += 1) {
    identity.now += 1000;
    const code = await loginForCode(identity, { scope: 'openid offline_access' });
    devices.push(((await (await redeem(identity, code)).json()) as Tokens).refresh_token ?? '');
  }
  const statuses: number[] = [];
  for (const refresh_token of devices) {
    const form = { grant_type: 'refresh_token', refresh_token };
    statuses.push((await identity.post('/dex/token', form, basic('app', 's3cret'))).status);
  }
  assert.deepEqual(statuses, [400, ...Array.from({ length: MAX_TOKENS_PER_CLIENT }, () => 200)]);
});
