/** An upstream that lies, or somebody in between: whatever the ID token or userinfo says, nobody is logged in by it. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { signJwt } from '@kfctl/oidc';
import { startUpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import type { UpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import { authUrl, basic, locationOf, startTestIdentity } from '../../../test/test-identity.ts';
import type { TestIdentity } from '../../../test/test-identity.ts';

const { createHmac, generateKeyPairSync } = process.getBuiltinModule('node:crypto');
const KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const FOREIGN = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SIGNING = { kid: 'up', alg: 'ES256', key: KEY.privateKey } as const;

let upstream: UpstreamServer;
let identity: TestIdentity;
before(async () => {
  upstream = await startUpstreamServer();
  const { origin } = upstream;
  upstream.routes.set('/.well-known/openid-configuration', {
    body: {
      issuer: origin,
      authorization_endpoint: `${origin}/auth`,
      token_endpoint: `${origin}/token`,
      userinfo_endpoint: `${origin}/userinfo`,
      jwks_uri: `${origin}/keys`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    },
  });
  const jwk = { ...KEY.publicKey.export({ format: 'jwk' }), kid: 'up', alg: 'ES256', use: 'sig' };
  upstream.routes.set('/keys', { body: { keys: [jwk] } });
  const config = `{issuer: "${origin}", clientID: dex, clientSecret: upstream-secret, redirectURI: "https://x/dex/callback", getUserInfo: true}`;
  identity = await startTestIdentity({ config: `connectors:\n- {type: oidc, id: up, name: Up, config: ${config}}\n` });
});
after(async () => {
  await identity.stop();
  await upstream.close();
});

interface Lies {
  readonly claims?: object;
  sign?(claims: object): string;
  readonly userinfo?: object;
}

const PERSON = { sub: 'kim', email: 'kim@example.com', email_verified: true, name: 'Kim' };

/** Logs in once while the upstream answers so; gives the status that the browser gets. */
async function logIn({ claims, sign = (all) => signJwt(all, SIGNING), userinfo = PERSON }: Lies): Promise<number> {
  const out = locationOf(await identity.fetch(authUrl({ scope: 'openid profile email' }, '/dex/auth/up')));
  const [state, nonce] = [out.searchParams.get('state') ?? '', out.searchParams.get('nonce') ?? ''];
  const now = Math.floor(Date.now() / 1000);
  const usual = { ...PERSON, iss: upstream.origin, aud: 'dex', iat: now, exp: now + 300, nonce };
  const tokens = { access_token: 'at', token_type: 'bearer', id_token: sign({ ...usual, ...claims }) };
  upstream.routes.set('/token', { body: tokens });
  upstream.routes.set('/userinfo', { body: userinfo });
  return (await identity.fetch(`/dex/callback?${new URLSearchParams({ state, code: 'c' }).toString()}`)).status;
}

const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('an honest upstream logs in', async () => {
  assert.equal(await logIn({}), 303);
});

test('userinfo about another person is refused', async () => {
  assert.equal(await logIn({ userinfo: { ...PERSON, sub: 'admin' } }), 500);
  assert.equal(await logIn({ userinfo: { email: 'admin@example.com', email_verified: true } }), 500);
});

test('ID tokens that the upstream did not sign are refused', async () => {
  for (const sign of [
    (claims: object) => `${b64({ alg: 'none' })}.${b64(claims)}.`,
    (claims: object) => signJwt(claims, { ...SIGNING, key: FOREIGN.privateKey }),
    (claims: object) => {
      const input = `${b64({ alg: 'HS256', kid: 'up' })}.${b64(claims)}`;
      return `${input}.${createHmac('sha256', 'upstream-secret').update(input).digest('base64url')}`;
    },
    (claims: object) => `${signJwt(claims, SIGNING).slice(0, -4)}AAAA`,
    () => 'garbage',
  ]) {
    assert.equal(await logIn({ sign }), 500);
  }
});

test('ID tokens for another client, from another issuer, of another login, or too old are refused', async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const claims of [
    { aud: 'somebody-else' },
    { aud: ['dex', 'somebody-else'], azp: 'somebody-else' },
    { iss: 'https://evil.example' },
    { nonce: 'of-another-login' },
    { nonce: undefined },
    { exp: now - 3600 },
    { sub: undefined },
  ]) {
    assert.equal(await logIn({ claims }), 500, JSON.stringify(claims));
  }
});

test('keys that cannot be had log nobody in', async () => {
  const keys = upstream.routes.get('/keys');
  assert.ok(keys);
  upstream.routes.set('/keys', { body: { keys: [] } });
  const fresh = (claims: object): string => signJwt(claims, { ...SIGNING, kid: 'not-seen-before' });
  assert.equal(await logIn({ sign: fresh }), 500);
  upstream.routes.set('/keys', keys);
});

const KIND = 'urn:ietf:params:oauth:token-type:';

async function exchange(token: string, more: Record<string, string> = {}): Promise<string> {
  const form = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: `${KIND}id_token`,
    connector_id: 'up',
    scope: 'openid email',
    ...more,
  };
  const response = await identity.post('/dex/token', form, basic('app', 's3cret'));
  const { error = 'ok' } = (await response.json()) as { error?: string };
  return `${response.status} ${error}`;
}

test('token exchange takes tokens of the upstream for us, and no others', async () => {
  const now = Math.floor(Date.now() / 1000);
  const good = { ...PERSON, iss: upstream.origin, aud: 'dex', iat: now, exp: now + 300 };
  upstream.routes.set('/userinfo', { body: PERSON });
  assert.equal(await exchange(signJwt(good, SIGNING)), '200 ok');
  assert.equal(await exchange(signJwt(good, SIGNING), { requested_token_type: `${KIND}id_token` }), '200 ok');
  assert.equal(await exchange('opaque', { subject_token_type: `${KIND}access_token` }), '200 ok');
  for (const token of [
    `${b64({ alg: 'none' })}.${b64(good)}.`,
    signJwt(good, { ...SIGNING, key: FOREIGN.privateKey }),
    signJwt({ ...good, aud: 'somebody-else' }, SIGNING),
    signJwt({ ...good, iss: 'https://evil.example' }, SIGNING),
    signJwt({ ...good, exp: now - 3600 }, SIGNING),
    'garbage',
  ]) {
    assert.equal(await exchange(token), '401 access_denied');
  }
  upstream.routes.set('/userinfo', { status: 401, body: { error: 'invalid_token' } });
  assert.equal(await exchange('opaque', { subject_token_type: `${KIND}access_token` }), '401 access_denied');
  for (const [name, value] of [
    ['subject_token', ''],
    ['connector_id', ''],
    ['connector_id', 'nope'],
  ] as const) {
    assert.equal(await exchange(signJwt(good, SIGNING), { [name]: value }), '400 invalid_request', name);
  }
  for (const name of ['subject_token_type', 'requested_token_type']) {
    assert.equal(await exchange(signJwt(good, SIGNING), { [name]: `${KIND}saml2` }), '400 request_not_supported', name);
  }
  assert.equal(await exchange(signJwt(good, SIGNING), { scope: 'openid root' }), '400 invalid_scope');
});
