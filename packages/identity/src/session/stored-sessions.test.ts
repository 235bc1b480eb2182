/** Sessions that are ended: while their browser exchanges its token, and many at once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { silentLogger, systemRandom } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { SAMPLE_RECORDS } from '../../../testkit/src/identity-storage.ts';
import type { WebConfig } from '../config/config.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { hashToken } from './browser-binding.ts';
import { createLoginSessions } from './login-sessions.ts';
import type { LoginSessions } from './login-sessions.ts';
import type { LogoutDeliveries } from './logout-deliveries.ts';
import { endSessions } from './stored-sessions.ts';

const clock = { now: () => Date.UTC(2030, 0, 1) };
const TOKEN = 'a'.repeat(43);
const SETTINGS = {
  cookieName: 'dex_session',
  absoluteLifetime: 3_600_000,
  validIfNotUsedFor: 0,
  rememberMeCheckedByDefault: false,
  ssoSharedWithDefault: 'none',
} as const;
const LIFETIMES = { disableRotation: false, reuseInterval: 0, validIfNotUsedFor: 0, absoluteLifetime: 0 };
const EXPIRY = { signingKeys: 1, idTokens: 1, authRequests: 1, deviceRequests: 1, refreshTokens: LIFETIMES };

const WEB: WebConfig = {
  http: undefined,
  https: undefined,
  tlsCert: '',
  tlsKey: '',
  tlsMinVersion: '1.2',
  tlsMaxVersion: '1.3',
  headers: {},
  allowedOrigins: [],
  allowedHeaders: [],
  clientRemoteIP: { header: '', trustedProxies: [] },
};

const nobody = (): Promise<void> => Promise.resolve();
const endAll = (storage: Storage, tell: LogoutDeliveries['tell'] = nobody): Promise<number> =>
  endSessions(
    {
      storage,
      clock,
      log: silentLogger,
      findClient: () => Promise.resolve(undefined),
      logouts: { tell, retryDue: nobody },
    },
    () => true,
  );

const openSessions = (storage: Storage): LoginSessions =>
  createLoginSessions({
    settings: SETTINGS,
    config: { issuer: 'https://a/dex', basePath: '/dex', expiry: EXPIRY, web: WEB },
    storage,
    clock,
    random: systemRandom,
    log: silentLogger,
  });

for (const moment of ['before', 'after'] as const) {
  test(`a session that is ended just ${moment} its new token is stored stays ended`, async () => {
    const memory = createMemoryStorage();
    const record = { ...SAMPLE_RECORDS.loginSession.record, authTimeMs: clock.now(), issuedAt: 0, twin: '' };
    await memory.create('loginSession', hashToken(TOKEN), record);
    let ended = 0;
    const storage: Storage = {
      ...memory,
      create: async (...record) => {
        if (moment === 'before') ended += await endAll(memory);
        const created = await memory.create(...record);
        if (moment === 'after') ended += await endAll(memory);
        return created;
      },
    };
    const sessions = openSessions(storage);
    const request = { headers: { cookie: `dex_session=${TOKEN}` } } as unknown as HttpRequest;
    const found = await sessions.find(request);
    assert.ok(found);
    assert.deepEqual(await sessions.touch(request, found, {}), []);
    assert.equal(ended, 1);
    assert.deepEqual(await memory.list('loginSession'), []);
  });
}

async function withSessions(count: number): Promise<Storage> {
  const storage = createMemoryStorage();
  for (let n = 0; n < count; n += 1)
    await storage.create('loginSession', `id${n}`, { ...SAMPLE_RECORDS.loginSession.record, sid: `sid${n}` });
  return storage;
}

test('of many sessions the slow clients are told together, not one after the other', async () => {
  const storage = await withSessions(50);
  const told: string[] = [];
  let atOnce = 0;
  let most = 0;
  const ended = await endAll(storage, async ([end]) => {
    told.push(end?.sid ?? '');
    atOnce += 1;
    most = Math.max(most, atOnce);
    await setImmediate();
    atOnce -= 1;
  });
  assert.deepEqual([ended, told.length, new Set(told).size], [50, 50, 50]);
  assert.ok(most >= 10, `${String(most)} at once`);
});

test('whoever dies while many sessions are ended leaves those of whose end nobody was told', async () => {
  const storage = await withSessions(500);
  let told = 0;
  let most = 0;
  await endAll(storage, async () => {
    told += 1;
    most = Math.max(most, 500 - (await storage.list('loginSession')).length - told);
  });
  assert.equal(told, 500);
  assert.ok(most < 100, `${String(most)} sessions were gone and nobody told`);
});

for (const [age, issuedAt] of [
  ['young', clock.now()],
  ['aged', 0],
] as const) {
  test(`clients let in at once by one ${age} session are all known at its end`, async () => {
    const storage = createMemoryStorage();
    const record = {
      ...SAMPLE_RECORDS.loginSession.record,
      authTimeMs: clock.now(),
      issuedAt,
      clients: ['a'],
      twin: '',
    };
    await storage.create('loginSession', hashToken(TOKEN), record);
    const sessions = openSessions(storage);
    const request = { headers: { cookie: `dex_session=${TOKEN}` } } as unknown as HttpRequest;
    const found = await sessions.find(request);
    assert.ok(found);
    await Promise.all(['b', 'c', 'd'].map((client) => sessions.touch(request, found, { clients: ['a', client] })));
    const again = await sessions.find(request);
    assert.ok(again);
    await sessions.touch(request, again, { clients: [...again.record.clients, 'e'] });
    const told: string[] = [];
    await endAll(storage, (ends) => Promise.resolve(void told.push(...ends.map(({ clientId }) => clientId))));
    assert.deepEqual(told.toSorted(), ['a', 'b', 'c', 'd', 'e']);
  });
}

test('a logout with the token before ends what the new one let in', async () => {
  const storage = createMemoryStorage();
  const record = {
    ...SAMPLE_RECORDS.loginSession.record,
    authTimeMs: clock.now(),
    issuedAt: 0,
    clients: ['a'],
    twin: '',
  };
  await storage.create('loginSession', hashToken(TOKEN), record);
  const sessions = openSessions(storage);
  const withCookie = (cookie: string): HttpRequest => ({ headers: { cookie } }) as unknown as HttpRequest;
  const before = withCookie(`dex_session=${TOKEN}`);
  const found = await sessions.find(before);
  assert.ok(found);
  const [cookie = ''] = await sessions.touch(before, found, {});
  const renewed = withCookie(cookie.split(';')[0] ?? '');
  const newer = await sessions.find(renewed);
  assert.ok(newer);
  await sessions.touch(renewed, newer, { clients: ['a', 'b'] });
  assert.deepEqual((await sessions.end(before)).session?.clients, ['a', 'b']);
  assert.deepEqual(await storage.list('loginSession'), []);
});
