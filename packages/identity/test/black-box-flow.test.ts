/** The code flow of a running server as the Basic OP profile looks at it: heads, times and hashes of tokens, audiences, parameters that are not served. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  authUrl,
  basic,
  claimsOf,
  CLIENTS,
  locationOf,
  login,
  loginForCode,
  loginForTokens,
  redeem,
  startTestIdentity,
  USERS,
} from './test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from './test-identity.ts';

const { hash } = process.getBuiltinModule('node:crypto');

async function start(t: TestContext, options: TestOptions = {}): Promise<TestIdentity> {
  const identity = await startTestIdentity(options);
  t.after(() => identity.stop());
  return identity;
}

const headOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8'));
const halfHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');

test('tokens live as long as expiry.idTokens says, in claims and in expires_in', async (t) => {
  const identity = await start(t, { config: `${USERS}expiry: {idTokens: 90m}\n` });
  const { access_token, id_token, expires_in } = await loginForTokens(identity);
  assert.equal(expires_in, 5400);
  for (const token of [access_token, id_token]) {
    const { iat, exp } = claimsOf(token);
    assert.equal(iat, Math.floor(identity.now / 1000));
    assert.equal(exp, Number(iat) + 5400);
  }
});

test('a client may have tokens that live shorter than those of others', async (t) => {
  const clients = CLIENTS.replace('secret: s3cret,', 'secret: s3cret, idTokenLifetime: 10m,');
  const identity = await start(t, { config: USERS + clients });
  const scope = 'openid offline_access';
  const { access_token, id_token, refresh_token = '', expires_in } = await loginForTokens(identity, { scope });
  assert.equal(expires_in, 600);
  for (const token of [access_token, id_token])
    assert.equal(Number(claimsOf(token)['exp']) - Number(claimsOf(token)['iat']), 600);
  const form = { grant_type: 'refresh_token', refresh_token };
  const refreshed = (await (await identity.post('/dex/token', form, basic('app', 's3cret'))).json()) as Tokens;
  assert.equal(refreshed.expires_in, 600);
  const info = (): Promise<Response> =>
    identity.fetch('/dex/userinfo', { headers: { authorization: `Bearer ${access_token}` } });
  assert.equal((await info()).status, 200);
  identity.now += 601_000;
  assert.equal((await info()).status, 403);
  // No longer than the keys behind them are published.
  const long = await start(t, { config: USERS + clients.replace('10m', '1000h') });
  assert.equal((await loginForTokens(long)).expires_in, 86_400);
});

test('the head of a token names algorithm and key and nothing else; the key is published', async (t) => {
  const identity = await start(t);
  const { access_token, id_token } = await loginForTokens(identity);
  const { keys } = (await (await identity.fetch('/dex/keys')).json()) as { keys: { kid: string }[] };
  for (const token of [access_token, id_token]) assert.deepEqual(headOf(token), { alg: 'ES256', kid: keys[0]?.kid });
});

test('at_hash of a code flow is that of the access token, and there is no c_hash but the code’s', async (t) => {
  const identity = await start(t);
  const code = await loginForCode(identity);
  const { access_token, id_token } = (await (await redeem(identity, code)).json()) as Record<string, string>;
  assert.equal(claimsOf(id_token ?? '')['at_hash'], halfHash(access_token ?? ''));
  assert.equal(claimsOf(id_token ?? '')['c_hash'], halfHash(code));
});

test('an audience that is the client itself is text, without azp', async (t) => {
  const claims = claimsOf(
    (await loginForTokens(await start(t), { scope: 'openid audience:server:client_id:app' })).id_token,
  );
  assert.equal(claims['aud'], 'app');
  assert.equal('azp' in claims, false);
});

test('parameters of OpenID Connect that are not served change nothing', async (t) => {
  const identity = await start(t);
  for (const changes of [
    { display: 'popup', ui_locales: 'el de', claims_locales: 'el', acr_values: 'urn:x' },
    { claims: '{"id_token":{"email":{"essential":true}}}' },
    { registration: '{"client_name":"x"}' },
    { response_mode: 'form_post' },
    { nonce: undefined },
    { something: 'else' },
  ]) {
    const done = locationOf(await login(identity, changes));
    assert.equal(done.pathname, '/login/oidc', JSON.stringify(changes));
    assert.equal((await redeem(identity, done.searchParams.get('code') ?? '')).status, 200);
  }
  const request = locationOf(await identity.fetch(authUrl({ request: 'eyJ' })));
  assert.equal(request.searchParams.get('error'), 'request_not_supported');
});

test('a code that is shown twice is refused the second time, and tokens of the first go on', async (t) => {
  const identity = await start(t);
  const code = await loginForCode(identity);
  const { access_token } = (await (await redeem(identity, code)).json()) as Record<string, string>;
  const again = await redeem(identity, code);
  assert.equal(`${again.status} ${((await again.json()) as { error: string }).error}`, '400 invalid_grant');
  const info = await identity.fetch('/dex/userinfo', { headers: { authorization: `Bearer ${access_token ?? ''}` } });
  assert.equal(info.status, 200);
});

test('a client proves itself by Basic or in the form', async (t) => {
  const identity = await start(t);
  for (const form of [{ client_id: 'app', client_secret: 's3cret' }, undefined]) {
    const code = await loginForCode(identity);
    const body = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc' };
    const response = await (form === undefined
      ? redeem(identity, code)
      : identity.post('/dex/token', { ...body, ...form }));
    assert.equal(response.status, 200);
  }
});
