/** What a browser meets at a running server, asked over HTTP: routes, discovery, keys, choices, approval, response types, callbacks, headers. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  authUrl,
  claimsOf,
  ISSUER,
  locationOf,
  login,
  openLogin,
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

const halfHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');

const CONNECTORS = `${USERS}connectors:
- {type: mockCallback, id: zed, name: Zed}
- {type: mockPassword, id: mock, name: "<i>Mock", config: {username: u, password: p}}
- {type: authproxy, id: proxy, name: Proxy}
`;

describe('routes', () => {
  test('exist below the issuer path to the letter and nowhere else', async (t) => {
    const identity = await start(t);
    const statuses: readonly (readonly [string, string, number])[] = [
      ['GET', '/dex', 200],
      ['GET', '/dex/.well-known/openid-configuration', 200],
      ['GET', '/dex/keys', 200],
      ['GET', '/dex/healthz', 200],
      ['GET', '/dex/device', 200],
      ['GET', '/dex/robots.txt', 200],
      ['HEAD', '/dex/keys', 200],
      ['GET', '/dex/', 404],
      ['GET', '/', 404],
      ['GET', '/keys', 404],
      ['GET', '/dex/keys/', 404],
      ['GET', '/dex//keys', 404],
      ['GET', '/dex/%6beys', 404],
      ['GET', '/dex/../dex/keys?', 200],
      ['GET', '/dex/Keys', 404],
      ['GET', '/dex/token', 400],
      ['PUT', '/dex/token', 400],
      ['GET', '/dex/token/introspect', 400],
      ['GET', '/dex/device/code', 400],
      ['GET', '/dex/userinfo', 401],
      ['GET', '/dex/auth', 400],
      ['GET', '/dex/auth/local', 404],
      ['GET', '/dex/auth/local/login', 400],
      ['GET', '/dex/approval', 401],
      ['GET', '/dex/callback', 400],
      ['POST', '/dex/callback', 400],
      ['DELETE', '/dex/callback', 400],
      ['GET', '/dex/callback/local', 400],
    ];
    for (const [method, path, status] of statuses) {
      const response = await identity.fetch(path, { method });
      await response.arrayBuffer();
      assert.equal(response.status, status, `${method} ${path}`);
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(response.headers.get('set-cookie'), null, path);
    }
  });

  test('configured headers replace ours; scripts of configured origins may read what is theirs', async (t) => {
    const web =
      ', headers: {X-Frame-Options: SAMEORIGIN, Strict-Transport-Security: max-age=1}, allowedOrigins: ["https://a.example"]';
    const identity = await start(t, { web });
    const headers = { origin: 'https://a.example' };
    const keys = await identity.fetch('/dex/keys', { headers });
    assert.equal(keys.headers.get('x-frame-options'), 'SAMEORIGIN');
    assert.equal(keys.headers.get('strict-transport-security'), 'max-age=1');
    assert.equal(keys.headers.get('access-control-allow-origin'), 'https://a.example');
    assert.equal(keys.headers.get('access-control-allow-credentials'), null);
    const foreign = await identity.fetch('/dex/keys', { headers: { origin: 'https://b.example' } });
    assert.equal(foreign.headers.get('access-control-allow-origin'), null);
    const page = await identity.fetch(authUrl(), { headers });
    assert.equal(page.headers.get('access-control-allow-origin'), null);
    const preflight = await identity.fetch('/dex/token', { method: 'OPTIONS', headers });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /authorization/i);
  });
});

test('discovery names every endpoint by the issuer; what is off is not named', async (t) => {
  const identity = await start(t, { oauth2: 'skipApprovalScreen: true, responseTypes: [code, token, id_token]' });
  const response = await identity.fetch('/dex/.well-known/openid-configuration', { headers: { host: 'evil.example' } });
  const document = (await response.json()) as Record<string, unknown>;
  const endpoints: readonly (readonly [string, string])[] = [
    ['authorization_endpoint', '/auth'],
    ['token_endpoint', '/token'],
    ['jwks_uri', '/keys'],
    ['userinfo_endpoint', '/userinfo'],
    ['device_authorization_endpoint', '/device/code'],
    ['introspection_endpoint', '/token/introspect'],
    ['revocation_endpoint', '/token/revoke'],
    ['end_session_endpoint', '/logout'],
  ];
  for (const [key, path] of endpoints) assert.equal(document[key], ISSUER + path, key);
  assert.equal(document['issuer'], ISSUER);
  assert.deepEqual(document['subject_types_supported'], ['public']);
  assert.deepEqual(document['id_token_signing_alg_values_supported'], ['ES256']);
  const grants = document['grant_types_supported'] as string[];
  assert.deepEqual(grants, grants.toSorted());
  assert.ok(grants.includes('implicit') && !grants.includes('password') && !grants.includes('client_credentials'));
  const plain = await start(t);
  const other = (await (await plain.fetch('/dex/.well-known/openid-configuration')).json()) as Record<string, string[]>;
  assert.deepEqual(other['response_types_supported'], ['code']);
  assert.equal(other['grant_types_supported']?.includes('implicit'), false);
});

test('keys may be cached for ten minutes and have ids of 40 hex digits', async (t) => {
  const identity = await start(t);
  const response = await identity.fetch('/dex/keys');
  assert.equal(response.headers.get('cache-control'), 'max-age=600, must-revalidate');
  const { keys } = (await response.json()) as { keys: Record<string, string>[] };
  for (const key of keys) assert.match(key['kid'] ?? '', /^[0-9a-f]{40}$/);
});

describe('the choice of connectors', () => {
  test('lists them by name, as text, with every parameter in each link', async (t) => {
    const identity = await start(t, { config: CONNECTORS });
    const page = await identity.fetch(authUrl({}, '/dex/auth'));
    assert.equal(page.status, 200);
    const text = await page.text();
    const links = [...text.matchAll(/href="(\/dex\/auth\/[^"]+)"/g)].map(([, href]) =>
      (href ?? '').replaceAll('&amp;', '&'),
    );
    assert.deepEqual(
      links.map((href) => new URL(href, 'http://x').pathname),
      ['/dex/auth/mock', '/dex/auth/local', '/dex/auth/proxy', '/dex/auth/zed'],
    );
    for (const href of links) assert.equal(new URL(href, 'http://x').searchParams.get('state'), 'st&te=1');
    assert.doesNotMatch(text, /<i>Mock/);
    assert.equal((await identity.fetch(links[1] ?? '')).status, 302);
  });

  test('connector_id passes it by; one that is unknown is a page', async (t) => {
    const identity = await start(t, { config: CONNECTORS });
    const named = await identity.fetch(authUrl({ connector_id: 'zed' }, '/dex/auth'));
    assert.equal(named.status, 302);
    assert.equal(locationOf(named).pathname, '/dex/auth/zed');
    const unknown = await identity.fetch(authUrl({ connector_id: 'nope' }, '/dex/auth'));
    assert.equal(unknown.status, 400);
    assert.match(await unknown.text(), /Connector ID does not match a valid Connector/);
  });

  test('is shown for a single connector too where that is configured', async (t) => {
    const identity = await start(t, { oauth2: 'skipApprovalScreen: true, alwaysShowLoginScreen: true' });
    assert.equal((await identity.fetch(authUrl({}, '/dex/auth'))).status, 200);
  });

  test('a connector that cannot be opened is a page, and the others work', async (t) => {
    const broken =
      '{type: ldap, id: ldap, name: L, config: {host: "x:1", insecureNoSSL: false, rootCA: /nonexistent, userSearch: {baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}}}';
    const identity = await start(t, { config: `${USERS}connectors: [${broken}]\n` });
    const page = await identity.fetch(authUrl({}, '/dex/auth/ldap'));
    assert.equal(page.status, 400);
    const text = await page.text();
    assert.match(text, /Connector failed to initialize\./);
    assert.doesNotMatch(text, /nonexistent/);
    assert.equal((await login(identity)).status, 303);
  });
});

test('approval_prompt=force asks though approval is skipped; prompt=consent too', async (t) => {
  const identity = await start(t);
  for (const ask of [{ approval_prompt: 'force' }, { prompt: 'consent' }]) {
    assert.equal(locationOf(await login(identity, ask)).pathname, '/dex/approval');
  }
  for (const ask of [
    { prompt: 'none' },
    { prompt: 'login' },
    { max_age: '0' },
    { display: 'page' },
    { unknown: 'x' },
  ]) {
    assert.equal(locationOf(await login(identity, ask)).pathname, '/login/oidc', JSON.stringify(ask));
  }
});

describe('response types', () => {
  const oauth2 = 'skipApprovalScreen: true, responseTypes: [code, token, id_token]';
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['code', ['code', 'state']],
    ['id_token', ['access_token', 'expires_in', 'id_token', 'state', 'token_type']],
    ['id_token token', ['access_token', 'expires_in', 'id_token', 'state', 'token_type']],
    ['code id_token', ['access_token', 'code', 'id_token', 'state', 'token_type']],
    ['code token', ['access_token', 'code', 'state', 'token_type']],
    ['code id_token token', ['access_token', 'code', 'id_token', 'state', 'token_type']],
  ];
  for (const [type, names] of rows) {
    test(`${type} answers with ${names.join(', ')}`, async (t) => {
      const identity = await start(t, { oauth2 });
      const { hash: fragment, search } = locationOf(await login(identity, { response_type: type, nonce: 'n-1' }));
      assert.equal(type === 'code', fragment === '');
      const answer = new URLSearchParams(type === 'code' ? search : fragment.slice(1));
      assert.deepEqual([...answer.keys()].toSorted(), names);
      assert.equal(answer.get('state'), 'st&te=1');
      const [code, idToken, accessToken] = ['code', 'id_token', 'access_token'].map((name) => answer.get(name));
      if (typeof idToken === 'string') {
        const claims = claimsOf(idToken);
        assert.equal(claims['nonce'], 'n-1');
        assert.equal(claims['at_hash'], halfHash(accessToken ?? ''));
        assert.equal(claims['c_hash'], typeof code === 'string' ? halfHash(code) : undefined);
      }
      if (typeof code === 'string') assert.equal((await redeem(identity, code)).status, 200);
    });
  }

  test('refused: token alone, no nonce without a code', async (t) => {
    const identity = await start(t, { oauth2 });
    for (const ask of [
      { response_type: 'token', nonce: 'n' },
      { response_type: 'id_token' },
      { response_type: 'id_token token' },
    ]) {
      const response = await identity.fetch(authUrl(ask));
      assert.equal(locationOf(response).searchParams.get('error'), 'invalid_request', JSON.stringify(ask));
    }
  });

  test('a code for copying is shown on a page, and redeems', async (t) => {
    const identity = await start(t);
    const oob = { client_id: 'cli', redirect_uri: 'urn:ietf:wg:oauth:2.0:oob' };
    const page = await login(identity, oob);
    assert.equal(page.status, 200);
    const text = await page.text();
    const code = /value="([\w-]{43})"|>([\w-]{43})</.exec(text);
    const form = {
      grant_type: 'authorization_code',
      code: code?.[1] ?? code?.[2] ?? '',
      redirect_uri: oob.redirect_uri,
      client_id: 'cli',
    };
    const answer = (await (await identity.post('/dex/token', form)).json()) as Tokens;
    assert.equal(claimsOf(answer.id_token)['aud'], 'cli');
  });
});

test('callbacks of the wrong kind, connector or method are pages', async (t) => {
  const identity = await start(t, { config: CONNECTORS });
  const out = locationOf(await identity.fetch(authUrl({}, '/dex/auth/zed')));
  assert.equal(out.pathname, '/dex/callback');
  const loginPage = new URL(await openLogin(identity), 'http://x');
  const rows: readonly (readonly [string, string, number])[] = [
    ['GET', '/dex/callback', 400],
    ['GET', '/dex/callback?state=nope', 400],
    ['GET', `/dex/callback/proxy${out.search}`, 400],
    ['GET', `/dex/callback/local${out.search}`, 400],
    ['GET', `/dex/callback?state=${loginPage.searchParams.get('state') ?? ''}`, 400],
    ['POST', `/dex/callback${out.search}`, 400],
    ['PUT', `/dex/callback${out.search}`, 400],
    ['GET', `/dex/callback${out.search}`, 303],
  ];
  for (const [method, path, status] of rows) {
    assert.equal((await identity.fetch(path, { method })).status, status, `${method} ${path.slice(0, 40)}`);
  }
});
