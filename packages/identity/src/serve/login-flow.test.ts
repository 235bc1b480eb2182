import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  AUTH,
  authUrl,
  claimsOf,
  ISSUER,
  locationOf,
  login,
  loginForTokens,
  openLogin,
  startTestIdentity,
} from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

test('/auth leads to the only connector, with every parameter, by a path-absolute redirect', async () => {
  const response = await identity.fetch(authUrl({ custom: 'kept' }, '/dex/auth'));
  assert.equal(response.status, 302);
  const location = response.headers.get('location') ?? '';
  assert.ok(location.startsWith('/dex/auth/local?client_id=app&custom=kept&redirect_uri=%2Flogin%2Foidc'), location);
  assert.equal(locationOf(response).searchParams.get('state'), AUTH.state);
});

test('a login over POST to /auth works as over GET', async () => {
  const response = await identity.post('/dex/auth/local', AUTH);
  assert.match(response.headers.get('location') ?? '', /^\/dex\/auth\/local\/login\?back=&state=/);
});

test('the login page asks for name and password and loads nothing', async () => {
  const page = await identity.fetch(await openLogin(identity));
  assert.equal(page.status, 200);
  const text = await page.text();
  assert.match(text, /<label for="login">Email Address<\/label>/);
  assert.match(text, /autocomplete="current-password"/);
  assert.match(text, /id="submit-login"/);
  assert.doesNotMatch(text, /<script|https?:\/\/|src=/);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'.*form-action 'self'/);
  assert.equal(page.headers.get('cache-control'), 'no-store');
});

test('the style sheet is the one that the policy allows', async () => {
  const page = await identity.fetch(await openLogin(identity));
  const style = /<style>([^]*?)<\/style>/.exec(await page.text())?.[1] ?? '';
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString('base64');
  assert.ok(page.headers.get('content-security-policy')?.includes(`'sha256-${digest}'`));
});

test('a wrong password is told plainly and keeps the name', async () => {
  const response = await identity.post(await openLogin(identity), { login: 'admin@kubeflow.org', password: 'no' });
  assert.equal(response.status, 401);
  const text = await response.text();
  assert.match(text, /<div class="error" id="login-error" role="alert">Invalid Email Address and password.<\/div>/);
  assert.match(text, /value="admin@kubeflow.org"/);
});

test('unknown name, empty password and a password of white space are all refused alike', async () => {
  for (const [name, password] of [
    ['nobody@example.com', 'password'],
    ['admin@kubeflow.org', ''],
    ['admin@kubeflow.org', ' '],
    ['', 'password'],
  ] as const) {
    const response = await identity.post(await openLogin(identity), { login: name, password });
    assert.equal(response.status, 401, name);
    assert.match(await response.text(), /Invalid Email Address and password/);
  }
});

test('the right password, with the address in any case, goes back with code and state', async () => {
  const response = await identity.post(await openLogin(identity), {
    login: ' ADMIN@kubeflow.ORG',
    password: 'password',
  });
  assert.equal(response.status, 303);
  const location = response.headers.get('location') ?? '';
  assert.match(location, /^\/login\/oidc\?code=[\w-]{43}&state=st%26te%3D1$/);
});

test('other parameters of a redirect URI stay', async () => {
  const response = await login(identity, { redirect_uri: 'https://app.example.com/cb?x=1' });
  assert.match(response.headers.get('location') ?? '', /^https:\/\/app\.example\.com\/cb\?x=1&code=[\w-]+&state=/);
});

test('no cookie is ever set', async () => {
  for (const response of [
    await identity.fetch(authUrl()),
    await identity.fetch(await openLogin(identity)),
    await login(identity),
  ]) {
    assert.equal(response.headers.get('set-cookie'), null);
  }
});

