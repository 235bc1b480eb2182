import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { createLogger, silentLogger, systemClock, systemRandom, Secret } from '@kfctl/core';
import { createSealer, createSessionTokens } from '@kfctl/oidc';
import { MemoryKubeClient } from '../../testkit/src/index.ts';
import { createKubernetesStore } from '../src/session/kubernetes-store.ts';
import { Sessions } from '../src/session/sessions.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startProvider, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

test('a provider that is not there yet: nobody is let in, and it recovers by itself', async (t) => {
  const first = await startProvider(t);
  await first.close();
  const service = await startService(t, { OIDC_PROVIDER: first.issuer, OIDC_AUTH_URL: '/dex/auth' });
  const browser = new Browser(service.port);
  assert.equal((await send({ port: service.readinessPort, path: '/' })).status, 503);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 503);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`, { headers: { 'sec-fetch-mode': 'cors' } })).status, 401);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/dex/auth`)).status, 200);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/authservice/verify/x`)).status, 401);
  assert.ok((await browser.fetch(`${PUBLIC_ORIGIN}/login/oidc?code=x&state=y`)).status >= 400);
  await startProvider(t, { port: first.port });
  await untilReady(service);
  assert.match((await browser.fetch(`${PUBLIC_ORIGIN}/`)).headers.location ?? '', /^\/dex\/auth\?client_id=/);
});

test('somebody else in the place of the provider is not taken for it', async (t) => {
  const provider = await startHostileProvider(t);
  provider.answers.metadata = { issuer: 'https://other.example' };
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  while (!service.logged().includes('of another issuer')) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await new Browser(service.port).fetch(`${PUBLIC_ORIGIN}/`)).status, 503);
  provider.answers.metadata = {};
  await untilReady(service);
});

test('sessions outlive a restart, and the provider being away', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);
  await loginAt(provider, browser);
  await service.stop();
  await provider.close();
  const again = await startService(t, service.env);
  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  const answer = await send({ port: again.port, path: '/', headers: { cookie } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['kubeflow-userid'], 'eve@example.com');
});

test('stored sessions are worth nothing under another key or another name', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);
  await loginAt(provider, browser);
  await service.stop();
  const headers = {
    cookie: `authservice_session=${browser.cookie('authservice_session')}`,
    accept: 'application/json',
  };
  const rotated = await startService(t, {
    ...service.env,
    SESSION_ENCRYPTION_KEY: `${'n'.repeat(44)},${'k'.repeat(44)}`,
  });
  await untilReady(rotated);
  assert.equal((await send({ port: rotated.port, path: '/', headers })).status, 200);
  await rotated.stop();
  const foreign = await startService(t, { ...service.env, SESSION_ENCRYPTION_KEY: 'n'.repeat(44) });
  await untilReady(foreign);
  assert.equal((await send({ port: foreign.port, path: '/', headers })).status, 401);
});

test('stopping lets a request in flight finish and takes no new ones', async (t) => {
  const provider = await startHostileProvider(t);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const { userinfo } = provider.answers;
  let asked = (): void => undefined;
  const inFlight = new Promise<void>((resolve) => (asked = resolve));
  provider.answers.userinfo = () => {
    asked();
    return userinfo();
  };
  provider.hold = gate;
  const unused = connect(service.port, '127.0.0.1');
  await once(unused, 'connect');
  const browser = new Browser(service.port);
  const answer = loginAt(provider, browser);
  await inFlight;
  const stopped = service.stop();
  await once(unused, 'close');
  release();
  assert.equal((await answer).status, 302);
  await stopped;
  await assert.rejects(send({ port: service.port, path: '/' }), /ECONNREFUSED/);
});

interface Replicas {
  readonly client: MemoryKubeClient;
  start(): Promise<Sessions>;
}

function replicas(
  t: { after(end: () => void): void },
  more: { idleTimeoutMs?: number; now?: () => number } = {},
): Replicas {
  const client = new MemoryKubeClient();
  const secrets = [new Secret('k'.repeat(44))];
  const abort = new AbortController();
  t.after(() => abort.abort());
  const start = async (): Promise<Sessions> => {
    const sessions = new Sessions({
      store: createKubernetesStore({ client, namespace: 'istio-system', log: silentLogger }),
      sealer: createSealer({ secrets, purpose: 'session' }),
      tokens: createSessionTokens({ secrets, random: systemRandom }),
      clock: more.now === undefined ? systemClock : { now: more.now },
      log: createLogger({ write: () => undefined }),
      maxAgeMs: 3_600_000,
      idleTimeoutMs: more.idleTimeoutMs ?? Number.POSITIVE_INFINITY,
    });
    await sessions.open(abort.signal);
    return sessions;
  };
  return { client, start };
}

const ANN = { userId: 'ann@example.com', groups: ['a'], subject: 's', userAgent: '', tokens: { refreshToken: 'rt' } };

test('a session of one replica is known to the others at once, and ends for all at once', async (t) => {
  const { start } = replicas(t);
  const [one, other] = [await start(), await start()];
  const { token, session } = await one.create(ANN);
  assert.equal((other.find(token) ?? (await other.lookUp(token)))?.userId, 'ann@example.com');
  await one.end(session.id);
  assert.equal(one.find(token), undefined);
  assert.equal(await one.lookUp(token), undefined);
  while (other.find(token) !== undefined) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await other.lookUp(token), undefined);
  assert.equal((await start()).find(token), undefined);
});

test('an ended session does not come back by an old report', async (t) => {
  const { client, start } = replicas(t);
  const one = await start();
  const { token, session } = await one.create(ANN);
  await one.end(session.id);
  // The watch tells of the creation after the end.
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(one.find(token), undefined);
  assert.equal(client.calls.at(-1)?.verb, 'delete');
});

test('a cluster that does not answer: known sessions stay, no new ones, an end that may not be known is said', async (t) => {
  const { client, start } = replicas(t);
  const one = await start();
  const { token, session } = await one.create(ANN);
  client.onWrite = () => {
    throw new Error('connect ECONNREFUSED');
  };
  assert.equal(one.find(token)?.userId, 'ann@example.com');
  await assert.rejects(one.create(ANN), { code: 'SESSIONS_UNAVAILABLE', status: 503 });
  await assert.rejects(one.end(session.id), { code: 'SESSIONS_UNAVAILABLE', status: 503 });
  assert.equal(one.find(token), undefined);
  await assert.rejects(new Sessions(optionsOf(client)).lookUp(token), { code: 'SESSIONS_UNAVAILABLE' });
});

function optionsOf(client: MemoryKubeClient): ConstructorParameters<typeof Sessions>[0] {
  const secrets = [new Secret('k'.repeat(44))];
  return {
    store: createKubernetesStore({ client, namespace: 'istio-system', log: silentLogger }),
    sealer: createSealer({ secrets, purpose: 'session' }),
    tokens: createSessionTokens({ secrets, random: systemRandom }),
    clock: systemClock,
    log: silentLogger,
    maxAgeMs: 1000,
    idleTimeoutMs: Number.POSITIVE_INFINITY,
  };
}

test('made-up tokens never reach the store', async (t) => {
  const options = optionsOf(new MemoryKubeClient());
  let asked = 0;
  const get = (id: string): ReturnType<typeof options.store.get> => {
    asked += 1;
    return options.store.get(id);
  };
  const one = new Sessions({ ...options, store: { ...options.store, get } });
  const abort = new AbortController();
  t.after(() => abort.abort());
  await one.open(abort.signal);
  for (let index = 0; index < 100; index += 1) {
    assert.equal(await one.lookUp(systemRandom(44).toString('base64url')), undefined);
  }
  assert.equal(asked, 0);
  const genuine = options.tokens.create();
  for (let index = 0; index < 100; index += 1) assert.equal(await one.lookUp(genuine), undefined);
  assert.equal(asked, 1);
});

test('age and idleness end sessions, use keeps them, and the store learns of it', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const { client, start } = replicas(t, { idleTimeoutMs: 600_000, now: () => nowMs });
  const one = await start();
  const idle = await one.create(ANN);
  const used = await one.create(ANN);
  nowMs += 400_000;
  assert.notEqual(one.find(used.token), undefined);
  await one.sweep();
  // Another replica, started now, knows of the use.
  const other = await start();
  nowMs += 400_000;
  assert.equal(one.find(idle.token), undefined);
  assert.notEqual(one.find(used.token), undefined);
  assert.notEqual(other.find(used.token), undefined);
  await one.sweep();
  assert.equal(one.size, 1);
  nowMs += 3_600_000;
  assert.equal(one.find(used.token), undefined);
  await one.sweep();
  assert.equal(one.size, 0);
  assert.deepEqual(
    (
      await client.list({
        group: 'auth.kubeflow.org',
        version: 'v1',
        plural: 'authservicesessions',
        kind: '',
        namespaced: true,
      })
    ).items,
    [],
  );
});

test('the last use outlives a restart, and is written once an hour', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const { client, start } = replicas(t, { now: () => nowMs });
  const one = await start();
  const { token, session } = await one.create({ ...ANN, maxAgeMs: 86_400_000 });
  const useAndSweep = async (afterMs: number): Promise<number | undefined> => {
    nowMs += afterMs;
    one.find(token);
    await Promise.all([one.sweep(), one.sweep()]);
    return (await start()).current(session.id)?.lastUsedAtMs;
  };
  const writes = (): number => client.calls.filter(({ verb }) => verb === 'replace').length;
  assert.equal(await useAndSweep(60_000), session.createdAtMs);
  assert.equal(await useAndSweep(3_600_000), nowMs);
  assert.equal(writes(), 1);
  assert.equal(await useAndSweep(60_000), nowMs - 60_000);
  assert.equal(writes(), 1);
});

test('of one person a hundred sessions stay, those that were used last, and all API tokens', async (t) => {
  let nowMs = Date.UTC(2026, 0, 1);
  const { start } = replicas(t, { now: () => nowMs });
  const one = await start();
  const apiToken = { name: 'ci', readOnly: true, paths: [] };
  const token = await one.create({ ...ANN, apiToken });
  const first = await one.create(ANN);
  const second = await one.create(ANN);
  const other = await one.create({ ...ANN, subject: 'other' });
  nowMs += 1_000;
  for (let count = 2; count < 100; count += 1) await one.create(ANN);
  nowMs += 1_000;
  assert.notEqual(one.find(first.token), undefined);
  await one.create(ANN);
  assert.equal(one.find(second.token), undefined);
  for (const kept of [first, other, token]) assert.notEqual(one.find(kept.token), undefined);
  assert.equal(one.size, 102);
  assert.equal((await start()).size, 102);
});

test('nothing readable lies in the store', async (t) => {
  const { client, start } = replicas(t);
  const one = await start();
  const { token, session } = await one.create(ANN);
  const { items } = await client.list({
    group: 'auth.kubeflow.org',
    version: 'v1',
    plural: 'authservicesessions',
    kind: '',
    namespaced: true,
  });
  const text = JSON.stringify(items);
  assert.match(text, new RegExp(session.id));
  assert.equal(text.includes(token), false);
  assert.doesNotMatch(text, /ann@|refreshToken|"rt"/);
  assert.deepEqual(await one.tokensOf(session.id), { refreshToken: 'rt' });
});
