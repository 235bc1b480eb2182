import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { Secret, silentLogger } from '@kfctl/core';
import { CHECK_LEASE_NAME, CHECK_LEASE_PURPOSE, createSealer, openCheckLease } from '@kfctl/oidc';
import { MemoryKubeClient } from '../../../testkit/src/index.ts';
import { Told } from '../../../testkit/src/session-store.ts';
import type { Config } from '../config/config.ts';
import { checkSettingsOf, keepCheckLease } from './keep-check-lease.ts';
import { createKubernetesStore, sessionResource } from './kubernetes-store.ts';

const namespace = 'istio-system';
const key = new Secret('k'.repeat(44));
const config = {
  cookieName: 'authservice_session',
  userIdHeader: 'kubeflow-userid',
  groupsHeader: 'kubeflow-groups',
  gatewayCopiesGroups: true,
  assertionKeys: [],
  allowedGroups: ['*'],
  exemptPaths: ['/dex'],
  callbackPath: '/login/oidc',
  urlPrefix: '/authservice',
  idleTimeoutMs: Number.POSITIVE_INFINITY,
  verifyPath: '/authservice/verify',
  externalAuthorizerUrl: undefined,
  strictValidation: false,
  sessionHeader: undefined,
  authMethodHeader: undefined,
  removedHeaders: [],
  encryptionKeys: [key],
  store: { kind: 'kubernetes', namespace },
} as unknown as Config;

test('a lease is kept among the sessions while they are known, and no store takes it for a session', async (t) => {
  mock.timers.enable({ apis: ['setInterval'] });
  t.after(() => mock.timers.reset());
  const client = new MemoryKubeClient();
  const store = createKubernetesStore({ client, namespace, log: silentLogger });
  const abort = new AbortController();
  t.after(() => abort.abort());
  let isReady = false;
  let nowMs = 0;
  const read = async (): Promise<number | undefined> => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    const sealed = (await client.get(sessionResource, CHECK_LEASE_NAME, { namespace }))?.spec?.sealed ?? '';
    return openCheckLease(sealed, createSealer({ secrets: [key], purpose: CHECK_LEASE_PURPOSE }))?.validUntilMs;
  };
  keepCheckLease(config, {
    store,
    isReady: () => isReady,
    clock: { now: () => nowMs },
    log: silentLogger,
    signal: abort.signal,
  });
  mock.timers.tick(5_000);
  assert.equal(await read(), undefined);
  isReady = true;
  mock.timers.tick(5_000);
  assert.equal(await read(), 20_000);
  nowMs = 5_000;
  mock.timers.tick(5_000);
  assert.equal(await read(), 25_000);
  const told = new Told();
  const following = new AbortController();
  await store.follow(told, following.signal);
  following.abort();
  assert.equal(told.sessions.size, 0);
  abort.abort();
  nowMs = 10_000;
  mock.timers.tick(5_000);
  assert.equal(await read(), 25_000);
});

test('gateways are to ask where somebody else has the last word, or they could not see sessions', () => {
  assert.equal(checkSettingsOf({ ...config, externalAuthorizerUrl: 'http://opa/' }), undefined);
  assert.equal(checkSettingsOf({ ...config, store: { kind: 'file', path: '/x' } }), undefined);
  const others = [
    { strictValidation: true },
    { sessionHeader: 'x-session' },
    { authMethodHeader: 'auth-method' },
    { removedHeaders: ['kubeflow-userid-token'] },
  ];
  for (const more of others) assert.equal(checkSettingsOf({ ...config, ...more }), undefined, JSON.stringify(more));
  for (const [set, told] of [
    [Infinity, 8 * 3_600_000],
    [600_000, 600_000],
  ] as const)
    assert.equal(checkSettingsOf({ ...config, idleTimeoutMs: set })?.idleTimeoutMs, told);
  const { askAlways } = checkSettingsOf({ ...config, verifyPath: '/check' }) ?? {};
  assert.deepEqual(askAlways, ['/dex', '/login/oidc', '/authservice', '/check', '/logout']);
});
