import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { basic, loginForTokens, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

let identity: TestIdentity;
let tokens: Tokens;
before(async () => {
  identity = await startTestIdentity();
  tokens = await loginForTokens(identity, { scope: 'openid email offline_access' });
});
after(() => identity.stop());

async function introspect(token: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await identity.post('/dex/token/introspect', { token });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function revoke(token: string, client = basic('app', 's3cret')): Promise<number> {
  return (await identity.post('/dex/token/revoke', { token }, client)).status;
}

test('a live token is described', async () => {
  const { status, body } = await introspect(tokens.access_token);
  assert.equal(status, 200);
  assert.equal(body['active'], true);
  assert.equal(body['client_id'], 'app');
  assert.equal((body['ext'] as Record<string, string>)['email'], 'admin@kubeflow.org');
  const refresh = await introspect(tokens.refresh_token ?? '');
  assert.equal(refresh.body['token_use'], 'refresh_token');
});

test('anything else is inactive, and no token is a bad request', async () => {
  for (const token of [
    'x',
    `${tokens.access_token}x`,
    'eyJhbGciOiJub25lIn0.e30.',
    Buffer.from('\n\u0003abc').toString('base64url'),
  ]) {
    const { status, body } = await introspect(token);
    assert.equal(status, 401);
    assert.deepEqual(body, { active: false });
  }
  assert.equal((await introspect('')).status, 400);
  assert.equal((await identity.fetch('/dex/token/introspect')).status, 400);
});

test('a client revokes its own refresh tokens, and learns nothing of those of others', async () => {
  const token = tokens.refresh_token ?? '';
  assert.equal(await revoke(token, basic('other', 'o:th er%')), 200);
  assert.equal((await introspect(token)).status, 200);
  assert.equal(await revoke(token, basic('app', 'wrong')), 401);
  assert.equal(await revoke(tokens.access_token), 400);
  assert.equal(await revoke('unknown'), 200);
  assert.equal(await revoke(token), 200);
  assert.equal((await introspect(token)).status, 401);
  const form = { grant_type: 'refresh_token', refresh_token: token };
  assert.equal((await identity.post('/dex/token', form, basic('app', 's3cret'))).status, 400);
});

test('logout sends the browser to registered places only', async () => {
  const logout = (query: Record<string, string>): Promise<Response> =>
    identity.fetch(`/dex/logout?${new URLSearchParams(query).toString()}`);
  const hint = { id_token_hint: tokens.id_token };
  const good = await logout({ ...hint, post_logout_redirect_uri: '/bye', state: 'a b' });
  assert.equal(good.headers.get('location'), '/bye?state=a+b');
  assert.equal((await logout({})).status, 200);
  for (const query of [
    { ...hint, post_logout_redirect_uri: 'https://evil.example' },
    { ...hint, post_logout_redirect_uri: '/bye/' },
    { post_logout_redirect_uri: '/bye' },
    { client_id: 'app', post_logout_redirect_uri: '/bye' },
    { ...hint, client_id: 'other', post_logout_redirect_uri: '/bye' },
    { id_token_hint: 'forged', post_logout_redirect_uri: '/bye' },
  ]) {
    const response = await logout(query as Record<string, string>);
    assert.equal(response.status, 400, JSON.stringify(query));
    assert.equal(response.headers.get('location'), null);
  }
  identity.now += 48 * 3_600_000;
  assert.equal((await logout({ ...hint, post_logout_redirect_uri: '/bye' })).status, 302);
});
