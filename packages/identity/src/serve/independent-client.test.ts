import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { CookieBrowser } from '../../test/cookie-browser.ts';
import { ISSUER, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

const REDIRECT = 'https://app.example.com/plain';

const GRANTS = 'authorization_code, refresh_token, client_credentials, "urn:ietf:params:oauth:grant-type:device_code"';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity({ oauth2: `skipApprovalScreen: true, grantTypes: [${GRANTS}]` });
});
after(() => identity.stop());

/** openid-client against the issuer's own name, with the connection led to the port under test. */
async function discover(at: TestIdentity = identity): Promise<client.Configuration> {
  const lead = (url: string, options: RequestInit): Promise<Response> =>
    fetch(url.replace(new URL(ISSUER).origin, at.origin), options);
  return await client.discovery(new URL(ISSUER), 'app', 's3cret', client.ClientSecretBasic('s3cret'), {
    [client.customFetch]: lead as client.CustomFetch,
    execute: [client.allowInsecureRequests],
  });
}

async function logIn(url: URL): Promise<URL> {
  const first = await identity.fetch(url.pathname + url.search);
  const second = await identity.fetch(first.headers.get('location') ?? '');
  const page = second.headers.get('location') ?? '';
  const done = await identity.post(page, { login: 'zoe@example.com', password: 'password' });
  return new URL(done.headers.get('location') ?? '');
}

test('openid-client passes code with PKCE, userinfo and refresh', async () => {
  const config = await discover();
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedNonce = client.randomNonce();
  const expectedState = client.randomState();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT,
    scope: 'openid profile email offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    nonce: expectedNonce,
    state: expectedState,
  });
  const checks = { pkceCodeVerifier, expectedNonce, expectedState };
  const tokens = await client.authorizationCodeGrant(config, await logIn(url), checks);
  const claims = tokens.claims();
  assert.equal(claims?.['name'], 'Zoë');
  assert.equal(claims?.['preferred_username'], 'zo');
  const info = await client.fetchUserInfo(config, tokens.access_token, claims?.sub ?? '');
  assert.equal(info.email, 'zoe@example.com');
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  assert.equal(refreshed.claims()?.sub, claims?.sub);
});

test('openid-client passes client credentials and introspection', async () => {
  const config = await discover();
  const tokens = await client.clientCredentialsGrant(config, { scope: 'openid' });
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true);
});

test('openid-client passes revocation: a refresh token that was given up is worth nothing', async () => {
  const config = await discover();
  const state = client.randomState();
  const scope = 'openid offline_access';
  const url = client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT, scope, state });
  const tokens = await client.authorizationCodeGrant(config, await logIn(url), { expectedState: state });
  const refreshToken = tokens.refresh_token ?? '';
  assert.equal((await client.tokenIntrospection(config, refreshToken)).active, true);
  await client.tokenRevocation(config, refreshToken);
  await assert.rejects(client.refreshTokenGrant(config, refreshToken), { error: 'invalid_request' });
  await client.tokenRevocation(config, 'a token that is not there');
});

test('openid-client passes logout: the session ends and the browser is sent back', async (t) => {
  const withSessions = await startTestIdentity({ more: 'sessions: {}\n' });
  t.after(() => withSessions.stop());
  const config = await discover(withSessions);
  const browser = new CookieBrowser(withSessions);
  const state = client.randomState();
  const url = client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT, scope: 'openid', state });
  const done = await browser.logIn(Object.fromEntries(url.searchParams));
  const answer = new URL(done.headers.get('location') ?? '');
  const tokens = await client.authorizationCodeGrant(config, answer, { expectedState: state });
  assert.ok(await browser.isKnown());
  const target = { id_token_hint: tokens.id_token ?? '', post_logout_redirect_uri: '/bye', state: 's' };
  const out = client.buildEndSessionUrl(config, target);
  const response = await browser.open(out.pathname + out.search);
  assert.equal(response.headers.get('location'), '/bye?state=s');
  assert.equal(await browser.isKnown(), false);
});

test('openid-client passes the device flow', async () => {
  const config = await discover();
  const device = await client.initiateDeviceAuthorization(config, { scope: 'openid email' });
  const polling = client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.05 });
  const verified = await identity.post('/dex/device/auth/verify_code', { user_code: device.user_code });
  const chosen = await identity.fetch(verified.headers.get('location') ?? '');
  const page = await identity.fetch(chosen.headers.get('location') ?? '');
  const form = { login: 'zoe@example.com', password: 'password' };
  const approval = (await identity.post(page.headers.get('location') ?? '', form)).headers.get('location') ?? '';
  const req = new URL(approval, 'http://x').searchParams.get('req') ?? '';
  identity.now += 60_000;
  const done = await identity.post(approval, { req, approval: 'approve' });
  assert.equal((await identity.fetch(done.headers.get('location') ?? '')).status, 200);
  assert.equal((await polling).claims()?.['email'], 'zoe@example.com');
});
