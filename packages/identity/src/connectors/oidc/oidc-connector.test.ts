import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { REDIRECT, startOidcUpstream, walkUpstream } from '../../../test/oidc-upstream.ts';
import { authUrl, claimsOf, locationOf, startTestIdentity } from '../../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../../test/test-identity.ts';
import { redeem } from '../../../test/test-identity.ts';
import { oidcSchema } from './oidc-config.ts';
import { readUpstream } from './read-claims.ts';
import { createProblems } from '../../config/problems.ts';
import { parseYamlTree } from '../../config/yaml-tree.ts';

let identity: TestIdentity;
let upstream: string;
let closeUpstream: () => void;

before(async () => {
  ({ issuer: upstream, close: closeUpstream } = await startOidcUpstream());
  const config = `{issuer: "${upstream}", clientID: dex, clientSecret: $SECRET, redirectURI: "${REDIRECT}", getUserInfo: true, insecureEnableGroups: true}`;
  identity = await startTestIdentity({
    config: `connectors:\n- {type: oidc, id: up, name: Upstream, config: ${config}}\n- {type: oidc, id: down, name: Down, config: ${config.replace(upstream, 'http://127.0.0.1:1')}}\n`,
    env: { SECRET: 'upstream-secret' },
  });
});
after(async () => {
  await identity.stop();
  closeUpstream();
});

async function beginAt(scope = 'openid profile email groups'): Promise<URL> {
  const response = await identity.fetch(authUrl({ scope }, '/dex/auth/up'));
  assert.equal(response.status, 302);
  return locationOf(response);
}

async function logIn(scope?: string): Promise<Tokens> {
  const back = await walkUpstream((await beginAt(scope)).href);
  const done = await identity.fetch(`/dex/callback${back.search}`);
  assert.equal(done.status, 303, await done.text());
  const code = locationOf(done).searchParams.get('code') ?? '';
  return (await (await redeem(identity, code)).json()) as Tokens;
}

test('a person of a certified provider logs in, with groups', async () => {
  const claims = claimsOf((await logIn()).id_token);
  assert.equal(claims['email'], 'kim@example.com');
  assert.equal(claims['name'], 'Kim');
  assert.deepEqual(claims['groups'], ['staff', 'admins']);
});

test('the way out carries state, nonce and an S256 challenge', async () => {
  const { searchParams } = await beginAt();
  assert.equal(searchParams.get('code_challenge_method'), 'S256');
  for (const name of ['state', 'nonce', 'code_challenge']) assert.ok((searchParams.get(name) ?? '').length >= 43, name);
  assert.equal(searchParams.get('client_secret'), null);
});

test('a refresh asks the provider again', async () => {
  const tokens = await logIn('openid email profile groups offline_access');
  const form = {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token ?? '',
    client_id: 'app',
    client_secret: 's3cret',
  };
  const response = await identity.post('/dex/token', form);
  const body = (await response.json()) as Tokens;
  assert.equal(response.status, 200, JSON.stringify(body));
  assert.equal(claimsOf(body.id_token)['name'], 'Kim');
});

test('the callback refuses replays, mixed-up states, errors and nothing at all', async () => {
  const back = await walkUpstream((await beginAt()).href);
  const other = await beginAt();
  const mixed = new URLSearchParams(back.search);
  mixed.set('state', other.searchParams.get('state') ?? '');
  assert.equal((await identity.fetch(`/dex/callback?${mixed.toString()}`)).status, 500);
  assert.equal((await identity.fetch(`/dex/callback${back.search}`)).status, 303);
  assert.equal((await identity.fetch(`/dex/callback${back.search}`)).status, 500);
  const error = await identity.fetch(
    `/dex/callback?error=access_denied&error_description=%3Cscript%3E&state=${other.searchParams.get('state')}`,
  );
  assert.equal(error.status, 500);
  const text = await error.text();
  assert.match(text, /Authentication failed/);
  assert.doesNotMatch(text, /access_denied|<script/);
  for (const query of ['', '?state=x', '?code=x'])
    assert.equal((await identity.fetch(`/dex/callback${query}`)).status, 400);
});

test('a provider that is down does not stop the others', async () => {
  assert.equal((await identity.fetch(authUrl({}, '/dex/auth/down'))).status, 500);
  assert.equal((await identity.fetch(authUrl({}, '/dex/auth/up'))).status, 302);
});

test('claims are mapped, modified, filtered and required as configured', () => {
  const read = (settings: string, claims: object): unknown => {
    const problems = createProblems();
    const tree = parseYamlTree(`{issuer: "https://x", clientID: c, redirectURI: "https://y", ${settings}}`, problems);
    const config = oidcSchema.read(tree, { path: '', problems, offset: 0, env: {}, expand: false });
    assert.deepEqual(problems.errors, []);
    const outcome = readUpstream({ sub: 's', name: 'N', email: 'a@b', email_verified: true, ...claims }, config);
    return outcome.kind === 'authenticated' ? outcome.identity : outcome.reason;
  };
  assert.throws(() => read('', { sub: undefined }), /claim sub/);
  assert.throws(() => read('', { email: undefined }), /claim email/);
  assert.throws(() => read('', { email_verified: undefined }), /claim email_verified/);
  assert.equal(
    (read('insecureSkipEmailVerified: true', { email_verified: undefined }) as { emailVerified: boolean })
      .emailVerified,
    true,
  );
  assert.equal((read('', { email_verified: false }) as { emailVerified: boolean }).emailVerified, false);
  const groups = (settings: string, claims: object): unknown => (read(settings, claims) as { groups: unknown }).groups;
  assert.deepEqual(groups('', { groups: ['a'] }), []);
  assert.deepEqual(groups('insecureEnableGroups: true', { groups: [{ name: 'a' }, 'b', 7] }), ['a', 'b']);
  assert.deepEqual(groups('insecureEnableGroups: true, claimMapping: {groups: roles}', { roles: 'one' }), ['one']);
  assert.deepEqual(groups('insecureEnableGroups: true, allowedGroups: [b]', { groups: ['a', 'b'] }), ['b']);
  assert.equal(read('insecureEnableGroups: true, allowedGroups: [c]', { groups: ['a'] }), 'not in an allowed group');
  const modified =
    'insecureEnableGroups: true, claimModifications: {filterGroupClaims: {groupsFilter: "^x"}, modifyGroupNames: {prefix: p-, suffix: -s}, newGroupFromClaims: [{claims: [org, team], delimiter: "-", clearDelimiter: true, prefix: g}]}';
  assert.deepEqual(groups(modified, { groups: ['x1', 'y'], org: 'o-rg', team: 't' }), ['p-x1-s', 'g-org-t']);
});
