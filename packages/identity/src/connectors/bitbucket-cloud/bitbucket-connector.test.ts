import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { bitbucketCloud, createBitbucketConnector } from './bitbucket-connector.ts';

runOAuth2ConnectorSuite({
  name: 'bitbucket-cloud',
  tokenPath: '/site/oauth2/access_token',
  userPath: '/2.0/user',
  pkce: false,
  refreshes: true,
  open: (origin) => {
    const config = readSettings(bitbucketCloud.schema, `${STUB_SETTINGS}getWorkspacePermissions: true`);
    return Promise.resolve(createBitbucketConnector(config, { web: origin, api: `${origin}/2.0` }));
  },
  routes: (origin) => ({
    '/2.0/user': forHolder({ body: { uuid: '{1}', username: 'kim', display_name: 'Kim' } }),
    '/2.0/user/emails': forHolder({
      body: {
        values: [
          { email: 'evil@victim.example', is_primary: true, is_confirmed: false },
          { email: 'kim@example.com', is_primary: true, is_confirmed: true },
        ],
      },
    }),
    '/2.0/user/permissions/workspaces': forHolder(({ query }) =>
      query.has('page')
        ? { body: { values: [{ workspace: { slug: 'two' }, permission: 'member' }] } }
        : {
            body: {
              values: [{ workspace: { slug: 'one' }, permission: 'owner' }],
              next: `${origin}/2.0/user/permissions/workspaces?page=2`,
            },
          },
    ),
  }),
  expected: {
    userId: '{1}',
    username: 'Kim',
    preferredUsername: 'kim',
    email: 'kim@example.com',
    emailVerified: true,
    groups: ['one', 'one:owner', 'two', 'two:member'],
  },
});
