/** Owns the rows about refresh tokens. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { delay } from '@kfctl/core';
import { startUpstreamServer } from '../../../testkit/src/upstream-server.ts';
import type { UpstreamServer } from '../../../testkit/src/upstream-server.ts';
import { authUrl, basic, claimsOf, configText, locationOf, loginForTokens, redeem, USERS } from '../test-identity.ts';
import type { TestIdentity, Tokens } from '../test-identity.ts';
import { expectJsonError } from './expectations.ts';
import type { Row } from './row.ts';
import type { Servers } from './servers.ts';

const HOUR = 3_600_000;
const OFFLINE = { scope: 'openid email profile offline_access' };
const CLAIMED = 'Refresh token is invalid or has already been claimed by another client.';
const PERSON = { id: 7, login: 'kim', full_name: 'Kim', email: 'kim@example.com' };

function refresh(
  identity: TestIdentity,
  token: string,
  more: Record<string, string> = {},
  client = basic('app', 's3cret'),
): Promise<Response> {
  return identity.post('/dex/token', { grant_type: 'refresh_token', refresh_token: token, ...more }, client);
}

async function refreshed(identity: TestIdentity, token: string, more: Record<string, string> = {}): Promise<Tokens> {
  const response = await refresh(identity, token, more);
  assert.equal(response.status, 200);
  return (await response.json()) as Tokens;
}

interface Offline {
  readonly identity: TestIdentity;
  readonly token: string;
}

async function offline(servers: Servers, policy = ''): Promise<Offline> {
  const identity = await servers.fresh({ more: `expiry: {refreshTokens: {${policy}}}\n` });
  const { refresh_token: token = '' } = await loginForTokens(identity, OFFLINE);
  assert.notEqual(token, '');
  return { identity, token };
}

interface ByUpstream extends Offline {
  readonly upstream: UpstreamServer;
  /** How often the upstream was asked who it is. */
  asked(): number;
}

async function offlineByUpstream(servers: Servers, policy: string): Promise<ByUpstream> {
  const upstream = await startUpstreamServer({
    '/login/oauth/access_token': { body: { access_token: 'at', refresh_token: 'rt', token_type: 'bearer' } },
    '/api/v1/user': { body: PERSON },
  });
  servers.after(() => upstream.close());
  const settings = `baseURL: "${upstream.origin}", clientID: dex, clientSecret: s, redirectURI: "https://x/dex/callback"`;
  const config = `expiry: {refreshTokens: {${policy}}}\nconnectors: [{type: gitea, id: gitea, name: G, config: {${settings}}}]\n`;
  const identity = await servers.fresh({ config });
  const out = locationOf(await identity.fetch(authUrl(OFFLINE, '/dex/auth/gitea')));
  const back = new URLSearchParams({ state: out.searchParams.get('state') ?? '', code: 'c' });
  const done = locationOf(await identity.fetch(`/dex/callback?${back.toString()}`));
  const tokens = (await (await redeem(identity, done.searchParams.get('code') ?? '')).json()) as Tokens;
  const asked = (): number => upstream.requests.filter((request) => request.path === '/api/v1/user').length;
  return { identity, token: tokens.refresh_token ?? '', upstream, asked };
}

/** Two fields of a protocol buffer, both texts. */
function fieldsOf(token: string): readonly string[] {
  const bytes = Buffer.from(token, 'base64url');
  const [tag, length = 0] = bytes;
  const first = bytes.subarray(2, 2 + length);
  const rest = bytes.subarray(2 + length);
  assert.deepEqual([tag, rest[0], rest[1]], [0x0a, 0x12, rest.length - 2]);
  return [first.toString(), rest.subarray(2).toString()];
}

