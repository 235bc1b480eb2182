import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS, trySettings } from '../../../test/read-settings.ts';
import { systemClock, silentLogger } from '@kfctl/core';
import { microsoft } from './microsoft-connector.ts';

const deps = { id: 'microsoft', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };

runOAuth2ConnectorSuite({
  name: 'microsoft',
  tokenPath: '/acme/oauth2/v2.0/token',
  userPath: '/v1.0/me',
  pkce: true,
  refreshes: true,
  open: (origin) =>
    microsoft.open(
      readSettings(
        microsoft.schema,
        `${STUB_SETTINGS}apiURL: ${origin}\ngraphURL: ${origin}\ntenant: acme\nemailToLowercase: true\ngroups: [Ops]\npreferredUsernameField: mailNickname`,
      ),
      deps,
    ),
  routes: () => ({
    // The mail attribute is what anybody wrote there: it must not become the address.
    '/v1.0/me': forHolder({
      body: {
        id: 'o-1',
        displayName: 'Kim',
        userPrincipalName: 'Kim@Acme.example',
        mail: 'ceo@victim.example',
        mailNickname: 'kim',
      },
    }),
    '/v1.0/me/getMemberGroups': forHolder({ body: { value: ['g1', 'g2'] } }),
    '/v1.0/directoryObjects/getByIds': forHolder({ body: { value: [{ displayName: 'Ops' }, { displayName: 'All' }] } }),
  }),
  expected: {
    userId: 'o-1',
    username: 'Kim',
    preferredUsername: 'kim',
    email: 'kim@acme.example',
    emailVerified: true,
    groups: ['Ops', 'All'],
  },
});

test('groups need a tenant of one’s own, and a client needs one way to prove itself', () => {
  const complaints = (settings: string): string =>
    trySettings(microsoft.schema, STUB_SETTINGS + settings).errors.join('\n');
  assert.match(complaints('groups: [a]'), /need a tenant/);
  assert.match(complaints('clientAssertion: /token'), /exactly one/);
  assert.match(complaints('tenant: ../evil'), /not a tenant/);
});