test('tokens say who it is', async () => {
  const { access_token, id_token, refresh_token, expires_in } = await loginForTokens(identity, { nonce: 'n-1' });
  const claims = claimsOf(id_token);
  assert.equal(expires_in, 86_400);
  assert.equal(refresh_token, undefined);
  assert.equal(claims['iss'], ISSUER);
  assert.equal(claims['sub'], 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs');
  assert.equal(claims['aud'], 'app');
  assert.equal(claims['nonce'], 'n-1');
  assert.equal(claims['email'], 'admin@kubeflow.org');
  assert.equal(claims['email_verified'], true);
  assert.equal(claims['name'], 'admin');
  assert.deepEqual(claims['groups'], ['admins']);
  assert.equal('preferred_username' in claims, false);
  assert.equal('azp' in claims, false);
  const info = await identity.fetch('/dex/userinfo', { headers: { authorization: `bearer ${access_token}` } });
  assert.equal(info.status, 200);
  assert.equal(((await info.json()) as { email: string }).email, 'admin@kubeflow.org');
});

test('claims come only with their scopes', async () => {
  const claims = claimsOf((await loginForTokens(identity, { scope: 'openid federated:id' })).id_token);
  for (const name of ['email', 'name', 'groups']) assert.equal(name in claims, false, name);
  assert.deepEqual(claims['federated_claims'], {
    connector_id: 'local',
    user_id: '08a8684b-db88-4b73-90a9-3cd1661f5466',
  });
});

test('a client that trusts the asking one may be an audience', async () => {
  const scope = 'openid audience:server:client_id:other audience:server:client_id:app';
  const claims = claimsOf((await loginForTokens(identity, { scope })).id_token);
  assert.deepEqual(claims['aud'], ['other', 'app']);
  assert.equal(claims['azp'], 'app');
});

test('prompt=none ends in the login page, as clients of Kubeflow need it', async () => {
  assert.match(await openLogin(identity, { prompt: 'none' }), /^\/dex\/auth\/local\/login\?/);
});

test('login_hint fills in the name', async () => {
  const page = await identity.fetch(await openLogin(identity, { login_hint: 'zoe@example.com' }));
  assert.match(await page.text(), /value="zoe@example.com"/);
});

test('discovery names the issuer whatever the request calls the host', async () => {
  const response = await identity.fetch('/dex/.well-known/openid-configuration', {
    headers: { 'x-forwarded-host': 'evil' },
  });
  const document = (await response.json()) as Record<string, unknown>;
  assert.equal(document['issuer'], ISSUER);
  assert.equal(document['token_endpoint'], `${ISSUER}/token`);
  assert.deepEqual(document['response_types_supported'], ['code']);
  assert.deepEqual(document['code_challenge_methods_supported'], ['S256', 'plain']);
});

test('keys are public halves with kid and use', async () => {
  const response = await identity.fetch('/dex/keys');
  assert.equal(response.headers.get('cache-control'), 'max-age=600, must-revalidate');
  const { keys } = (await response.json()) as { keys: Record<string, string>[] };
  assert.deepEqual(Object.keys(keys[0] ?? {}).toSorted(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
});

test('the issuer path is a page, and nothing lives beside it', async () => {
  assert.equal((await identity.fetch('/dex')).status, 200);
  for (const path of ['/', '/dex/', '/auth', '/dex/Auth', '/dex//auth', '/dex/keys/', '/DEX/keys', '/dex/unknown']) {
    assert.equal((await identity.fetch(path)).status, 404, path);
  }
});

test('health is told', async () => {
  const response = await identity.fetch('/dex/healthz');
  assert.equal(response.status, 200);
  assert.match(await response.text(), /Health check passed/);
});

test('a login page left open beyond its time says so', async () => {
  const page = await openLogin(identity);
  const before = identity.now;
  identity.now += 24 * 3_600_000;
  const response = await identity.fetch(page);
  identity.now = before;
  assert.equal(response.status, 400);
  assert.match(await response.text(), /User session has expired/);
});

test('the log tells who logged in and holds no secret', async () => {
  identity.log.length = 0;
  const tokens = await loginForTokens(identity, { scope: 'openid offline_access' });
  const log = identity.log.join('');
  assert.match(log, /"msg":"login succeeded".*"user":"08a8684b/);
  for (const secret of ['s3cret', '"password"', tokens.access_token, tokens.refresh_token ?? '?', 'code=']) {
    assert.equal(log.includes(secret), false);
  }
});