const FORM: readonly Row[] = [
  {
    id: 'refresh-form',
    fact: 'A refresh token is base64url without padding of a protocol buffer: field 1 the id, field 2 the secret.',
    stand: 'kept',
    proof: async (servers) => {
      const { token } = await offline(servers);
      const [id = '', secret = ''] = fieldsOf(token);
      assert.match(id, /^[a-z0-9]{26,}$/);
      assert.ok(secret.length >= 26);
      assert.doesNotMatch(token, /=/);
    },
  },
  {
    id: 'refresh-bare-id',
    fact: 'A bare id is taken for a record of old that has no secret, and for no other.',
    stand: 'kept',
    proof: async (servers) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'identity-refresh-'));
      servers.after(() => rmSync(directory, { recursive: true, force: true }));
      const file = path.join(directory, 'dex.db');
      const identity = await servers.fresh({ storage: `type: sqlite3, config: {file: ${file}}` });
      const [id = ''] = fieldsOf((await loginForTokens(identity, OFFLINE)).refresh_token ?? '');
      await expectJsonError(await refresh(identity, id), 400, 'invalid_request', CLAIMED);
      const database = new DatabaseSync(file);
      database.exec(`UPDATE record SET data = json_set(data, '$.token', '') WHERE kind = 'refreshToken'`);
      database.close();
      const next = await refreshed(identity, id);
      assert.equal((await refresh(identity, next.refresh_token ?? '')).status, 200);
    },
  },
  {
    id: 'refresh-missing',
    fact: 'No refresh token is 400 invalid_request "No refresh token is found in request."',
    stand: 'kept',
    proof: async (servers) => {
      const words = 'No refresh token is found in request.';
      await expectJsonError(await refresh(await servers.at(), ''), 400, 'invalid_request', words);
    },
  },
  {
    id: 'refresh-unknown',
    fact: 'An unknown or used one is 400 invalid_request "Refresh token is invalid or has already been claimed by another client."',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      for (const other of ['x', 'abcdefghijklmnopqrstuvwxyz', `${token.slice(0, -2)}AA`, 'x'.repeat(2000), '../x'])
        await expectJsonError(await refresh(identity, other), 400, 'invalid_request', CLAIMED);
      await refreshed(identity, token);
      await expectJsonError(await refresh(identity, token), 400, 'invalid_request', CLAIMED);
    },
  },
  {
    id: 'refresh-other-client',
    fact: 'One of another client is 400 invalid_grant with the same words, and stays good for its own.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      await expectJsonError(
        await refresh(identity, token, {}, basic('other', 'o:th er%')),
        400,
        'invalid_grant',
        CLAIMED,
      );
      await refreshed(identity, token);
    },
  },
];

