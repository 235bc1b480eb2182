import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import { startUpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import { readSettings } from '../../../test/read-settings.ts';
import { keystone } from './keystone-connector.ts';

const deps = { id: 'keystone', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };
const SCOPES = { groups: true, offlineAccess: true };

test('logs people in, tells wrong passwords from trouble, and asks again on a refresh', async (t) => {
  const upstream = await startUpstreamServer({
    '/v3/auth/tokens': ({ json }) => {
      const { name, password } = (json as { auth: { identity: { password: { user: Record<string, string> } } } }).auth
        .identity.password.user;
      const right = (name === 'kim' && password === 'pä$$') || (name === 'robot' && password === 'r');
      if (!right) return { status: 401, body: { error: {} } };
      return {
        status: 201,
        headers: { 'x-subject-token': `token-${name}` },
        body: { token: { user: { id: 'u1', name } } },
      };
    },
    '/v3/users/u1': { body: { user: { id: 'u1', name: 'kim', email: 'kim@example.com', enabled: true } } },
    '/v3/users/u1/groups': ({ headers }) =>
      headers['x-auth-token'] === 'token-robot' ? { body: { groups: [{ name: 'ops' }] } } : { status: 403 },
  });
  t.after(() => upstream.close());
  const config = readSettings(
    keystone.schema,
    `keystoneHost: ${upstream.origin}\nkeystoneUsername: robot\nkeystonePassword: r`,
  );
  const connector = await keystone.open(config, deps);
  t.after(() => connector.close?.());
  const outcome = await connector.password?.login({ username: 'kim', password: 'pä$$' }, SCOPES);
  assert.ok(outcome?.kind === 'authenticated');
  const { identity } = outcome;
  assert.deepEqual(identity, {
    userId: 'u1',
    username: 'kim',
    preferredUsername: '',
    email: 'kim@example.com',
    emailVerified: false,
    groups: ['ops'],
  });
  const asked = upstream.requests.length;
  for (const password of ['wrong', ''])
    assert.equal((await connector.password?.login({ username: 'kim', password }, SCOPES))?.kind, 'denied');
  assert.equal(upstream.requests.length, asked + 1, 'an empty password asks nobody');
  assert.deepEqual(await connector.refresh?.refresh({ identity }, SCOPES), { kind: 'authenticated', identity });
  upstream.routes.set('/v3/users/u1', { body: { user: { id: 'u1', name: 'kim', enabled: false } } });
  assert.equal((await connector.refresh?.refresh({ identity }, SCOPES))?.kind, 'denied');
  upstream.routes.set('/v3/auth/tokens', { status: 503, body: 'x' });
  await assert.rejects(
    async () => await connector.password?.login({ username: 'kim', password: 'pä$$' }, SCOPES),
    /answered 503/,
  );
});
