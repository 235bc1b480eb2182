/** The browser's side of the device flow, with codes that are old, wrong, used or of somewhere else: nobody's device gets anything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { authUrl, locationOf, startTestIdentity } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';

interface Codes {
  readonly device_code: string;
  readonly user_code: string;
}

async function start(t: TestContext): Promise<TestIdentity> {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  return identity;
}

async function askCodes(identity: TestIdentity): Promise<Codes> {
  const response = await identity.post('/dex/device/code', { client_id: 'cli', scope: 'openid' });
  return (await response.json()) as Codes;
}

async function poll(identity: TestIdentity, { device_code }: Codes): Promise<string> {
  const response = await identity.post('/dex/token', { grant_type: DEVICE, device_code, client_id: 'cli' });
  return `${response.status} ${((await response.json()) as { error?: string }).error ?? 'ok'}`;
}

/** A code of the device flow for the person who logged in: what the browser would bring to the callback. */
async function logIn(identity: TestIdentity, state: string): Promise<string> {
  const place = { client_id: 'cli', redirect_uri: '/dex/device/callback', scope: 'openid', state };
  const page = locationOf(await identity.fetch(authUrl(place)));
  const form = { login: 'zoe@example.com', password: 'password' };
  const approval = locationOf(await identity.post(page.pathname + page.search, form));
  const answer = { req: approval.searchParams.get('req') ?? '', approval: 'approve' };
  const done = locationOf(await identity.post(approval.pathname + approval.search, answer));
  assert.equal(done.pathname, '/dex/device/callback');
  return done.searchParams.get('code') ?? '';
}

const callback = (identity: TestIdentity, query: Record<string, string>): Promise<Response> =>
  identity.fetch(`/dex/device/callback?${new URLSearchParams(query).toString()}`);

async function refused(response: Response, words: RegExp): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, 400, text);
  assert.match(text, words);
  assert.equal(response.headers.get('location'), null);
}

test('a user code that has expired, or that nobody was given, is told on the page', async (t) => {
  const identity = await start(t);
  const codes = await askCodes(identity);
  const enter = (user_code: string): Promise<Response> => identity.post('/dex/device/auth/verify_code', { user_code });
  assert.equal((await enter(codes.user_code)).status, 302);
  identity.now += 300_000;
  await refused(await enter(codes.user_code), /Invalid or Expired User Code/);
  await refused(await enter('BCDF-GHJK'), /Invalid or Expired User Code/);
});

test('the callback wants a code that is known and a request that is open', async (t) => {
  const identity = await start(t);
  const codes = await askCodes(identity);
  const state = codes.user_code;
  await refused(await callback(identity, { state }), /User session error/);
  await refused(await callback(identity, { code: 'x' }), /User session error/);
  await refused(await callback(identity, { state, code: 'invented' }), /Invalid or expired auth code/);
  const code = await logIn(identity, state);
  await refused(await callback(identity, { state: 'BCDF-GHJK', code }), /Invalid or expired user code/);
  assert.equal((await callback(identity, { state, code })).status, 200);
  identity.now += 10_000;
  assert.equal(await poll(identity, codes), '200 ok');
});

test('a request that has expired takes no code, and its device no tokens', async (t) => {
  const identity = await start(t);
  const codes = await askCodes(identity);
  const code = await logIn(identity, codes.user_code);
  identity.now += 300_000;
  await refused(await callback(identity, { state: codes.user_code, code }), /Invalid or expired user code/);
  assert.equal(await poll(identity, codes), '400 expired_token');
});

test('a code that has expired is worth nothing for a request that is open', async (t) => {
  const identity = await start(t);
  const code = await logIn(identity, 'x');
  identity.now += 1_800_000;
  const codes = await askCodes(identity);
  await refused(await callback(identity, { state: codes.user_code, code }), /Invalid or expired auth code/);
  assert.equal(await poll(identity, codes), '400 authorization_pending');
});

test('a code of the same client for another place, and one used before, are worth nothing', async (t) => {
  const identity = await start(t);
  const [first, second] = [await askCodes(identity), await askCodes(identity)];
  const place = { client_id: 'cli', redirect_uri: 'http://localhost:7/x', scope: 'openid' };
  const page = locationOf(await identity.fetch(authUrl(place)));
  const form = { login: 'zoe@example.com', password: 'password' };
  const elsewhere = locationOf(await identity.post(page.pathname + page.search, form)).searchParams.get('code') ?? '';
  // The address cannot say that it was meant for here.
  const spoofed = { state: first.user_code, code: elsewhere, redirect_uri: '/dex/device/callback', client_id: 'cli' };
  await refused(await callback(identity, spoofed), /Invalid or expired auth code/);
  const code = await logIn(identity, first.user_code);
  assert.equal((await callback(identity, { state: first.user_code, code })).status, 200);
  await refused(await callback(identity, { state: first.user_code, code }), /Invalid or expired user code/);
  await refused(await callback(identity, { state: second.user_code, code }), /Invalid or expired auth code/);
  identity.now += 10_000;
  assert.equal(await poll(identity, second), '400 authorization_pending');
});

test('of 50 callbacks with one code at the same time one succeeds', async (t) => {
  const identity = await start(t);
  const codes = await askCodes(identity);
  const code = await logIn(identity, codes.user_code);
  const asked = Array.from({ length: 50 }, async () => {
    const response = await callback(identity, { state: codes.user_code, code });
    await response.arrayBuffer();
    return response.status;
  });
  assert.deepEqual(
    (await Promise.all(asked)).toSorted((left, right) => left - right),
    [200, ...Array.from({ length: 49 }, () => 400)],
  );
});

test('what the upstream says of an error stays off the page', async (t) => {
  const identity = await start(t);
  const codes = await askCodes(identity);
  const error = '<script>alert(1)</script>';
  const response = await callback(identity, { state: codes.user_code, error, error_description: error });
  const text = await response.clone().text();
  await refused(response, /The login was refused/);
  assert.doesNotMatch(text, /script>alert/);
});
