import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
import { oauth } from './oauth-connector.ts';

const deps = { id: 'oauth', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };

runOAuth2ConnectorSuite({
  name: 'oauth',
  tokenPath: '/token',
  userPath: '/userinfo',
  pkce: true,
  refreshes: false,
  open: (origin) =>
    oauth.open(
      readSettings(
        oauth.schema,
        `${STUB_SETTINGS}tokenURL: ${origin}/token\nauthorizationURL: ${origin}/authorize?kind=x\nuserInfoURL: ${origin}/userinfo\nscopes: [who]\nuserIDKey: uid`,
      ),
      deps,
    ),
  routes: () => ({
    // Only the boolean means verified: a text could be anything.
    '/userinfo': forHolder({
      body: {
        uid: 'u-1',
        user_name: 'Kim',
        email: 'kim@example.com',
        email_verified: 'yes',
        groups: ['a', { name: 'b' }, 7],
      },
    }),
  }),
  expected: {
    userId: 'u-1',
    username: 'Kim',
    preferredUsername: '',
    email: 'kim@example.com',
    emailVerified: false,
    groups: ['a', 'b'],
  },
});
