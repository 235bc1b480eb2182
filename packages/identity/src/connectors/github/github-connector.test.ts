import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS, trySettings } from '../../../test/read-settings.ts';
import { startUpstreamServer, STUB, tokenEndpoint } from '../../../../testkit/src/upstream-server.ts';
import { createGithubConnector } from './github-connector.ts';
import { githubSchema } from './github-config.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Connector, LoginOutcome } from '../connector.ts';

const USER = { id: 583231, login: 'octocat', name: 'The Octocat' };
const EMAILS = [
  { email: 'evil@victim.example', primary: false, verified: false },
  { email: 'octo@work.example', primary: false, verified: true },
  { email: 'octo@home.example', primary: true, verified: true },
];
const TEAMS = [{ name: 'Core Team', slug: 'core-team', organization: { login: 'acme' } }];

function open(origin: string, settings = 'loadAllGroups: true'): Promise<Connector> {
  const config = readSettings(githubSchema, STUB_SETTINGS + settings);
  return Promise.resolve(createGithubConnector(config, { web: origin, api: `${origin}/api` }));
}

runOAuth2ConnectorSuite({
  name: 'github',
  tokenPath: '/login/oauth/access_token',
  userPath: '/api/user',
  pkce: true,
  refreshes: true,
  open,
  routes: () => ({
    '/api/user': forHolder({ body: USER }),
    '/api/user/emails': forHolder({ body: EMAILS }),
    '/api/user/orgs': forHolder({ body: [{ login: 'acme' }, { login: 'club' }] }),
    '/api/user/teams': forHolder({ body: TEAMS }),
  }),
  expected: {
    userId: '583231',
    username: 'The Octocat',
    preferredUsername: 'octocat',
    email: 'octo@home.example',
    emailVerified: true,
    groups: ['acme', 'acme:Core Team', 'club'],
  },
});

async function logIn(t: TestContext, settings: string, routes: object = {}): Promise<LoginOutcome> {
  const upstream = await startUpstreamServer();
  const defaults = {
    '/api/user': { body: USER },
    '/api/user/emails': { body: EMAILS },
    '/api/user/orgs': { body: [{ login: 'acme' }] },
    '/api/user/teams': { body: TEAMS },
  };
  for (const [path, route] of Object.entries({ ...defaults, ...routes })) upstream.routes.set(path, route);
  upstream.routes.set(
    '/login/oauth/access_token',
    tokenEndpoint(() => undefined),
  );
  const connector = await open(upstream.origin, settings);
  t.after(async () => {
    await connector.close?.();
    await upstream.close();
  });
  const scopes = { groups: true, offlineAccess: false };
  const outcome = await connector.callback?.finish({
    query: new URLSearchParams({ code: STUB.code }),
    carried: {},
    scopes,
    headers: {},
    ownPath: false,
  });
  assert.ok(outcome);
  return outcome;
}

async function identityOf(
  t: TestContext,
  settings: string,
): Promise<{ email: string; groups: readonly string[]; userId: string }> {
  const outcome = await logIn(t, settings);
  assert.equal(outcome.kind, 'authenticated');
  return { ...outcome.identity };
}

test('organizations and teams decide who may log in and what the groups are', async (t) => {
  assert.deepEqual((await identityOf(t, 'orgs: [{name: acme}]')).groups, ['acme:Core Team']);
  assert.deepEqual((await identityOf(t, 'orgs: [{name: acme, teams: [core-team]}]\nteamNameField: both')).groups, [
    'acme:core-team',
  ]);
  assert.equal((await logIn(t, 'orgs: [{name: acme, teams: [other]}]')).kind, 'denied');
  assert.equal((await logIn(t, 'org: rival')).kind, 'denied');
});

test('takes a preferred address, but none that was not verified', async (t) => {
  assert.equal((await identityOf(t, 'preferredEmailDomain: work.example')).email, 'octo@work.example');
  assert.equal((await identityOf(t, 'preferredEmailDomain: victim.example')).email, 'octo@home.example');
  const unverified = { '/api/user/emails': { body: [{ email: 'a@b.example', primary: true, verified: false }] } };
  await assert.rejects(logIn(t, '', unverified), /no verified primary/);
});

test('refuses a next page at another address', async (t) => {
  const link = { headers: { link: '<http://127.0.0.1:1/steal>; rel="next"' }, body: [] };
  await assert.rejects(logIn(t, '', { '/api/user/emails': link }), /another address/);
});

test('names contradictions in the settings', () => {
  const complaints = (settings: string): string =>
    trySettings(githubSchema, STUB_SETTINGS + settings).errors.join('\n');
  assert.match(complaints('rootCA: /x'), /hostName/);
  assert.match(complaints('hostName: https://x/'), /bare host name/);
  assert.match(complaints('org: a\norgs: [{name: b}]'), /both set/);
});
