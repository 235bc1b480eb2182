import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
import { openshift } from './openshift-connector.ts';

const deps = { id: 'openshift', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };

runOAuth2ConnectorSuite({
  name: 'openshift',
  tokenPath: '/oauth/token',
  userPath: '/apis/user.openshift.io/v1/users/~',
  pkce: true,
  refreshes: true,
  open: (origin) =>
    openshift.open(readSettings(openshift.schema, `${STUB_SETTINGS}issuer: ${origin}\ngroups: [devs]`), deps),
  routes: (origin) => ({
    '/.well-known/oauth-authorization-server': {
      body: { authorization_endpoint: `${origin}/oauth/authorize`, token_endpoint: `${origin}/oauth/token` },
    },
    '/apis/user.openshift.io/v1/users/~': forHolder({
      body: { metadata: { name: 'kim', uid: 'u-9' }, groups: ['devs', 'ops'] },
    }),
  }),
  expected: {
    userId: 'u-9',
    username: 'kim',
    preferredUsername: 'kim',
    email: 'kim',
    emailVerified: false,
    groups: ['devs', 'ops'],
  },
});
