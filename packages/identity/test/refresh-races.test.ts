/** Parallel refreshes of one token whose upstream has refresh tokens of its own that work once: nobody is logged out by being in a hurry. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startUpstreamServer } from '../../testkit/src/upstream-server.ts';
import type { StubRequest } from '../../testkit/src/upstream-server.ts';
import { authUrl, basic, locationOf, loginForTokens, redeem, startTestIdentity, USERS } from './test-identity.ts';
import type { TestIdentity, Tokens } from './test-identity.ts';

interface Setting {
  readonly identity: TestIdentity;
  readonly token: string;
  /** How often the upstream gave new tokens. */
  renewals(): number;
  /** Another provider on the same storage; only where that is a file. */
  replicate(): Promise<TestIdentity>;
}

async function start(t: TestContext, policy: string, storage = 'type: memory'): Promise<Setting> {
  let renewals = 0;
  const upstream = await startUpstreamServer({
    '/login/oauth/access_token': ({ form }: StubRequest) => {
      const isRefresh = form.get('grant_type') === 'refresh_token';
      if (isRefresh && form.get('refresh_token') !== `rt${renewals}`)
        return { status: 400, body: { error: 'invalid_grant' } };
      if (isRefresh) renewals += 1;
      return { body: { access_token: 'at', refresh_token: `rt${renewals}`, token_type: 'bearer' } };
    },
    '/api/v1/user': { body: { id: 7, login: 'kim', full_name: 'Kim', email: 'kim@example.com' } },
  });
  const config = `{baseURL: "${upstream.origin}", clientID: dex, clientSecret: s, redirectURI: "https://x/dex/callback"}`;
  const options = {
    storage,
    config: `connectors: [{type: gitea, id: gitea, name: G, config: ${config}}]\nexpiry: {refreshTokens: {${policy}}}\n`,
  };
  const identity = await startTestIdentity(options);
  t.after(async () => {
    await identity.stop();
    await upstream.close();
  });
  const out = locationOf(await identity.fetch(authUrl({ scope: 'openid offline_access' }, '/dex/auth/gitea')));
  const back = new URLSearchParams({ state: out.searchParams.get('state') ?? '', code: 'c' });
  const done = locationOf(await identity.fetch(`/dex/callback?${back.toString()}`));
  const tokens = (await (await redeem(identity, done.searchParams.get('code') ?? '')).json()) as Tokens;
  return {
    identity,
    token: tokens.refresh_token ?? '',
    renewals: () => renewals,
    replicate: () => startTestIdentity(options),
  };
}

async function refresh(identity: TestIdentity, token: string): Promise<{ status: number; successor: string }> {
  const form = { grant_type: 'refresh_token', refresh_token: token };
  const response = await identity.post('/dex/token', form, basic('app', 's3cret'));
  return { status: response.status, successor: ((await response.json()) as Tokens).refresh_token ?? '' };
}

const ofTen = (identity: TestIdentity, token: string): ReturnType<typeof refresh>[] =>
  Array.from({ length: 10 }, () => refresh(identity, token));

test('within the reuse interval ten at once all get the same successor, and the upstream is asked once', async (t) => {
  const { identity, token, renewals } = await start(t, 'reuseInterval: 30s');
  identity.now += 60_000;
  const answers = await Promise.all(ofTen(identity, token));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.equal(new Set(answers.map(({ successor }) => successor)).size, 1);
  assert.equal(renewals(), 1);
  identity.now += 60_000;
  assert.equal((await refresh(identity, answers[0]?.successor ?? '')).status, 200);
});

test('without one a single request of ten wins, and its successor goes on working', async (t) => {
  const { identity, token, renewals } = await start(t, '');
  const answers = await Promise.all(ofTen(identity, token));
  const winners = answers.filter(({ status }) => status === 200);
  assert.equal(winners.length, 1);
  assert.ok(answers.every(({ status }) => status === 200 || status === 400));
  assert.equal(renewals(), 1);
  assert.equal((await refresh(identity, winners[0]?.successor ?? '')).status, 200);
});

for (const [policy, statuses] of [
  ['reuseInterval: 30s', [200, 200]],
  ['', [200, 400]],
] as const) {
  test(`two replicas that ask the upstream at once log nobody out (${policy || 'no reuse interval'})`, async (t) => {
    const directory = mkdtempSync(path.join(tmpdir(), 'identity-replicas-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const storage = `type: sqlite3, config: {file: ${path.join(directory, 'dex.db')}}`;
    const { identity: left, token: first, renewals, replicate } = await start(t, policy, storage);
    const right = await replicate();
    t.after(() => right.stop());
    let token = first;
    for (let round = 1; round <= 3; round += 1) {
      for (const replica of [left, right]) replica.now += 60_000;
      const answers = await Promise.all([refresh(left, token), refresh(right, token)]);
      assert.deepEqual(answers.map(({ status }) => status).toSorted(), statuses);
      assert.equal(renewals(), round);
      token = answers.find(({ status }) => status === 200)?.successor ?? '';
    }
  });
}

test('two replicas on one storage give the same successor', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-replicas-'));
  const options = {
    storage: `type: sqlite3, config: {file: ${path.join(directory, 'dex.db')}}`,
    config: `${USERS}expiry: {refreshTokens: {reuseInterval: 30s}}\n`,
  };
  const left = await startTestIdentity(options);
  const right = await startTestIdentity(options);
  t.after(async () => {
    await Promise.all([left.stop(), right.stop()]);
    rmSync(directory, { recursive: true });
  });
  let { refresh_token: token = '' } = await loginForTokens(left, { scope: 'openid offline_access' });
  for (let round = 0; round < 5; round += 1) {
    for (const replica of [left, right]) replica.now += 60_000;
    const asked = [left, right, left, right].map((replica) => refresh(replica, token));
    const answers = await Promise.all(asked);
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.equal(new Set(answers.map(({ successor }) => successor)).size, 1);
    token = answers[0]?.successor ?? '';
  }
});
