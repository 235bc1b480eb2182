import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
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
