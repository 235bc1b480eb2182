import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder, startUpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import type { StubRequest, UpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
import type { Connector } from '../connector.ts';
import { gitlab } from './gitlab-connector.ts';

const deps = { id: 'gitlab', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };

runOAuth2ConnectorSuite({
  name: 'gitlab',
  tokenPath: '/oauth/token',
  userPath: '/api/v4/user',
  pkce: true,
  refreshes: true,
  open: (origin) =>
    gitlab.open(
      readSettings(
        gitlab.schema,
        `${STUB_SETTINGS}baseURL: ${origin}/\ngetGroupsPermission: true\ngroups: [ops, "ops:owner"]`,
      ),
      deps,
    ),
  routes: () => ({
    '/api/v4/user': forHolder({
      body: { id: 12, username: 'kim', name: 'Kim', email: 'kim@example.com', state: 'active', confirmed_at: null },
    }),
    '/oauth/userinfo': forHolder({
      body: { groups: ['ops', 'other'], 'https://gitlab.org/claims/groups/owner': ['ops'] },
    }),
  }),
  expected: {
    userId: '12',
    username: 'Kim',
    preferredUsername: 'kim',
    email: 'kim@example.com',
    emailVerified: false,
    groups: ['ops', 'ops:owner'],
  },
});

const USER = { id: 12, username: 'kim', name: 'Kim', email: 'kim@example.com', state: 'active' };
/** What GitLab lists for a least access: everything visible without one. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  '': ['ops', 'ops/web', 'public'],
  '10': ['ops', 'ops/web', 'guests'],
  '30': ['ops', 'ops/web'],
  '40': ['ops'],
  '50': ['ops'],
};

async function startGitlab(t: TestContext, settings = ''): Promise<{ upstream: UpstreamServer; connector: Connector }> {
  const groups = ({ query }: StubRequest) => {
    const all = LISTED[query.get('min_access_level') ?? ''] ?? [];
    const page = Number(query.get('page') ?? '1');
    const headers = page < all.length ? { 'x-next-page': String(page + 1) } : { 'x-next-page': '' };
    return { headers, body: all.slice(page - 1, page).map((path) => ({ full_path: path })) };
  };
  const upstream = await startUpstreamServer({ '/api/v4/user': { body: USER }, '/api/v4/groups': groups });
  t.after(() => upstream.close());
  const yaml = `${STUB_SETTINGS}baseURL: ${upstream.origin}\ninheritedGroups: true\n${settings}`;
  const connector = await gitlab.open(readSettings(gitlab.schema, yaml), deps);
  t.after(() => connector.close?.());
  return { upstream, connector };
}

const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const asked = { loginHint: undefined, seal: () => 'state' };

test('inheritedGroups: groups of parents too, over several pages, with the highest role; never merely public ones', async (t) => {
  const { upstream, connector } = await startGitlab(t, 'getGroupsPermission: true\n');
  upstream.routes.set('/oauth/token/info', { body: { application: { uid: 'our-client' } } });
  const outcome = await connector.tokenIdentity?.identify('token', ACCESS);
  assert.ok(outcome?.kind === 'authenticated');
  assert.deepEqual(outcome.identity.groups, ['ops', 'ops/web', 'guests', 'ops:owner', 'ops/web:developer']);
  const begun = await connector.callback?.begin({ ...asked, scopes: { groups: true, offlineAccess: false } });
  assert.equal(new URL(begun?.location ?? '').searchParams.get('scope'), 'read_user openid read_api');
  const plain = await connector.callback?.begin({ ...asked, scopes: { groups: false, offlineAccess: false } });
  assert.equal(new URL(plain?.location ?? '').searchParams.get('scope'), 'read_user');
});

test('token exchange: a token of another application, none of an application, and an ID token are refused', async (t) => {
  const { upstream, connector } = await startGitlab(t);
  for (const [info, reason] of [
    [{ body: { application: { uid: 'another' } } }, /another application/],
    [{ body: {} }, /another application/],
    [{ status: 401, body: {} }, /no longer honours/],
  ] as const) {
    upstream.routes.set('/oauth/token/info', info);
    const outcome = await connector.tokenIdentity?.identify('token', ACCESS);
    assert.ok(outcome?.kind === 'denied');
    assert.match(outcome.reason, reason);
  }
  assert.equal(
    (await connector.tokenIdentity?.identify('token', 'urn:ietf:params:oauth:token-type:id_token'))?.kind,
    'denied',
  );
});
