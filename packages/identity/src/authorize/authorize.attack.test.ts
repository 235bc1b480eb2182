import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { AUTH, authUrl, locationOf, openLogin, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

async function refusedAsPage(url: string, status: number, text: RegExp): Promise<void> {
  const response = await identity.fetch(url);
  assert.equal(response.status, status, url);
  assert.equal(response.headers.get('location'), null);
  assert.match(await response.text(), text);
}

test('an unknown client is a page, never a redirect', async () => {
  await refusedAsPage(authUrl({ client_id: 'nobody' }), 404, /Invalid client_id\./);
  await refusedAsPage(authUrl({ client_id: 'nobody' }, '/dex/auth'), 400, /Invalid client_id provided\./);
  await refusedAsPage(authUrl({ client_id: '__proto__' }), 404, /Invalid client_id/);
  await refusedAsPage(authUrl({ client_id: undefined }), 404, /Invalid client_id/);
});

test('a redirect URI that is not registered to the letter is a page, never a redirect', async () => {
  for (const uri of [
    'https://evil.example/',
    '//evil.example/login/oidc',
    '/login/oidc/',
    '/login/oidc?x=1',
    '/login/oidc#x',
    '/LOGIN/oidc',
    '%2Flogin%2Foidc',
    '/login%2Foidc',
    '/login/oidc\r\nX: y',
    '/login/oidc@evil.example',
    'https://app.example.com/cb',
    'https://app.example.com/cb?x=1&y=2',
    'http://localhost:8080/cb',
    '',
  ]) {
    await refusedAsPage(authUrl({ redirect_uri: uri }), 400, /Unregistered redirect_uri/);
  }
});

test('the log names the client and the URI that are not registered, and those that are', async () => {
  identity.log.length = 0;
  await refusedAsPage(authUrl({ redirect_uri: '/oauth2/callback' }), 400, /Unregistered redirect_uri/);
  await refusedAsPage(authUrl({ client_id: 'kubeflow\n' }), 404, /Invalid client_id/);
  const [uri = '', client = ''] = identity.log;
  assert.match(uri, /client app has no redirect URI \\"\/oauth2\/callback\\"; registered: \/login\/oidc https/);
  assert.match(client, /unknown client \\"kubeflow/);
  const text = await (await identity.fetch(authUrl({ redirect_uri: '/oauth2/callback' }))).text();
  assert.doesNotMatch(text, /login\/oidc|app\.example/);
});

test('only public clients without registered URIs may use loopback, and only true loopback over http', async () => {
  const allowed = [
    'http://localhost:5000/x',
    'http://localhost',
    'http://127.0.0.1:1/',
    'http://127.9.9.9/',
    'http://[::1]:9/cb',
    'urn:ietf:wg:oauth:2.0:oob',
  ];
  for (const uri of allowed) {
    assert.equal((await identity.fetch(authUrl({ client_id: 'cli', redirect_uri: uri }))).status, 302, uri);
    await refusedAsPage(authUrl({ client_id: 'spa', redirect_uri: uri }), 400, /Unregistered/);
  }
  for (const uri of [
    'https://localhost:5000/x',
    'http://localhost.evil.example/',
    'http://localhost.localhost:8080/',
    'http://evil.example/?http://localhost',
    'http://localhost@evil.example/',
    'http://evil.example\\@localhost/',
    'http://localhost/\t//evil.example',
    'http:localhost/x',
    'http://localhost/#fragment',
    'javascript://localhost/%0aalert(1)',
    'http://128.0.0.1/',
  ]) {
    await refusedAsPage(authUrl({ client_id: 'cli', redirect_uri: uri }), 400, /Unregistered/);
  }
});

const BROKEN_RULES: readonly (readonly [Record<string, string | undefined>, string, RegExp])[] = [
  [{ scope: 'profile' }, 'invalid_scope', /Missing required scope/],
  [{ scope: undefined }, 'invalid_scope', /Missing required scope/],
  [{ scope: 'openid root' }, 'invalid_scope', /Unrecognized scope\(s\) \["root"\]/],
  [{ scope: 'openid audience:server:client_id:spa' }, 'invalid_scope', /Client can't request scope/],
  [{ scope: 'openid audience:server:client_id:nobody' }, 'invalid_scope', /Client can't request scope/],
  [{ response_type: undefined }, 'invalid_request', /No response_type/],
  [{ response_type: 'magic' }, 'invalid_request', /Invalid response type/],
  [{ response_type: 'code id_token', nonce: 'n' }, 'unsupported_response_type', /Unsupported response type/],
  [{ request: 'eyJ' }, 'request_not_supported', /request parameter/],
  [{ request_uri: 'https://evil' }, 'request_uri_not_supported', /request_uri/],
  [{ code_challenge: 'a'.repeat(43), code_challenge_method: 'S512' }, 'invalid_request', /Unsupported PKCE/],
  [{ code_challenge: 'short', code_challenge_method: 'S256' }, 'invalid_request', /Malformed code_challenge/],
  [{ connector_id: 'other' }, 'invalid_request', /ConnectorID/],
];

test('broken rules go to the registered URI by 303 with error and state', async () => {
  for (const [changes, error, description] of BROKEN_RULES) {
    const response = await identity.fetch(authUrl(changes));
    assert.equal(response.status, 303, JSON.stringify(changes));
    const { pathname, searchParams } = locationOf(response);
    assert.equal(pathname, '/login/oidc');
    assert.equal(searchParams.get('error'), error);
    assert.match(searchParams.get('error_description') ?? '', description);
    assert.equal(searchParams.get('state'), AUTH.state);
    assert.equal(searchParams.get('code'), null);
  }
});

test('a client tied to other connectors cannot be entered through this one', async () => {
  const tied = { client_id: 'tied', redirect_uri: '/tied' };
  assert.equal(locationOf(await identity.fetch(authUrl(tied))).searchParams.get('error'), 'access_denied');
  await refusedAsPage(authUrl(tied, '/dex/auth'), 400, /No way to log in/);
});

test('repeated and oversized parameters are refused before anything else', async () => {
  await refusedAsPage(`${authUrl()}&redirect_uri=https://evil.example`, 400, /more than once/);
  await refusedAsPage(`${authUrl()}&client_id=app`, 400, /more than once/);
  await refusedAsPage(authUrl({ state: 'x'.repeat(5000) }), 400, /too long/);
  const post = await identity.fetch('/dex/auth/local', {
    method: 'POST',
    body: new URLSearchParams({ ...AUTH, pad: 'x'.repeat(70_000) }),
  });
  assert.equal(post.status, 413);
});

test('a POST cannot override what the address says', async () => {
  const response = await identity.post(authUrl(), { redirect_uri: 'https://evil.example' });
  assert.equal(response.status, 400);
});

test('header and markup injection through state, error text and connector names stay text', async () => {
  const state = 'a\r\nSet-Cookie: x=1\r\n\r\n<script>alert(1)</script>';
  const response = await identity.fetch(authUrl({ state, scope: 'openid "><script>' }));
  assert.equal(response.headers.get('set-cookie'), null);
  assert.equal(locationOf(response).searchParams.get('state'), state);
  assert.doesNotMatch(await response.text(), /<script/);
  const page = await identity.fetch(authUrl({}, '/dex/auth/%3Cscript%3E'));
  assert.equal(page.status, 400);
  assert.doesNotMatch(await page.text(), /<script/);
});

test('other methods are refused', async () => {
  for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    assert.equal((await identity.fetch(authUrl(), { method })).status, 400, method);
  }
});

test('requests and failed logins of strangers leave nothing in the storage', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-flood-'));
  const file = path.join(directory, 'dex.db');
  const flooded = await startTestIdentity({ storage: `type: sqlite3, config: {file: ${file}}` });
  t.after(async () => {
    await flooded.stop();
    rmSync(directory, { recursive: true });
  });
  const database = new DatabaseSync(file, { readOnly: true });
  t.after(() => database.close());
  const rows = (): unknown => database.prepare('SELECT kind FROM record').all();
  const before = rows();
  for (let batch = 0; batch < 10; batch += 1) {
    await Promise.all(Array.from({ length: 50 }, async () => (await flooded.fetch(authUrl())).arrayBuffer()));
  }
  await flooded.post(await openLogin(flooded), { login: 'x@y', password: 'wrong' });
  assert.deepEqual(rows(), before);
});
