import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import { basic, claimsOf, loginForCode, loginForTokens, redeem, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

const APP = basic('app', 's3cret');
const VERIFIER = 'v'.repeat(50);
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

async function outcome(response: Response): Promise<string> {
  const { error } = (await response.json()) as { error?: string };
  return `${response.status} ${error ?? 'ok'}`;
}

async function refresh(token: string, more: Record<string, string> = {}, headers = APP): Promise<Response> {
  return await identity.post('/dex/token', { grant_type: 'refresh_token', refresh_token: token, ...more }, headers);
}

async function refreshToken(scope = 'openid email offline_access'): Promise<string> {
  return (await loginForTokens(identity, { scope })).refresh_token ?? '';
}

test('of 50 parallel redemptions of a code exactly one wins', async () => {
  const code = await loginForCode(identity);
  const outcomes = await Promise.all(Array.from({ length: 50 }, async () => outcome(await redeem(identity, code))));
  assert.equal(outcomes.filter((text) => text === '200 ok').length, 1);
  assert.equal(outcomes.filter((text) => text === '400 invalid_grant').length, 49);
});

test('a code of one client is worth nothing to another, and is spent by the attempt', async () => {
  const code = await loginForCode(identity);
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc' };
  assert.equal(await outcome(await identity.post('/dex/token', form, basic('other', 'o:th er%'))), '400 invalid_grant');
  assert.equal(await outcome(await redeem(identity, code)), '400 invalid_grant');
});

test('a code needs the same redirect URI and is good for half an hour', async () => {
  assert.equal(
    await outcome(await redeem(identity, await loginForCode(identity), { redirect_uri: '/x' })),
    '400 invalid_request',
  );
  const code = await loginForCode(identity);
  identity.now += 1_800_000;
  assert.equal(await outcome(await redeem(identity, code)), '400 invalid_grant');
});

test('PKCE: the verifier must be the right one, there when promised and absent when not', async () => {
  const start = { code_challenge: CHALLENGE, code_challenge_method: 'S256' };
  const cases: readonly (readonly [Record<string, string>, Record<string, string>, string])[] = [
    [start, { code_verifier: VERIFIER }, '200 ok'],
    [start, { code_verifier: 'w'.repeat(50) }, '400 invalid_grant'],
    [start, { code_verifier: CHALLENGE }, '400 invalid_grant'],
    [start, {}, '400 invalid_grant'],
    [{}, { code_verifier: VERIFIER }, '400 invalid_request'],
    [{ code_challenge: VERIFIER }, { code_verifier: VERIFIER }, '200 ok'],
    [{ code_challenge: VERIFIER, code_challenge_method: 'plain' }, { code_verifier: VERIFIER }, '200 ok'],
  ];
  for (const [asked, given, expected] of cases) {
    const code = await loginForCode(identity, asked);
    assert.equal(await outcome(await redeem(identity, code, given)), expected, JSON.stringify([asked, given]));
  }
});

test('client authentication: wrong, missing, unknown and doubled credentials look alike or are refused', async () => {
  const form = { grant_type: 'authorization_code', code: 'x' };
  const post = (more: object, headers: Record<string, string> = {}): Promise<Response> =>
    identity.post('/dex/token', { ...form, ...more }, headers);
  for (const response of [
    await post({}, basic('app', 'wrong')),
    await post({}, basic('nobody', 's3cret')),
    await post({ client_id: 'app' }),
    await post({ client_id: 'app', client_secret: '' }),
    await post({}),
    await post({ client_id: 'cli', client_secret: 'x' }),
    await post({}, { authorization: 'Basic !!!' }),
    await post({}, { authorization: `Basic ${Buffer.from('nocolon').toString('base64')}` }),
    await post({}, { authorization: `Basic ${Buffer.from('app:%zz').toString('base64')}` }),
  ]) {
    assert.equal(response.headers.get('www-authenticate'), null);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(await outcome(response), '401 invalid_client');
  }
  assert.equal(await outcome(await post({ client_secret: 's3cret' }, APP)), '400 invalid_request');
  assert.equal(await outcome(await post({ client_id: 'app', client_secret: 's3cret' })), '400 invalid_grant');
  assert.equal(await outcome(await post({}, basic('other', 'o:th er%'))), '400 invalid_grant');
  assert.equal(await outcome(await post({ client_id: 'cli' })), '400 invalid_grant');
});

test('requests that are no token requests are refused as JSON', async () => {
  assert.equal(await outcome(await identity.fetch('/dex/token')), '400 invalid_request');
  assert.equal(
    await outcome(await identity.post('/dex/token', { grant_type: 'toString' }, APP)),
    '400 unsupported_grant_type',
  );
  assert.equal(await outcome(await identity.post('/dex/token', {}, APP)), '400 unsupported_grant_type');
  const json = await identity.fetch('/dex/token', {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  assert.equal(await outcome(json), '400 invalid_request');
  const twice = new URLSearchParams('grant_type=authorization_code&code=a&code=b');
  assert.equal(
    await outcome(await identity.fetch('/dex/token', { method: 'POST', body: twice, headers: APP })),
    '400 invalid_request',
  );
  assert.equal(
    await outcome(await identity.post('/dex/token', { grant_type: 'x', pad: 'x'.repeat(70_000) }, APP)),
    '413 invalid_request',
  );
});

test('a refresh token is used once: of 50 parallel uses exactly one wins and none ends in a failure', async () => {
  const token = await refreshToken();
  const outcomes = await Promise.all(Array.from({ length: 50 }, async () => outcome(await refresh(token))));
  assert.equal(outcomes.filter((text) => text === '200 ok').length, 1);
  assert.equal(outcomes.filter((text) => text === '400 invalid_request').length, 49);
});

test('refreshing gives new tokens for the same person, and a successor that works', async () => {
  const answer = (await (await refresh(await refreshToken())).json()) as Tokens;
  assert.equal(claimsOf(answer.id_token)['email'], 'admin@kubeflow.org');
  assert.equal(await outcome(await refresh(answer.refresh_token ?? '')), '200 ok');
});

test('a refresh token is bound to its client and its scopes', async () => {
  const token = await refreshToken();
  assert.equal(await outcome(await refresh(token, {}, basic('other', 'o:th er%'))), '400 invalid_grant');
  assert.equal(await outcome(await refresh(token, { scope: 'openid groups' })), '400 invalid_request');
  const narrowed = (await (await refresh(token, { scope: ' openid   ' })).json()) as Tokens;
  assert.equal('email' in claimsOf(narrowed.id_token), false);
  const whole = (await (await refresh(narrowed.refresh_token ?? '')).json()) as Tokens;
  assert.equal(claimsOf(whole.id_token)['email'], 'admin@kubeflow.org');
});

test('invented refresh tokens of any shape are refused', async () => {
  for (const token of [
    '',
    'x',
    '../x',
    'a'.repeat(5000),
    Buffer.from([0x0a, 0x03, 0x2e, 0x2e, 0x2f]).toString('base64url'),
    '\0',
    'é',
  ]) {
    assert.equal(await outcome(await refresh(token)), '400 invalid_request', token.slice(0, 10));
  }
});

test('several devices of one person stay logged in, the eleventh ends the first', async () => {
  const tokens: string[] = [];
  for (let count = 0; count < 11; count += 1) {
    identity.now += 1000;
    tokens.push(await refreshToken());
  }
  const outcomes = await Promise.all(tokens.map(async (token) => outcome(await refresh(token))));
  assert.equal(outcomes[0], '400 invalid_request');
  assert.deepEqual(new Set(outcomes.slice(1)), new Set(['200 ok']));
});