const SCOPES: readonly Row[] = [
  {
    id: 'refresh-scopes',
    fact: 'Without scope the tokens are of the scopes of the login; with scope, of those that it names, any white space between.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'disableRotation: true');
      const all = claimsOf((await refreshed(identity, token)).id_token);
      assert.equal(`${all['email']} ${all['name']}`, 'admin@kubeflow.org admin');
      const few = claimsOf((await refreshed(identity, token, { scope: ' openid   email ' })).id_token);
      assert.equal(few['email'], 'admin@kubeflow.org');
      assert.equal('name' in few, false);
    },
  },
  {
    id: 'refresh-scopes-beyond',
    fact: 'A scope beyond those of the login is 400 invalid_request "Requested scopes contain unauthorized scope(s): […]."',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      const words = 'Requested scopes contain unauthorized scope(s): ["groups"].';
      await expectJsonError(await refresh(identity, token, { scope: 'openid groups' }), 400, 'invalid_request', words);
      assert.equal((await refresh(identity, token)).status, 200, 'the token is not spent by it');
    },
  },
  {
    id: 'refresh-claims',
    fact: 'Claims are asked for again at each refresh; the person’s id never changes.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token, upstream } = await offlineByUpstream(servers, '');
      const before = await refreshed(identity, token);
      upstream.routes.set('/api/v1/user', { body: { ...PERSON, full_name: 'Kim K.', email: 'new@example.com' } });
      const after = claimsOf((await refreshed(identity, before.refresh_token ?? '')).id_token);
      assert.equal(`${after['name']} ${after['email']}`, 'Kim K. new@example.com');
      assert.equal(after['sub'], claimsOf(before.id_token)['sub']);
    },
  },
  {
    id: 'refresh-other-person',
    fact: 'A refresh for which the upstream names somebody else gives no tokens.',
    stand: 'safer',
    dex: 'Keeps the id and takes the other claims.',
    why: 'A name and groups of somebody else are worth as much as an id.',
    proof: async (servers) => {
      const { identity, token, upstream } = await offlineByUpstream(servers, '');
      upstream.routes.set('/api/v1/user', { body: { ...PERSON, id: 8, login: 'eve' } });
      const response = await refresh(identity, token);
      assert.ok(response.status >= 400, String(response.status));
      assert.equal(((await response.json()) as Tokens).id_token, undefined);
    },
  },
  {
    id: 'refresh-local-changed',
    fact: 'A static person who was changed in the file is changed at the next refresh.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'disableRotation: true');
      await changeFile(identity, USERS.replace('username: admin', 'username: root'), 'disableRotation: true');
      assert.equal(claimsOf((await refreshed(identity, token)).id_token)['name'], 'root');
    },
  },
  {
    id: 'refresh-gone',
    fact: 'A refresh of a person who is gone at the connector gets 400 invalid_grant, and the token ends.',
    stand: 'other',
    dex: 'Answers 500, and the token lives on.',
    why: 'An application that gets 500 tries again for ever; one that gets invalid_grant asks the person to log in.',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      await changeFile(identity, USERS.replace('Admin@Kubeflow.org', 'somebody@example.com'), '');
      await expectJsonError(await refresh(identity, token), 400, 'invalid_grant', CLAIMED);
      await changeFile(identity, USERS, '');
      await expectJsonError(await refresh(identity, token), 400, 'invalid_request', CLAIMED);
    },
  },
  {
    id: 'refresh-connector-fails',
    fact: 'A refresh whose connector fails is 500 without a word about why, and the token stays good.',
    stand: 'other',
    dex: 'Names the error invalid_request with an empty description; here it is server_error.',
    why: 'The request is not at fault.',
    proof: async (servers) => {
      const { identity, token, upstream } = await offlineByUpstream(servers, '');
      const failing = { status: 502, body: 'secret detail' };
      upstream.routes.set('/api/v1/user', failing);
      const answer = upstream.routes.get('/login/oauth/access_token') ?? {};
      upstream.routes.set('/login/oauth/access_token', failing);
      const response = await refresh(identity, token);
      assert.equal(response.status, 500);
      assert.doesNotMatch(await response.text(), /secret detail|502|gitea/);
      upstream.routes.set('/api/v1/user', { body: PERSON });
      upstream.routes.set('/login/oauth/access_token', answer);
      await refreshed(identity, token);
    },
  },
  {
    id: 'refresh-storage-fails',
    fact: 'A refresh while the storage does not answer is 500 JSON without a word about it.',
    stand: 'other',
    dex: 'Names the error invalid_request with an empty description; here it is server_error.',
    why: 'The request is not at fault.',
    proof: async (servers) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'identity-refresh-'));
      servers.after(() => rmSync(directory, { recursive: true, force: true }));
      const file = path.join(directory, 'dex.db');
      const identity = await servers.fresh({ storage: `type: sqlite3, config: {file: ${file}}` });
      const { refresh_token = '' } = await loginForTokens(identity, OFFLINE);
      const database = new DatabaseSync(file);
      database.exec('DROP TABLE record');
      database.close();
      const response = await refresh(identity, refresh_token);
      assert.equal(response.status, 500);
      const body = (await response.json()) as { error: string; error_description?: string };
      assert.equal(body.error, 'server_error');
      assert.doesNotMatch(JSON.stringify(body), /sqlite|record|table/i);
    },
  },
];

async function changeFile(identity: TestIdentity, users: string, policy: string): Promise<void> {
  identity.log.length = 0;
  writeFileSync(identity.file, configText({ config: users, more: `expiry: {refreshTokens: {${policy}}}\n` }));
  while (!identity.log.some((line) => line.includes('"msg":"configuration changed"'))) await delay(10);
}

