import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Secret, silentLogger, systemClock, systemRandom } from '@kfctl/core';
import { createSealer, createSessionTokens } from '@kfctl/oidc';
import { testSessionStore } from '../../../testkit/src/session-store.ts';
import { openRedisStore } from './redis-store.ts';
import type { RedisConfig } from './redis-store.ts';
import { Sessions } from './sessions.ts';

let directory = '';
let port = 0;
let server: ChildProcess;
let places = 0;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'authservice-redis-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  ({ port } = probe.address() as AddressInfo);
  probe.close();
  await once(probe, 'close');
  await startRedis();
});
after(async () => {
  await stopRedis();
  await rm(directory, { recursive: true, force: true });
});

async function startRedis(): Promise<void> {
  const settings = {
    port,
    bind: '127.0.0.1',
    dir: directory,
    requirepass: 'redis-password',
    save: '',
    appendonly: 'yes',
    appendfsync: 'no',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  server = spawn('redis-server', flags, { stdio: 'ignore' });
  while (!(await canConnect())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function stopRedis(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  server.kill(signal);
  if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
}

function canConnect(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}

function configOf(prefix: string): RedisConfig {
  return {
    host: '127.0.0.1',
    port,
    database: 1,
    username: undefined,
    password: new Secret('redis-password'),
    tls: false,
    caFile: undefined,
    sentinels: [],
    masterName: '',
    sentinelPassword: undefined,
    prefix,
  };
}

async function openReady(prefix: string): ReturnType<typeof openRedisStore> {
  const store = await openRedisStore(configOf(prefix), silentLogger);
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
  const secrets = [new Secret('k'.repeat(44))];
  const tokens = createSessionTokens({ secrets, random: systemRandom });
  const store = await openReady('outage:');
  const sessions = new Sessions({
    store,
    sealer: createSealer({ secrets, purpose: 'session' }),
    tokens,
    clock: systemClock,
    log: silentLogger,
    maxAgeMs: 3_600_000,
    idleTimeoutMs: Number.POSITIVE_INFINITY,
  });
  t.after(() => {
    abort.abort();
    return store.close?.();
  });
  await sessions.open(abort.signal);
  const ann = { userId: 'ann@example.com', groups: [], subject: 's', userAgent: '', tokens: {} };
  const { token } = await sessions.create(ann);
  assert.equal(sessions.find(token)?.userId, 'ann@example.com');
  await stopRedis('SIGKILL');
  while (sessions.isReady) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sessions.find(token), undefined);
  await assert.rejects(sessions.lookUp(token), { status: 503 });
  await assert.rejects(sessions.create(ann), { status: 503 });
  await startRedis();
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
