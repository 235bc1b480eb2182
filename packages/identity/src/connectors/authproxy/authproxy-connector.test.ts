import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authUrl, claimsOf, locationOf, redeem, startTestIdentity } from '../../../test/test-identity.ts';
import type { Tokens } from '../../../test/test-identity.ts';

const HEADERS = { 'x-remote-user': 'kim', 'x-remote-user-email': 'kim@example.com', 'x-remote-group': 'ops, devs' };

test('believes the proxy on the path that it guards, and nobody elsewhere', async (t) => {
  const identity = await startTestIdentity({
    config: 'connectors:\n- {type: authproxy, id: proxy, name: Proxy, config: {staticGroups: [all]}}\n',
  });
  t.after(() => identity.stop());
  const start = async (): Promise<URL> => locationOf(await identity.fetch(authUrl({}, '/dex/auth/proxy')));
  const out = await start();
  assert.equal(out.pathname, '/dex/callback/proxy');
  const open = await identity.fetch(`/dex/callback${out.search}`, { headers: HEADERS });
  assert.equal(open.status, 403);
  assert.equal((await identity.fetch(`/dex/callback/proxy${out.search}`)).status, 403);
  assert.equal((await identity.fetch(`/dex/callback/other${out.search}`, { headers: HEADERS })).status, 400);
  const done = await identity.fetch(`/dex/callback/proxy${out.search}`, { headers: HEADERS });
  assert.equal(done.status, 303);
  const tokens = (await (await redeem(identity, locationOf(done).searchParams.get('code') ?? '')).json()) as Tokens;
  const claims = claimsOf(tokens.id_token);
  assert.equal(claims['email'], 'kim@example.com');
  assert.equal(claims['name'], 'kim');
  assert.deepEqual(claims['groups'], ['ops', 'devs', 'all']);
});
