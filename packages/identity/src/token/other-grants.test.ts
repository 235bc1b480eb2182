import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { basic, claimsOf, startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const GRANTS = `authorization_code, password, refresh_token, client_credentials, "${EXCHANGE}"`;
const MOCK = 'connectors: [{type: mockCallback, id: mock, name: Mock}]\n';

let identity: TestIdentity;
let bare: TestIdentity;
before(async () => {
  identity = await startTestIdentity({
    config: USERS + MOCK,
    oauth2: `passwordConnector: local, grantTypes: [${GRANTS}]`,
  });
  bare = await startTestIdentity();
});
after(() => Promise.all([identity.stop(), bare.stop()]));

async function grant(
  form: Record<string, string>,
  client = 'app',
  secret = 's3cret',
): Promise<{ status: number; body: Tokens }> {
  const response = await identity.post('/dex/token', form, basic(client, secret));
  return { status: response.status, body: (await response.json()) as Tokens };
}

const PASSWORD = {
  grant_type: 'password',
  username: 'zoe@example.com',
  password: 'password',
  scope: 'openid email offline_access',
};

test('the password grant gives tokens, a refresh token too', async () => {
  const { status, body } = await grant(PASSWORD);
  assert.equal(status, 200);
  assert.equal(claimsOf(body.id_token)['email'], 'zoe@example.com');
  assert.equal((await grant({ grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' })).status, 200);
});

test('the password grant refuses wrong passwords, missing openid, foreign clients, and is off by default', async () => {
  assert.deepEqual(
    [(await grant({ ...PASSWORD, password: 'x' })).status, (await grant({ ...PASSWORD, username: 'x@y' })).status],
    [401, 401],
  );
  assert.equal((await grant({ ...PASSWORD, scope: 'email' })).body.error, 'invalid_request');
  assert.equal((await grant(PASSWORD, 'tied', 't')).body.error, 'unauthorized_client');
  const off = await bare.post('/dex/token', PASSWORD, basic('app', 's3cret'));
  assert.equal(((await off.json()) as Tokens).error, 'unsupported_grant_type');
});

test('guessing through the password grant has to wait', async () => {
  const statuses: number[] = [];
  for (let count = 0; count < 17; count += 1) {
    statuses.push((await grant({ ...PASSWORD, username: 'admin@kubeflow.org', password: 'x' })).status);
  }
  assert.equal(statuses.at(-1), 429);
});

test('client credentials speak for the client, never for a person', async () => {
  const { status, body } = await grant({ grant_type: 'client_credentials', scope: 'openid profile groups' });
  assert.equal(status, 200);
  assert.equal(claimsOf(body.id_token)['name'], 'The <b>App</b>');
  assert.equal(body.refresh_token, undefined);
  assert.equal(
    (await grant({ grant_type: 'client_credentials', scope: 'openid offline_access' })).body.error,
    'invalid_scope',
  );
  const publicClient = await identity.post('/dex/token', { grant_type: 'client_credentials', client_id: 'cli' });
  assert.equal(((await publicClient.json()) as Tokens).error, 'unauthorized_client');
  const off = await bare.post('/dex/token', { grant_type: 'client_credentials' }, basic('app', 's3cret'));
  assert.equal(((await off.json()) as Tokens).error, 'unsupported_grant_type');
});

test('token exchange asks the named connector and obeys what the client is tied to', async () => {
  const form = {
    grant_type: EXCHANGE,
    subject_token: 't',
    subject_token_type: ACCESS,
    connector_id: 'mock',
    scope: 'openid email',
  };
  const { status, body } = await grant(form);
  assert.equal(status, 200);
  assert.equal(claimsOf(body.access_token)['email'], 'kilgore@kilgore.trout');
  assert.equal((body as unknown as Record<string, string>)['issued_token_type'], ACCESS);
  assert.equal((await grant({ ...form, connector_id: 'local' })).body.error, 'invalid_request');
  assert.equal((await grant({ ...form, connector_id: 'nope' })).body.error, 'invalid_request');
  assert.equal((await grant({ ...form, subject_token_type: 'x' })).body.error, 'request_not_supported');
  assert.equal((await grant(form, 'tied', 't')).body.error, 'invalid_request');
});

test('a callback connector brings the person back, and shows up in the choice', async () => {
  const { authUrl, locationOf } = await import('../../test/test-identity.ts');
  const choice = await identity.fetch(authUrl({}, '/dex/auth'));
  const text = await choice.text();
  assert.match(text, /Log in with Email/);
  assert.match(text, /Log in with Mock/);
  const away = await identity.fetch(authUrl({}, '/dex/auth/mock'));
  assert.match(away.headers.get('location') ?? '', /^\/dex\/callback\?state=/);
  const back = await identity.fetch(away.headers.get('location') ?? '');
  const approval = await identity.fetch(back.headers.get('location') ?? '');
  assert.equal(approval.status, 200);
  const state = locationOf(away).searchParams.get('state') ?? '';
  assert.equal((await identity.fetch(`/dex/callback/local?state=${state}`)).status, 400);
  assert.equal((await identity.post(`/dex/callback?state=${state}`, {})).status, 400);
  assert.equal((await identity.post(`/dex/auth/mock/login?state=${state}`, {})).status, 400);
});