const ROTATION: readonly Row[] = [
  {
    id: 'rotation',
    fact: 'Each use gives a new token and ends the one before.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      const next = (await refreshed(identity, token)).refresh_token ?? '';
      assert.notEqual(next, token);
      await expectJsonError(await refresh(identity, token), 400, 'invalid_request', CLAIMED);
      await refreshed(identity, next);
    },
  },
  {
    id: 'rotation-off',
    fact: 'With disableRotation the same token goes on.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'disableRotation: true');
      for (let use = 0; use < 3; use += 1) assert.equal((await refreshed(identity, token)).refresh_token, token);
    },
  },
  {
    id: 'no-family-revocation',
    fact: 'A used token that is tried again ends nothing else: its successor stays good.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      const next = (await refreshed(identity, token)).refresh_token ?? '';
      for (let attempt = 0; attempt < 3; attempt += 1) assert.equal((await refresh(identity, token)).status, 400);
      await refreshed(identity, next);
    },
  },
  {
    id: 'reuse-creation',
    fact: 'Within reuseInterval of the login a refresh gives the same token back: the login counts as a use.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'reuseInterval: 30s');
      identity.now += 29_000;
      assert.equal((await refreshed(identity, token)).refresh_token, token);
      identity.now += 2000;
      assert.notEqual((await refreshed(identity, token)).refresh_token, token);
    },
  },
  {
    id: 'reuse-same',
    fact: 'Within reuseInterval of a use the current token does not rotate, nobody is asked, and the interval does not begin anew.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token, asked } = await offlineByUpstream(servers, 'reuseInterval: 30s');
      identity.now += 31_000;
      const next = (await refreshed(identity, token)).refresh_token ?? '';
      const before = asked();
      for (const wait of [10_000, 10_000, 9000]) {
        identity.now += wait;
        assert.equal((await refreshed(identity, next)).refresh_token, next);
      }
      assert.equal(asked(), before);
      identity.now += 2000;
      assert.notEqual((await refreshed(identity, next)).refresh_token, next);
      assert.equal(asked(), before + 1);
    },
  },
  {
    id: 'reuse-obsolete',
    fact: 'Within reuseInterval the token before gets the same successor; after it 400.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'reuseInterval: 30s');
      identity.now += 31_000;
      const next = (await refreshed(identity, token)).refresh_token ?? '';
      identity.now += 29_000;
      assert.equal((await refreshed(identity, token)).refresh_token, next);
      identity.now += 2000;
      await expectJsonError(await refresh(identity, token), 400, 'invalid_request', CLAIMED);
      await refreshed(identity, next);
    },
  },
  {
    id: 'parallel',
    fact: 'Of 50 uses at once one gets a successor, the others 400; none is a failure of the server.',
    stand: 'kept',
    dex: '2.45 answers those that lose with 500.',
    follows: 'head',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      const all = await Promise.all(Array.from({ length: 50 }, () => refresh(identity, token)));
      assert.equal(all.filter(({ status }) => status === 200).length, 1);
      assert.equal(all.filter(({ status }) => status === 400).length, 49);
    },
  },
];

const LIFETIMES: readonly Row[] = [
  {
    id: 'lifetime-none',
    fact: 'Without limits a token is good for ever.',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers);
      identity.now += 10 * 365 * 24 * HOUR;
      await refreshed(identity, token);
    },
  },
  {
    id: 'lifetime-absolute',
    fact: 'absoluteLifetime counts from the login, however much it is used; then 400 invalid_request "Refresh token expired."',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'absoluteLifetime: 48h');
      identity.now += 47 * HOUR;
      const next = (await refreshed(identity, token)).refresh_token ?? '';
      identity.now += HOUR;
      const last = (await refreshed(identity, next)).refresh_token ?? '';
      identity.now += 1;
      await expectJsonError(await refresh(identity, last), 400, 'invalid_request', 'Refresh token expired.');
    },
  },
  {
    id: 'lifetime-idle',
    fact: 'validIfNotUsedFor counts from the last use; then 400 invalid_request "Refresh token expired."',
    stand: 'kept',
    proof: async (servers) => {
      const { identity, token } = await offline(servers, 'validIfNotUsedFor: 24h');
      let current = token;
      for (let day = 0; day < 3; day += 1) {
        identity.now += 24 * HOUR;
        current = (await refreshed(identity, current)).refresh_token ?? '';
      }
      identity.now += 24 * HOUR + 1;
      await expectJsonError(await refresh(identity, current), 400, 'invalid_request', 'Refresh token expired.');
    },
  },
  {
    id: 'several-devices',
    fact: 'A person has up to ten refresh tokens at one client: a new login leaves the others, and the eleventh ends the oldest.',
    stand: 'more',
    dex: 'Has one for each person, connector and client: a new login ends the one before.',
    why: 'People use two computers.',
    proof: async (servers) => {
      const identity = await servers.fresh({ more: 'expiry: {refreshTokens: {disableRotation: true}}\n' });
      const tokens: string[] = [];
      for (let device = 0; device < 10; device += 1) {
        tokens.push((await loginForTokens(identity, OFFLINE)).refresh_token ?? '');
        identity.now += 1000;
      }
      for (const token of tokens) await refreshed(identity, token);
      await loginForTokens(identity, OFFLINE);
      assert.equal((await refresh(identity, tokens[0] ?? '')).status, 400);
      await refreshed(identity, tokens[1] ?? '');
    },
  },
];

export const REFRESH_GRANT: readonly Row[] = [...FORM, ...SCOPES, ...ROTATION, ...LIFETIMES];
