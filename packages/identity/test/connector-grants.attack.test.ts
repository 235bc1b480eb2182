/** `connectors[].grantTypes`: a connector that serves some grants serves no other, whichever way in is tried. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { parseConfig } from '../src/config/parse-config.ts';
import { authUrl, basic, locationOf, startTestIdentity } from './test-identity.ts';
import type { TestIdentity, Tokens } from './test-identity.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const MORE = 'responseTypes: [code, id_token], skipApprovalScreen: true, passwordConnector: pw';

/** `pw` takes names and passwords, `cb` is a callback connector that exchanges tokens too. */
async function start(t: TestContext, grants: readonly string[]): Promise<TestIdentity> {
  const list = `grantTypes: [${grants.map((grant) => `"${grant}"`).join(', ')}]`;
  const identity = await startTestIdentity({
    oauth2: MORE,
    config: `connectors:
- {type: mockPassword, id: pw, name: Password, ${list}, config: {username: u, password: p}}
- {type: mockCallback, id: cb, name: Callback, ${list}}
`,
  });
  t.after(() => identity.stop());
  return identity;
}

const errorAt = async (identity: TestIdentity, changes: Record<string, string>): Promise<string | null> =>
  locationOf(await identity.fetch(authUrl(changes, '/dex/auth/pw'))).searchParams.get('error');

async function outcome(identity: TestIdentity, form: Record<string, string>): Promise<string> {
  const response = await identity.post('/dex/token', form, basic('app', 's3cret'));
  return `${response.status} ${((await response.json()) as { error?: string }).error ?? 'ok'}`;
}

const password = { grant_type: 'password', username: 'u', password: 'p', scope: 'openid offline_access' };
const exchange = {
  grant_type: EXCHANGE,
  subject_token: 'x',
  subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  connector_id: 'cb',
};
const device = { redirect_uri: '/dex/device/callback', client_id: 'cli' };

test('only codes: no implicit flow, no device, no password, no exchange, no refresh token', async (t) => {
  const identity = await start(t, ['authorization_code']);
  assert.equal(await errorAt(identity, {}), null);
  assert.equal(await errorAt(identity, { response_type: 'id_token', nonce: 'n' }), 'unauthorized_client');
  assert.equal(await errorAt(identity, device), 'unauthorized_client');
  assert.equal(await outcome(identity, password), '400 invalid_request');
  assert.equal(await outcome(identity, exchange), '400 invalid_request');
  const page = locationOf(await identity.fetch(authUrl({ scope: 'openid offline_access' }, '/dex/auth/pw')));
  const done = await identity.post(page.pathname + page.search, { login: 'u', password: 'p' });
  const code = locationOf(done).searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc' };
  const tokens = (await (await identity.post('/dex/token', form, basic('app', 's3cret'))).json()) as Tokens;
  assert.notEqual(tokens.id_token, undefined);
  assert.equal(tokens.refresh_token, undefined);
});

test('only password, exchange and device: no login page for applications, by name or by choice', async (t) => {
  const identity = await start(t, ['password', EXCHANGE, DEVICE]);
  assert.equal(await errorAt(identity, {}), 'unauthorized_client');
  assert.equal(await errorAt(identity, device), null);
  const choice = await identity.fetch(authUrl({}, '/dex/auth'));
  assert.equal(choice.status, 400);
  assert.match(await choice.text(), /No way to log in is open to this application/);
  assert.equal(await outcome(identity, password), '200 ok');
  assert.equal(await outcome(identity, exchange), '200 ok');
});

test('a refresh token ends to work when its connector no longer serves refreshes', async (t) => {
  const identity = await start(t, ['password', 'refresh_token']);
  const answer = await identity.post('/dex/token', password, basic('app', 's3cret'));
  const { refresh_token = '' } = (await answer.json()) as Tokens;
  const refresh = { grant_type: 'refresh_token', refresh_token };
  const { readFileSync, writeFileSync } = process.getBuiltinModule('node:fs');
  const file = readFileSync(identity.file, 'utf8');
  const loaded = async (count: number): Promise<boolean> => {
    while (identity.log.filter((line) => line.includes('configuration changed')).length < count)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return true;
  };
  writeFileSync(identity.file, file.replaceAll(', "refresh_token"]', ']'));
  assert.ok(await loaded(1));
  assert.equal(await outcome(identity, refresh), '400 invalid_grant');
});

test('a grant that nobody knows is a mistake of the file', async () => {
  const text = `issuer: http://x/dex\nstorage: {type: memory}\nweb: {http: "0:1"}\nconnectors: [{type: mockCallback, id: a, name: A, grantTypes: [authorisation_code]}]\n`;
  const { problems } = await parseConfig(text, {});
  assert.equal(problems[0]?.path, 'connectors[0].grantTypes');
});
