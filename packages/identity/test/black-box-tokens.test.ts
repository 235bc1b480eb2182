/** The token endpoint of a running server, asked over HTTP: lifetimes and rotation of refresh tokens, PKCE, scopes, persons that change, connectors that fail. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { startUpstreamServer } from '../../testkit/src/upstream-server.ts';
import {
  authUrl,
  basic,
  claimsOf,
  configText,
  locationOf,
  loginForCode,
  loginForTokens,
  redeem,
  startTestIdentity,
  USERS,
} from './test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from './test-identity.ts';

const SECOND = 1000;
const HOUR = 3_600_000;
const OFFLINE = { scope: 'openid email profile offline_access' };

interface Refreshed {
  readonly status: number;
  readonly body: Tokens & { readonly error_description?: string };
}

async function refresh(identity: TestIdentity, token: string, more: Record<string, string> = {}): Promise<Refreshed> {
  const form = { grant_type: 'refresh_token', refresh_token: token, ...more };
  const response = await identity.post('/dex/token', form, basic('app', 's3cret'));
  return { status: response.status, body: (await response.json()) as Refreshed['body'] };
}

async function start(t: TestContext, options: TestOptions = {}): Promise<TestIdentity> {
  const identity = await startTestIdentity(options);
  t.after(() => identity.stop());
  return identity;
}

async function withPolicy(t: TestContext, policy: string): Promise<{ identity: TestIdentity; token: string }> {
  const identity = await start(t, { config: `${USERS}expiry: {refreshTokens: {${policy}}}\n` });
  const { refresh_token: token = '' } = await loginForTokens(identity, OFFLINE);
  assert.notEqual(token, '');
  return { identity, token };
}

describe('refresh tokens', () => {
  test('without limits one works after years, once, and its predecessor never', async (t) => {
    const { identity, token } = await withPolicy(t, '');
    identity.now += 24 * 365 * HOUR;
    const next = await refresh(identity, token);
    assert.equal(next.status, 200);
    assert.equal((await refresh(identity, token)).status, 400);
    assert.equal((await refresh(identity, next.body.refresh_token ?? '')).status, 200);
  });

  test('one that was idle for too long is expired, one that is used stays', async (t) => {
    const { identity, token } = await withPolicy(t, 'validIfNotUsedFor: 24h');
    let current = token;
    for (let day = 0; day < 5; day += 1) {
      identity.now += 23 * HOUR;
      current = (await refresh(identity, current)).body.refresh_token ?? '';
    }
    identity.now += 24 * HOUR + SECOND;
    const late = await refresh(identity, current);
    assert.equal(
      `${late.status} ${late.body.error} ${late.body.error_description}`,
      '400 invalid_request Refresh token expired.',
    );
  });

  test('one ends at its absolute age though it was used', async (t) => {
    const { identity, token } = await withPolicy(t, 'absoluteLifetime: 48h');
    identity.now += 47 * HOUR;
    const { body } = await refresh(identity, token);
    identity.now += HOUR + SECOND;
    const late = await refresh(identity, body.refresh_token ?? '');
    assert.equal(late.body.error_description, 'Refresh token expired.');
  });

  test('within the reuse interval the one before gets the same successor; after it nothing', async (t) => {
    const { identity, token } = await withPolicy(t, 'reuseInterval: 30s');
    identity.now += 60 * SECOND;
    const successors = await Promise.all(Array.from({ length: 5 }, () => refresh(identity, token)));
    // Of parallel uses one rotates; the others come a moment later, within the interval.
    assert.deepEqual(
      successors.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    const first = successors[0]?.body.refresh_token ?? '';
    assert.deepEqual(new Set(successors.map(({ body }) => body.refresh_token)), new Set([first]));
    identity.now += 20 * SECOND;
    const again = await refresh(identity, token);
    assert.equal(again.status, 200);
    assert.equal(again.body.refresh_token, first);
    assert.ok(again.body.id_token);
    identity.now += 11 * SECOND;
    assert.equal((await refresh(identity, token)).status, 400);
    const next = await refresh(identity, first);
    assert.equal(next.status, 200);
    assert.notEqual(next.body.refresh_token, first);
  });

  test('without rotation the same one goes on', async (t) => {
    const { identity, token } = await withPolicy(t, 'disableRotation: true');
    for (let count = 0; count < 3; count += 1) {
      const { status, body } = await refresh(identity, token);
      assert.equal(status, 200);
      assert.equal(body.refresh_token, token);
    }
  });

  test('scopes may be fewer, with any spaces between, and never more', async (t) => {
    const { identity, token } = await withPolicy(t, 'disableRotation: true');
    const fewer = await refresh(identity, token, { scope: '  openid    email ' });
    assert.equal(claimsOf(fewer.body.id_token)['email'], 'admin@kubeflow.org');
    assert.equal(claimsOf(fewer.body.id_token)['name'], undefined);
    const more = await refresh(identity, token, { scope: 'openid groups' });
    assert.equal(`${more.status} ${more.body.error}`, '400 invalid_request');
    assert.match(more.body.error_description ?? '', /unauthorized scope\(s\): \["groups"\]/);
  });

  test('are given only for offline_access', async (t) => {
    const identity = await start(t);
    assert.equal((await loginForTokens(identity)).refresh_token, undefined);
  });

  test('are not given where the grant is off', async (t) => {
    const identity = await start(t, { oauth2: 'skipApprovalScreen: true, grantTypes: [authorization_code]' });
    assert.equal((await loginForTokens(identity, OFFLINE)).refresh_token, undefined);
    assert.equal((await refresh(identity, 'x')).body.error, 'unsupported_grant_type');
  });

  test('claims follow the person, and a person who is gone loses the token', async (t) => {
    const { identity, token } = await withPolicy(t, 'disableRotation: true');
    const change = async (users: string): Promise<void> => {
      identity.log.length = 0;
      writeFileSync(
        identity.file,
        configText({ config: `${users}expiry: {refreshTokens: {disableRotation: true}}\n` }),
      );
      while (!identity.log.some((line) => line.includes('"msg":"configuration changed"'))) await delay(10);
    };
    await change(USERS.replace('username: admin', 'username: root'));
    assert.equal(claimsOf((await refresh(identity, token)).body.id_token)['name'], 'root');
    await change(USERS.replace('Admin@Kubeflow.org', 'somebody@example.com'));
    const gone = await refresh(identity, token);
    assert.equal(`${gone.status} ${gone.body.error}`, '400 invalid_grant');
    await change(USERS);
    assert.equal((await refresh(identity, token)).status, 400);
  });
});

test('a connector that fails at a refresh is a 500 without a word about why, and the token lives on', async (t) => {
  const person = { id: 7, login: 'kim', full_name: 'Kim', email: 'kim@example.com' };
  const upstream = await startUpstreamServer({
    '/login/oauth/access_token': { body: { access_token: 'at', refresh_token: 'rt', token_type: 'bearer' } },
    '/api/v1/user': { body: person },
  });
  t.after(() => upstream.close());
  const config = `{baseURL: "${upstream.origin}", clientID: dex, clientSecret: s, redirectURI: "https://x/dex/callback"}`;
  const identity = await start(t, { config: `connectors: [{type: gitea, id: gitea, name: G, config: ${config}}]\n` });
  const out = locationOf(await identity.fetch(authUrl(OFFLINE, '/dex/auth/gitea')));
  const back = new URLSearchParams({ state: out.searchParams.get('state') ?? '', code: 'c' });
  const done = locationOf(await identity.fetch(`/dex/callback?${back.toString()}`));
  const tokens = (await (await redeem(identity, done.searchParams.get('code') ?? '')).json()) as Tokens;
  upstream.routes.set('/api/v1/user', { status: 502, body: 'secret detail of the upstream' });
  upstream.routes.set('/login/oauth/access_token', { status: 502, body: 'secret detail of the upstream' });
  const failed = await refresh(identity, tokens.refresh_token ?? '');
  assert.equal(failed.status, 500);
  assert.doesNotMatch(JSON.stringify(failed.body), /secret detail|502|gitea/);
  assert.ok(
    identity.log.some((line) => line.includes('gitea') && line.includes('502')),
    'the reason is in the log',
  );
  upstream.routes.set('/api/v1/user', { body: { ...person, full_name: 'Kim K.' } });
  upstream.routes.set('/login/oauth/access_token', { body: { access_token: 'at', refresh_token: 'rt' } });
  const next = await refresh(identity, tokens.refresh_token ?? '');
  assert.equal(claimsOf(next.body.id_token)['name'], 'Kim K.');
});

describe('PKCE', () => {
  const verifier = 'v'.repeat(64);
  const challenge = process.getBuiltinModule('node:crypto').hash('sha256', verifier, 'base64url');
  const rows: readonly (readonly [string, Record<string, string>, Record<string, string>, string])[] = [
    ['S256', { code_challenge: challenge, code_challenge_method: 'S256' }, { code_verifier: verifier }, '200'],
    ['plain', { code_challenge: verifier, code_challenge_method: 'plain' }, { code_verifier: verifier }, '200'],
    ['no method is plain', { code_challenge: verifier }, { code_verifier: verifier }, '200'],
    [
      'wrong verifier',
      { code_challenge: challenge, code_challenge_method: 'S256' },
      { code_verifier: 'w'.repeat(64) },
      '400 invalid_grant Invalid code_verifier.',
    ],
    [
      'the challenge as verifier',
      { code_challenge: challenge, code_challenge_method: 'S256' },
      { code_verifier: challenge },
      '400 invalid_grant Invalid code_verifier.',
    ],
    [
      'verifier missing',
      { code_challenge: challenge, code_challenge_method: 'S256' },
      {},
      '400 invalid_grant Expecting parameter code_verifier in PKCE flow.',
    ],
    [
      'no challenge: downgrade',
      {},
      { code_verifier: verifier },
      '400 invalid_request No PKCE flow started. Cannot check code_verifier.',
    ],
  ];
  for (const [name, ask, prove, expected] of rows) {
    test(name, async (t) => {
      const identity = await start(t);
      const response = await redeem(identity, await loginForCode(identity, ask), prove);
      const body = (await response.json()) as { error?: string; error_description?: string };
      const outcome = [response.status, body.error, body.error_description].filter((part) => part !== undefined);
      assert.equal(outcome.join(' '), expected);
    });
  }
});
