import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
import { gitea } from './gitea-connector.ts';

const deps = { id: 'gitea', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };

runOAuth2ConnectorSuite({
  name: 'gitea',
  tokenPath: '/login/oauth/access_token',
  userPath: '/api/v1/user',
  pkce: true,
  refreshes: true,
  open: (origin) =>
    gitea.open(readSettings(gitea.schema, `${STUB_SETTINGS}baseURL: ${origin}\nloadAllGroups: true`), deps),
  routes: () => ({
    '/api/v1/user': forHolder({ body: { id: 3, login: 'kim', full_name: 'Kim', email: 'kim@example.com' } }),
    '/api/v1/user/emails': forHolder({ body: [{ email: 'kim@example.com', verified: true, primary: true }] }),
    '/api/v1/user/orgs': forHolder({ body: [{ username: 'acme' }] }),
    '/api/v1/user/teams': forHolder({ body: [{ name: 'core', organization: { name: 'acme' } }] }),
  }),
  expected: {
    userId: '3',
    username: 'Kim',
    preferredUsername: 'kim',
    email: 'kim@example.com',
    emailVerified: true,
    groups: ['acme', 'acme:core'],
  },
});
