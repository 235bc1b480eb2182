/** Who is in none of the groups that a connector asks for is refused, though nobody asked for the scope; at the login and at a refresh. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import { startUpstreamServer, STUB, tokenEndpoint } from '../../../testkit/src/upstream-server.ts';
import type { StubRoute } from '../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../test/read-settings.ts';
import { atlassianCrowd } from './atlassian-crowd/crowd-connector.ts';
import { bitbucketCloud, createBitbucketConnector } from './bitbucket-cloud/bitbucket-connector.ts';
import type { Connector, LoginOutcome } from './connector.ts';
import { gitea } from './gitea/gitea-connector.ts';
import { gitlab } from './gitlab/gitlab-connector.ts';
import { googleSchema } from './google/google-config.ts';
import { createGoogleConnector } from './google/google-connector.ts';
import { microsoft } from './microsoft/microsoft-connector.ts';
import { openshift } from './openshift/openshift-connector.ts';

const NOTHING_ASKED = { groups: false, offlineAccess: true };
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const directory = mkdtempSync(path.join(tmpdir(), 'allowed-groups-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const deps = (id: string) => ({ id, log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' });

interface Case {
  /** The group of the person, as the connector tells it. */
  readonly group: string;
  readonly tokenPath: string;
  routes(origin: string): Readonly<Record<string, StubRoute>>;
  tokens?(origin: string): object;
  /** `allowed` is a flow sequence of YAML. */
  open(origin: string, allowed: string): Promise<Connector> | Connector;
}

function googleToken(origin: string): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: origin, aud: STUB.clientID, sub: 'g-1', email: 'kim@acme.example', email_verified: true };
  const more = { name: 'Kim', hd: 'acme.example', nonce: 'mine', iat: now, exp: now + 300 };
  return signJwt({ ...claims, ...more }, { kid: 'g1', alg: 'RS256', key: privateKey });
}

function serviceAccount(origin: string): string {
  const file = path.join(directory, 'account.json');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(
    file,
    JSON.stringify({ client_email: 'r@x', private_key: key, private_key_id: 'r1', token_uri: `${origin}/robot` }),
  );
  return file;
}

const CASES: Readonly<Record<string, Case>> = {
  google: {
    group: 'ops@acme.example',
    tokenPath: '/token',
    tokens: (origin) => ({ id_token: googleToken(origin) }),
    routes: () => ({
      '/certs': { body: { keys: [exportPublicJwk(publicKey, 'g1')] } },
      '/robot': { body: { access_token: STUB.accessToken } },
      '/directory/groups': { body: { groups: [{ email: 'ops@acme.example' }] } },
    }),
    open: (origin, allowed) => {
      const more = `groups: ${allowed}\nserviceAccountFilePath: ${serviceAccount(origin)}\ndomainToAdminEmail: {acme.example: boss@acme.example}`;
      const places = {
        issuer: origin,
        authorization: `${origin}/auth`,
        token: `${origin}/token`,
        keys: `${origin}/certs`,
        directory: `${origin}/directory`,
      };
      return createGoogleConnector(readSettings(googleSchema, STUB_SETTINGS + more), { clock: systemClock }, places);
    },
  },
  gitlab: {
    group: 'ops',
    tokenPath: '/oauth/token',
    routes: () => ({
      '/api/v4/user': { body: { id: 12, username: 'kim', name: 'Kim', email: 'kim@example.com', state: 'active' } },
      '/oauth/userinfo': { body: { groups: ['ops'] } },
    }),
    open: (origin, allowed) =>
      gitlab.open(
        readSettings(gitlab.schema, `${STUB_SETTINGS}baseURL: ${origin}\ngroups: ${allowed}`),
        deps('gitlab'),
      ),
  },
  microsoft: {
    group: 'Ops',
    tokenPath: '/acme/oauth2/v2.0/token',
    routes: () => ({
      '/v1.0/me': { body: { id: 'o-1', displayName: 'Kim', userPrincipalName: 'kim@acme.example' } },
      '/v1.0/me/getMemberGroups': { body: { value: ['g1'] } },
      '/v1.0/directoryObjects/getByIds': { body: { value: [{ displayName: 'Ops' }] } },
    }),
    open: (origin, allowed) => {
      const more = `apiURL: ${origin}\ngraphURL: ${origin}\ntenant: acme\ngroups: ${allowed}`;
      return microsoft.open(readSettings(microsoft.schema, STUB_SETTINGS + more), deps('microsoft'));
    },
  },
  'bitbucket-cloud': {
    group: 'one',
    tokenPath: '/site/oauth2/access_token',
    routes: () => ({
      '/2.0/user': { body: { uuid: '{1}', username: 'kim', display_name: 'Kim' } },
      '/2.0/user/emails': { body: { values: [{ email: 'kim@example.com', is_primary: true, is_confirmed: true }] } },
      '/2.0/user/permissions/workspaces': { body: { values: [{ workspace: { slug: 'one' }, permission: 'owner' }] } },
    }),
    open: (origin, allowed) => {
      const config = readSettings(bitbucketCloud.schema, `${STUB_SETTINGS}teams: ${allowed}`);
      return createBitbucketConnector(config, { web: origin, api: `${origin}/2.0` });
    },
  },
  gitea: {
    group: 'acme',
    tokenPath: '/login/oauth/access_token',
    routes: () => ({
      '/api/v1/user': { body: { id: 3, login: 'kim', full_name: 'Kim', email: 'kim@example.com' } },
      '/api/v1/user/orgs': { body: [{ username: 'acme' }] },
      '/api/v1/user/teams': { body: [{ name: 'core', organization: { name: 'acme' } }] },
    }),
    open: (origin, allowed) => {
      const orgs = allowed.replaceAll(/[[\]]/g, '');
      return gitea.open(
        readSettings(gitea.schema, `${STUB_SETTINGS}baseURL: ${origin}\norgs: [{name: ${orgs}}]`),
        deps('gitea'),
      );
    },
  },
  openshift: {
    group: 'devs',
    tokenPath: '/oauth/token',
    routes: (origin) => ({
      '/.well-known/oauth-authorization-server': {
        body: { authorization_endpoint: `${origin}/oauth/authorize`, token_endpoint: `${origin}/oauth/token` },
      },
      '/apis/user.openshift.io/v1/users/~': { body: { metadata: { name: 'kim', uid: 'u-9' }, groups: ['devs'] } },
    }),
    open: (origin, allowed) =>
      openshift.open(
        readSettings(openshift.schema, `${STUB_SETTINGS}issuer: ${origin}\ngroups: ${allowed}`),
        deps('openshift'),
      ),
  },
};

