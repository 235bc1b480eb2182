import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { Secret, silentLogger, systemClock, systemRandom } from '@kfctl/core';
import { createSealer, createSessionTokens } from '@kfctl/oidc';
import { makeCertificate } from '../../../testkit/src/certificate.ts';
import { Cleanup } from '../../../testkit/src/front-door/cleanup.ts';
import { askRedis, noRedis as skip, REDIS_PASSWORD, startRedis, startSentinel } from '../../../testkit/src/redis.ts';
import type { RedisUnderTest } from '../../../testkit/src/redis.ts';
import { sampleSession, testSessionStore } from '../../../testkit/src/session-store.ts';
import { openRedisStore } from './redis-store.ts';
import type { RedisConfig } from './redis-store.ts';
import type { SessionStore } from './session-store.ts';
import { Sessions } from './sessions.ts';

const ANN = {
  userId: 'ann@example.com',
  groups: [],
  subject: 's',
  userAgent: '',
  tokens: { refreshToken: 'a-secret' },
};
const secrets = [new Secret('k'.repeat(44))];

function openSessions(store: SessionStore): Sessions {
  return new Sessions({
    store,
    sealer: createSealer({ secrets, purpose: 'session' }),
    tokens: createSessionTokens({ secrets, random: systemRandom }),
    clock: systemClock,
    log: silentLogger,
    maxAgeMs: 3_600_000,
    idleTimeoutMs: Number.POSITIVE_INFINITY,
  });
}

describe('sessions in redis', { skip }, () => {
  const cleanup = new Cleanup();
  let redis: RedisUnderTest;
  let places = 0;

  before(async () => void (redis = await startRedis(cleanup)));
  after(() => cleanup.run());

  function configOf(prefix: string, more: Partial<RedisConfig> = {}): RedisConfig {
    return {
      host: '127.0.0.1',
      port: redis.port,
      database: 1,
      username: undefined,
      password: new Secret(REDIS_PASSWORD),
      tls: false,
      authorities: undefined,
      sentinels: [],
      masterName: '',
      sentinelPassword: undefined,
      prefix,
      ...more,
    };
  }

  async function openReady(prefix: string, more: Partial<RedisConfig> = {}): Promise<SessionStore> {
    const store = await openRedisStore(configOf(prefix, more), silentLogger);
    // Commands are refused until there is a connection.
    for (;;) {
      if (
        await store.get('0'.repeat(64)).then(
          () => true,
          () => false,
        )
      )
        return store;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  testSessionStore('redis', async () => {
    places += 1;
    const prefix = `place-${places}:`;
    return { open: () => openReady(prefix), shared: true };
  });

  test('while redis is away nobody is let in on a guess, and sessions are back with it', async (t) => {
    const abort = new AbortController();
    const store = await openReady('outage:');
    const sessions = openSessions(store);
    t.after(() => {
      abort.abort();
      return store.close?.();
    });
    await sessions.open(abort.signal);
    const { token } = await sessions.create(ANN);
    assert.equal(sessions.find(token)?.userId, 'ann@example.com');
    await redis.kill();
    while (sessions.isReady) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(sessions.find(token), undefined);
    await assert.rejects(sessions.lookUp(token), { status: 503 });
    await assert.rejects(sessions.create(ANN), { status: 503 });
    await redis.start();
    while (!sessions.isReady) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(sessions.find(token)?.userId, 'ann@example.com');
  });

  test('redis that is not there does not keep a process from starting', async () => {
    const store = await openRedisStore({ ...configOf('x:'), port: 1 }, silentLogger);
    await assert.rejects(store.get('x'));
    await store.close?.();
  });

  test('a wrong password is no way in', async () => {
    const store = await openRedisStore({ ...configOf('x:'), password: new Secret('wrong') }, silentLogger);
    await assert.rejects(store.get('x'));
    await store.close?.();
  });

  test('nothing readable lies in redis, and it is gone when its time is over', async (t) => {
    const store = await openReady('plain:');
    const abort = new AbortController();
    t.after(() => {
      abort.abort();
      return store.close?.();
    });
    const sessions = openSessions(store);
    await sessions.open(abort.signal);
    const { token, session } = await sessions.create(ANN);
    const kept = await askRedis(
      redis.port,
      'EVAL',
      "redis.call('SELECT', 1) return redis.call('GET', KEYS[1])",
      '1',
      `plain:session:${session.id}`,
    );
    assert.match(kept, /\d{13} [\w-]{100}/);
    for (const word of ['ann@', 'a-secret', 'refreshToken', token]) assert.equal(kept.includes(word), false, word);
    const ttl = await askRedis(
      redis.port,
      'EVAL',
      "redis.call('SELECT', 1) return redis.call('PTTL', KEYS[1])",
      '1',
      `plain:session:${session.id}`,
    );
    const leftMs = Number(ttl.replace(/^:/, ''));
    assert.ok(leftMs > 0 && leftMs <= 3_600_000, ttl);
  });

  test('over TLS only an authority that is named is believed', async (t) => {
    const own = new Cleanup();
    t.after(() => own.run());
    const { certFile, keyFile } = await makeCertificate(own);
    const { port } = await startRedis(own, { tls: { certFile, keyFile } });
    const authorities = readFileSync(certFile, 'utf8');
    const trusted = await openReady('tls:', { port, tls: true, authorities });
    t.after(() => trusted.close?.());
    await trusted.write(sampleSession(1));
    assert.equal((await trusted.get(sampleSession(1).id))?.sealed, 'sealed-1');
    for (const more of [{ tls: true }, { tls: false }]) {
      const doubtful = await openRedisStore(configOf('tls:', { port, ...more }), silentLogger);
      t.after(() => doubtful.close?.());
      await assert.rejects(doubtful.get(sampleSession(1).id));
    }
  });

  test('sentinels name another master when the first is killed, and sessions live on', async (t) => {
    const own = new Cleanup();
    t.after(() => own.run());
    const master = await startRedis(own);
    const replica = await startRedis(own, { replicaOf: master.port });
    const sentinel = await startSentinel(own, master.port);
    const abort = new AbortController();
    const more = { sentinels: [{ host: '127.0.0.1', port: sentinel }], masterName: 'mymaster', database: 0 };
    const store = await openReady('watched:', more);
    t.after(() => {
      abort.abort();
      return store.close?.();
    });
    const sessions = openSessions(store);
    await sessions.open(abort.signal);
    const { token } = await sessions.create(ANN);
    // Replication is not immediate; what had not arrived would be lost with the master.
    while (!(await askRedis(replica.port, 'KEYS', 'watched:*')).includes('watched:session')) await pause();
    await master.kill();
    while (sessions.isReady) await pause();
    assert.equal(sessions.find(token), undefined);
    while (!sessions.isReady) await pause();
    assert.equal(sessions.find(token)?.userId, 'ann@example.com');
    const { token: fresh } = await sessions.create(ANN);
    assert.equal(sessions.find(fresh)?.userId, 'ann@example.com');
  });
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
