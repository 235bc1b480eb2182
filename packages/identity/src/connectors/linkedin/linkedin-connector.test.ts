import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { createLinkedinConnector, linkedin } from './linkedin-connector.ts';

runOAuth2ConnectorSuite({
  name: 'linkedin',
  tokenPath: '/oauth/v2/accessToken',
  userPath: '/v2/me',
  pkce: false,
  refreshes: true,
  open: (origin) =>
    Promise.resolve(
      createLinkedinConnector(readSettings(linkedin.schema, STUB_SETTINGS), { web: origin, api: origin }),
    ),
  routes: () => ({
    '/v2/me': forHolder({ body: { id: 'yr', localizedFirstName: 'Kim', localizedLastName: 'Lee' } }),
    '/v2/emailAddress': forHolder({ body: { elements: [{ 'handle~': { emailAddress: 'kim@example.com' } }] } }),
  }),
  expected: {
    userId: 'yr',
    username: 'Kim Lee',
    preferredUsername: '',
    email: 'kim@example.com',
    emailVerified: true,
    groups: [],
  },
});
