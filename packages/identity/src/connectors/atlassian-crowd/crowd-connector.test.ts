import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import { startUpstreamServer } from '../../../../testkit/src/upstream-server.ts';
import { readSettings } from '../../../test/read-settings.ts';
import { atlassianCrowd } from './crowd-connector.ts';

const deps = { id: 'crowd', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };
const SCOPES = { groups: true, offlineAccess: true };
const KIM = { key: 'k-1', name: 'kim', email: 'kim@example.com', active: true };

test('logs people in with nested groups, denies wrong passwords, and asks again on a refresh', async (t) => {
  const base = '/crowd/rest/usermanagement/1';
  const upstream = await startUpstreamServer({
    [`${base}/authentication`]: ({ query, json, headers }) => {
      if (headers.authorization !== `Basic ${Buffer.from('app:pw').toString('base64')}`) return { status: 401 };
      const right = query.get('username') === 'kim' && (json as { value: string }).value === 'secret';
      return right ? { body: KIM } : { status: 400, body: { reason: 'INVALID_USER_AUTHENTICATION' } };
    },
    [`${base}/user`]: { body: KIM },
    [`${base}/user/group/nested`]: { body: { groups: [{ name: 'ops' }, { name: 'all' }] } },
  });
  t.after(() => upstream.close());
  const yaml = `baseURL: ${upstream.origin}/crowd/\nclientID: app\nclientSecret: pw\ngroups: [ops]\npreferredUsernameField: key`;
  const connector = await atlassianCrowd.open(readSettings(atlassianCrowd.schema, yaml), deps);
  t.after(() => connector.close?.());
  const login = (username: string, password: string) => connector.password?.login({ username, password }, SCOPES);
  const outcome = await login('kim', 'secret');
  assert.ok(outcome?.kind === 'authenticated');
  assert.deepEqual(outcome.identity, {
    userId: 'k-1',
    username: 'kim',
    preferredUsername: 'k-1',
    email: 'kim@example.com',
    emailVerified: true,
    groups: ['ops'],
  });
  assert.equal((await login('kim', 'wrong'))?.kind, 'denied');
  assert.equal((await login('kim&username=root', 'secret'))?.kind, 'denied');
  assert.equal((await connector.refresh?.refresh(outcome, SCOPES))?.kind, 'authenticated');
  upstream.routes.set(`${base}/user`, { body: { ...KIM, key: 'k-2' } });
  assert.equal((await connector.refresh?.refresh(outcome, SCOPES))?.kind, 'denied');
  upstream.routes.set(`${base}/user`, { body: { ...KIM, active: false } });
  assert.equal((await connector.refresh?.refresh(outcome, SCOPES))?.kind, 'denied');
  upstream.routes.set(`${base}/authentication`, { status: 500, body: '' });
  await assert.rejects(async () => await login('kim', 'secret'), /answered 500/);
});
