/** Sessions that are ended while their browser exchanges its token. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemRandom } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { SAMPLE_RECORDS } from '../../../testkit/src/identity-storage.ts';
import type { WebConfig } from '../config/config.ts';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { hashToken } from './browser-binding.ts';
import { createLoginSessions } from './login-sessions.ts';
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

const endAll = (storage: Storage): Promise<number> =>
  endSessions(
    {
      storage,
      clock,
      log: silentLogger,
      findClient: () => Promise.resolve(undefined),
      logouts: { tell: () => Promise.resolve(), retryDue: () => Promise.resolve() },
    },
    () => true,
  );

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
    const config = { issuer: 'https://a/dex', basePath: '/dex', expiry: EXPIRY, web: WEB };
    const sessions = createLoginSessions({
      settings: SETTINGS,
      config,
      storage,
      clock,
      random: systemRandom,
      log: silentLogger,
    });
    const request = { headers: { cookie: `dex_session=${TOKEN}` } } as unknown as HttpRequest;
    const found = await sessions.find(request);
    assert.ok(found);
    assert.deepEqual(await sessions.touch(request, found, {}), []);
    assert.equal(ended, 1);
    assert.deepEqual(await memory.list('loginSession'), []);
  });
}
