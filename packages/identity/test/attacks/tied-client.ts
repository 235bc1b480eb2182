/** Owns the attack on a client that is tied to connectors: in through any other, by any grant. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import {
  authUrl,
  basic,
  CLIENTS,
  configText,
  locationOf,
  loginForTokens,
  startTestIdentity,
  USERS,
} from '../test-identity.ts';

const GRANTS = 'authorization_code, refresh_token, password, "urn:ietf:params:oauth:grant-type:device_code"';
const OAUTH2 = `skipApprovalScreen: true, passwordConnector: local, grantTypes: [${GRANTS}]`;

/** GHSA-7qjx-gp9h-65qj. The client is tied to a connector that is not the one asked. */
export async function attackTiedClient(t: TestContext): Promise<void> {
  const identity = await startTestIdentity({ oauth2: OAUTH2 });
  t.after(() => identity.stop());
  const post = async (form: Record<string, string>, client: Record<string, string>): Promise<string> => {
    const response = await identity.post('/dex/token', form, client);
    return `${response.status} ${((await response.json()) as { error?: string }).error ?? 'ok'}`;
  };
  const tied = basic('tied', 't');
  const password = { grant_type: 'password', username: 'zoe@example.com', password: 'password', scope: 'openid' };
  assert.equal(await post(password, basic('app', 's3cret')), '200 ok');
  assert.equal(await post(password, tied), '400 unauthorized_client');
  const code = await identity.fetch(authUrl({ client_id: 'tied', redirect_uri: '/tied' }));
  assert.equal(locationOf(code).searchParams.get('error'), 'access_denied');

  const device = await identity.post('/dex/device/code', { scope: 'openid' }, tied);
  const { user_code: userCode } = (await device.json()) as { user_code: string };
  const verified = await identity.post('/dex/device/auth/verify_code', { user_code: userCode });
  const chosen = await identity.fetch(verified.headers.get('location') ?? '');
  assert.equal(chosen.status, 400, 'no way to log in is open to this client');

  // A refresh token from before the client was tied.
  const { refresh_token: token = '' } = await loginForTokens(identity, { scope: 'openid offline_access' });
  const later = CLIENTS.replace('secret: s3cret,', 'secret: s3cret, allowedConnectors: [elsewhere],');
  writeFileSync(identity.file, configText({ oauth2: OAUTH2, config: USERS + later }));
  while (!identity.log.some((line) => line.includes('"msg":"configuration changed"'))) await delay(10);
  const refresh = { grant_type: 'refresh_token', refresh_token: token };
  assert.equal(await post(refresh, basic('app', 's3cret')), '400 invalid_grant');
}