const finish = async (connector: Connector): Promise<LoginOutcome | undefined> =>
  await connector.callback?.finish({
    query: new URLSearchParams({ code: STUB.code }),
    carried: { nonce: 'mine' },
    scopes: NOTHING_ASKED,
    headers: {},
    ownPath: false,
  });

for (const [type, { group, tokenPath, routes, tokens, open }] of Object.entries(CASES)) {
  test(`${type}: members of an allowed group log in, others do not, and whoever has left it is refused at a refresh`, async (t) => {
    const upstream = await startUpstreamServer();
    const { origin } = upstream;
    for (const [place, route] of Object.entries(routes(origin))) upstream.routes.set(place, route);
    upstream.routes.set(
      tokenPath,
      tokenEndpoint(
        () => undefined,
        () => tokens?.(origin) ?? {},
      ),
    );
    const member = await open(origin, `[${group}]`);
    const stranger = await open(origin, '[another]');
    t.after(async () => {
      await Promise.all([member.close?.(), stranger.close?.()]);
      await upstream.close();
    });
    const outcome = await finish(member);
    assert.ok(outcome?.kind === 'authenticated', JSON.stringify(outcome));
    assert.equal((await member.refresh?.refresh(outcome, NOTHING_ASKED))?.kind, 'authenticated');
    assert.equal((await finish(stranger))?.kind, 'denied');
    // The same token, where the group is no longer enough.
    assert.equal((await stranger.refresh?.refresh(outcome, NOTHING_ASKED))?.kind, 'denied');
  });
}

test('atlassian-crowd: members of an allowed group log in, others do not', async (t) => {
  const base = '/crowd/rest/usermanagement/1';
  const kim = { key: 'k-1', name: 'kim', email: 'kim@example.com', active: true };
  const upstream = await startUpstreamServer({
    [`${base}/authentication`]: { body: kim },
    [`${base}/user`]: { body: kim },
    [`${base}/user/group/nested`]: { body: { groups: [{ name: 'ops' }] } },
  });
  t.after(() => upstream.close());
  const kindWith = async (allowed: string): Promise<string | undefined> => {
    const yaml = `baseURL: ${upstream.origin}/crowd\nclientID: app\nclientSecret: pw\ngroups: [${allowed}]`;
    const connector = await atlassianCrowd.open(readSettings(atlassianCrowd.schema, yaml), deps('crowd'));
    t.after(() => connector.close?.());
    return (await connector.password?.login({ username: 'kim', password: 'x' }, NOTHING_ASKED))?.kind;
  };
  assert.equal(await kindWith('ops'), 'authenticated');
  assert.equal(await kindWith('another'), 'denied');
});
