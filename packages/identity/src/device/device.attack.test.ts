import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authUrl, basic, claimsOf, locationOf, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

interface DeviceAnswer {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri_complete: string;
  readonly interval: number;
}

async function ask(form: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Response> {
  return await identity.post('/dex/device/code', { client_id: 'cli', scope: 'openid email', ...form }, headers);
}

async function askCodes(form: Record<string, string> = {}): Promise<DeviceAnswer> {
  return (await (await ask(form)).json()) as DeviceAnswer;
}

async function poll(deviceCode: string, more: Record<string, string> = {}): Promise<string> {
  const response = await identity.post('/dex/token', {
    grant_type: DEVICE,
    device_code: deviceCode,
    client_id: 'cli',
    ...more,
  });
  const { error } = (await response.json()) as { error?: string };
  return `${response.status} ${error ?? 'ok'}`;
}

/** From the user code to the approval page; gives its address. */
async function walk(userCode: string): Promise<string> {
  const verified = await identity.post('/dex/device/auth/verify_code', { user_code: userCode });
  assert.equal(verified.status, 302);
  const chosen = await identity.fetch(verified.headers.get('location') ?? '');
  const page = await identity.fetch(chosen.headers.get('location') ?? '');
  const done = await identity.post(page.headers.get('location') ?? '', {
    login: 'admin@kubeflow.org',
    password: 'password',
  });
  assert.match(done.headers.get('location') ?? '', /^\/dex\/approval/);
  return done.headers.get('location') ?? '';
}

async function approve(approval: string): Promise<Response> {
  const req = new URL(approval, 'http://x').searchParams.get('req') ?? '';
  const answer = await identity.post(approval, { req, approval: 'approve' });
  return await identity.fetch(answer.headers.get('location') ?? '');
}

test('a device gets the tokens of the person who enters its code and agrees, once', async () => {
  const { device_code, user_code, verification_uri_complete } = await askCodes();
  assert.match(user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  assert.match(verification_uri_complete, /\/dex\/device\?user_code=/);
  assert.equal(await poll(device_code), '400 authorization_pending');
  const done = await approve(await walk(user_code.toLowerCase().replace('-', ' ')));
  assert.equal(done.status, 200);
  assert.match(await done.text(), /Login successful for CLI/);
  const response = await identity.post('/dex/token', { grant_type: DEVICE, device_code });
  const tokens = (await response.json()) as Tokens;
  assert.equal(claimsOf(tokens.id_token)['email'], 'admin@kubeflow.org');
  assert.equal(await poll(device_code), '400 invalid_request');
});

test('devices of old poll at /device/token, which takes that grant and no other', async () => {
  const { device_code, user_code } = await askCodes();
  const at = async (form: Record<string, string>): Promise<string> => {
    const response = await identity.post('/dex/device/token', form);
    return `${response.status} ${((await response.json()) as { error?: string }).error ?? 'ok'}`;
  };
  assert.equal(await at({ grant_type: DEVICE, device_code }), '400 authorization_pending');
  for (const grant_type of ['', 'authorization_code', 'refresh_token', 'client_credentials'])
    assert.equal(await at({ grant_type, device_code, code: 'x' }), '400 invalid_grant');
  assert.equal((await identity.fetch('/dex/device/token')).status, 400);
  await approve(await walk(user_code));
  assert.equal(await at({ grant_type: DEVICE, device_code }), '200 ok');
  assert.equal(await at({ grant_type: DEVICE, device_code }), '400 invalid_request');
});

test('polling too fast is told to slow down, an expired or invented code is refused', async () => {
  const { device_code } = await askCodes();
  assert.equal(await poll(device_code), '400 authorization_pending');
  assert.equal(await poll(device_code), '400 slow_down');
  identity.now += 11_000;
  assert.equal(await poll(device_code), '400 authorization_pending');
  identity.now += 300_000;
  assert.equal(await poll(device_code), '400 expired_token');
  assert.equal(await poll('invented'), '400 invalid_request');
  assert.equal(await poll(''), '400 invalid_request');
});

test('the device proves its PKCE verifier', async () => {
  const verifier = 'v'.repeat(43);
  const { device_code } = await askCodes({ code_challenge: verifier, code_challenge_method: 'plain' });
  assert.equal(await poll(device_code), '400 invalid_grant');
  assert.equal(await poll(device_code, { code_verifier: 'w'.repeat(43) }), '400 invalid_grant');
  assert.equal(await poll(device_code, { code_verifier: verifier }), '400 authorization_pending');
});

test('only clients that prove themselves get codes, and only for scopes they may have', async () => {
  assert.equal((await ask({ client_id: 'nobody' })).status, 401);
  assert.equal((await ask({ client_id: 'app' })).status, 401);
  assert.equal((await identity.post('/dex/device/code', {}, basic('app', 's3cret'))).status, 200);
  assert.equal((await ask({ scope: 'openid root' })).status, 400);
  assert.equal((await ask({ code_challenge: 'x'.repeat(43), code_challenge_method: 'S512' })).status, 400);
  assert.equal((await identity.fetch('/dex/device/code')).status, 400);
});

test('a wrong user code is told on the page, as text', async () => {
  for (const code of ['AAAA-AAAA', '<script>', 'BCDF-GHJK', '']) {
    const response = await identity.post('/dex/device/auth/verify_code', { user_code: code });
    assert.equal(response.status, 400);
    const text = await response.text();
    assert.match(text, /Invalid or Expired User Code/);
    assert.doesNotMatch(text, /<script/);
  }
  assert.doesNotMatch(await (await identity.fetch('/dex/device?user_code=%22%3E%3Cscript%3E')).text(), /<script/);
});

test('guessing user codes has to wait', async () => {
  let status = 0;
  for (let count = 0; count < 30 && status !== 429; count += 1) {
    status = (await identity.post('/dex/device/auth/verify_code', { user_code: 'ZZZZ-ZZZZ' })).status;
  }
  assert.equal(status, 429);
  identity.now += 120_000;
});

test('a code of another client or another place never becomes the tokens of a device', async () => {
  const { device_code, user_code } = await askCodes();
  const { loginForCode } = await import('../../test/test-identity.ts');
  const code = await loginForCode(identity);
  const response = await identity.fetch(
    `/dex/device/callback?${new URLSearchParams({ code, state: user_code }).toString()}`,
  );
  assert.equal(response.status, 400);
  const other = await identity.fetch(authUrl({ client_id: 'spa', redirect_uri: '/dex/device/callback' }));
  assert.equal(other.status, 400);
  assert.equal(await poll(device_code), '400 authorization_pending');
  for (const query of ['', '?code=x', `?state=${user_code}`, '?code=x&state=nope', '?error=access_denied']) {
    assert.equal((await identity.fetch(`/dex/device/callback${query}`)).status, 400, query);
  }
});

test('a stranger who is led into a device login by a link is asked first, and no secret is in any address', async () => {
  const { user_code } = await askCodes();
  const verified = await identity.post('/dex/device/auth/verify_code', { user_code });
  assert.doesNotMatch(verified.headers.get('location') ?? '', /secret/);
  assert.equal(locationOf(verified).searchParams.get('redirect_uri'), '/dex/device/callback');
  const page = await identity.fetch(await walk(user_code));
  assert.match(await page.text(), /<strong>CLI<\/strong> would like to/);
});
