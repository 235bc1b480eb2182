import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import type { ObjectFollower, SecretObject } from '@kfctl/kube';
import { ASSERTION_HEADER, sessionIdOf } from '@kfctl/oidc';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { RequestHead } from '../request/request-head.ts';
import { MemorySource } from '../rig/memory-sources.ts';
import { createSessionBed } from '../rig/session-bed.ts';
import type { SessionBed } from '../rig/session-bed.ts';
import { createSessionCheck } from './session-check.ts';
import type { SessionCheck } from './session-check.ts';
import type { SessionKubeObject } from './session-objects.ts';

const AUTHORIZER: ExternalAuthorizer = {
  name: 'authservice',
  host: 'authservice.istio-system',
  port: 8080,
  timeoutMs: 1_000,
  pathPrefix: '',
  statusOnError: 503,
  checkHeaders: ['cookie', 'authorization', 'x-auth-token'],
  additionalCheckHeaders: new Map(),
  upstreamHeaders: ['kubeflow-*', 'cookie'],
  denyHeaders: undefined,
  allowHeaders: [],
};

const OPTIONS = {
  namespace: 'istio-system',
  provider: 'authservice',
  sessionKey: { name: 'authservice', key: 'session-key' },
  assertionKey: { name: 'identity-assertion', key: 'key' },
  clock: systemClock,
  log: silentLogger,
};

interface Bed extends SessionBed {
  readonly check: SessionCheck;
  readonly sessions: MemorySource<SessionKubeObject>;
  readonly secrets: MemorySource<SecretObject>;
  ask(token: string, more?: Asked): CheckResult | undefined;
  /** Both clocks move. */
  advance(ms: number): void;
}

interface Asked {
  readonly provider?: string;
  readonly authorizer?: Partial<ExternalAuthorizer>;
  readonly path?: string;
  readonly fields?: string[];
}

async function setUp(): Promise<Bed> {
  const sessions = new MemorySource<SessionKubeObject>();
  const secrets = new MemorySource<SecretObject>();
  let passed = 0;
  const start = Date.UTC(2026, 0, 1);
  const now = (): number => start + passed;
  const check = createSessionCheck({
    ...OPTIONS,
    sessions: sessions.follow,
    secrets,
    clock: { now },
    elapsed: () => passed,
  });
  await Promise.resolve();
  const bed = createSessionBed({ sessions, secrets, now });
  return {
    ...bed,
    check,
    sessions,
    secrets,
    advance: (ms) => void (passed += ms),
    ask(token, { provider = 'authservice', authorizer = {}, path = '/pipeline/', fields } = {}) {
      const head = { method: 'GET', path, fields: fields ?? ['cookie', `authservice_session=${token}`] } as RequestHead;
      return check.decide(provider, { ...AUTHORIZER, ...authorizer }, head);
    },
  };
}

function setFields(result: CheckResult | undefined): readonly string[] {
  return result?.kind === 'allowed' ? result.set : assert.fail('the AuthService is asked');
}

test('a live session passes with the headers that the AuthService would set, and its cookie stays behind', async () => {
  const bed = await setUp();
  const token = bed.logIn();
  bed.lease();
  const allowed = bed.ask(token);
  assert.deepEqual(setFields(allowed), ['kubeflow-userid', 'anna@example.com', 'kubeflow-groups', 'a']);
  assert.ok(allowed?.kind === 'allowed' && allowed.remove.includes('cookie'));
  assert.equal(bed.check.size, 1);
  const other = bed.ask(token, { fields: ['cookie', `a=b; authservice_session=${token}`] });
  assert.deepEqual(setFields(other).slice(-2), ['cookie', 'a=b']);
});

test('a yes may set only what the provider lets the AuthService set', async () => {
  const bed = await setUp();
  const token = bed.logIn();
  bed.lease();
  assert.deepEqual(setFields(bed.ask(token, { authorizer: { upstreamHeaders: ['kubeflow-userid'] } })), [
    'kubeflow-userid',
    'anna@example.com',
  ]);
});

describe('the AuthService is asked', () => {
  const cases: Record<string, (bed: Bed, token: string) => CheckResult | undefined> = {
    'without a cookie': (bed) => bed.ask('', { fields: [] }),
    'about a token that nobody made': (bed) => bed.ask('x'.repeat(59)),
    'about two session cookies': (bed, token) =>
      bed.ask('', { fields: ['cookie', `authservice_session=${token}; authservice_session=${bed.logIn()}`] }),
    'about a session token in a header': (bed, token) => bed.ask('', { fields: ['authorization', `Bearer ${token}`] }),
    'about its own routes and those without session': (bed, token) =>
      bed.ask(token, { path: '/logout' }) ?? bed.ask(token, { path: '/dex/auth' }),
    'for a policy that names another provider': (bed, token) => bed.ask(token, { provider: 'opa' }),
    'where the provider asks about another path': (bed, token) =>
      bed.ask(token, { authorizer: { pathPrefix: '/authservice/verify' } }),
    'where the provider does not let it see all credentials': (bed, token) =>
      bed.ask(token, { authorizer: { checkHeaders: ['cookie'] } }),
    'about an API token in a cookie': (bed) =>
      bed.ask(bed.logIn({ apiToken: { name: 'ci', readOnly: true, paths: [] } })),
    'when a refresh is due': (bed) =>
      bed.ask(bed.logIn({ tokens: { refreshToken: 'r', accessTokenExpiresAtMs: Date.UTC(2025, 0, 1) } })),
    'about a session that is over': (bed, token) => {
      bed.advance(3_600_001);
      bed.lease();
      return bed.ask(token);
    },
    'about somebody in none of the allowed groups': (bed, token) => {
      bed.lease({ allowedGroups: ['b'] });
      return bed.ask(token);
    },
    'once a session was ended': (bed, token) => {
      bed.logOut(token);
      return bed.ask(token);
    },
    'about a session that was sealed under another name': (bed, token) => {
      const [object] = bed.sessions.list().filter(({ metadata }) => metadata.name?.length === 64);
      const stolen = bed.logIn();
      const stolenName = bed.sessions.list().find((item) => item !== object && item.metadata.name?.length === 64);
      bed.logOut(token);
      if (object !== undefined && stolenName !== undefined)
        bed.sessions.put({ ...object, metadata: { ...stolenName.metadata } });
      return bed.ask(stolen);
    },
    'when the lease has run out': (bed, token) => {
      bed.advance(20_001);
      return bed.ask(token);
    },
    'when the watch has been silent, though the lease still runs': (bed, token) => {
      bed.lease({}, 3_600_000);
      bed.advance(15_001);
      return bed.ask(token);
    },
    'when the lease is gone': (bed, token) => {
      bed.sessions.remove('check-lease', 'istio-system');
      return bed.ask(token);
    },
    'when the lease was sealed with another key': (bed, token) => {
      const forger = new MemorySource<SecretObject>();
      createSessionBed({ sessions: bed.sessions, secrets: forger, key: 'f'.repeat(44) }).lease();
      return bed.ask(token);
    },
    'when a session object is put in the place of the lease': (bed, token) => {
      const session = bed.sessions.list().find(({ metadata }) => metadata.name?.length === 64);
      if (session !== undefined)
        bed.sessions.put({ ...session, metadata: { name: 'check-lease', namespace: 'istio-system' } });
      return bed.ask(token);
    },
    'when the key is gone': (bed, token) => {
      bed.secrets.remove('authservice', 'istio-system');
      return bed.ask(token);
    },
    'where identities are to be proved and there is no key for it': (bed, token) => {
      bed.lease({ provesIdentity: true });
      return bed.ask(token);
    },
  };
  for (const [name, ask] of Object.entries(cases)) {
    test(name, async () => {
      const bed = await setUp();
      const token = bed.logIn();
      bed.lease();
      assert.notEqual(bed.ask(token), undefined);
      assert.equal(ask(bed, token), undefined);
    });
  }

  test('about a session in use often enough for it to know of the use, and no more often', async () => {
    const bed = await setUp();
    const token = bed.logIn();
    const asked: boolean[] = [];
    for (let minute = 0; minute < 60; minute += 1) {
      bed.lease({ idleTimeoutMs: 40 * 60_000 });
      asked.push(bed.ask(token) === undefined);
      bed.advance(60_000);
    }
    assert.equal(asked.filter(Boolean).length, 5);
    assert.ok(asked.slice(0, 11).includes(true));
  });
});

test('a key that is rotated, and a proof of identity, take effect without a restart', async () => {
  const bed = await setUp();
  bed.logIn();
  bed.lease({ provesIdentity: true });
  const fresh = createSessionBed({
    sessions: bed.sessions,
    secrets: bed.secrets,
    key: 'n'.repeat(44),
    now: () => Date.UTC(2026, 0, 1),
  });
  const token = fresh.logIn();
  fresh.lease({ provesIdentity: true });
  assert.equal(bed.ask(token), undefined);
  bed.secrets.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'identity-assertion', namespace: 'istio-system', uid: 'a', resourceVersion: '1' },
    data: { key: Buffer.from('p'.repeat(44)).toString('base64') },
  });
  assert.ok(setFields(bed.ask(token)).includes(ASSERTION_HEADER));
});

test('a list that is told again ends what is not in it, and its lease counts once all of it was told', async () => {
  const sessions = new MemorySource<SessionKubeObject>();
  const secrets = new MemorySource<SecretObject>();
  const bed = createSessionBed({ sessions, secrets });
  const [kept, ended] = [bed.logIn(), bed.logIn()];
  bed.lease();
  let follower: ObjectFollower<SessionKubeObject> | undefined;
  let passed = 0;
  const check = createSessionCheck({
    ...OPTIONS,
    secrets,
    sessions: async (asked) => void (follower = asked),
    elapsed: () => passed,
  });
  await Promise.resolve();
  const passes = (token: string): boolean =>
    check.decide('authservice', AUTHORIZER, {
      method: 'GET',
      path: '/',
      fields: ['cookie', `authservice_session=${token}`],
    } as unknown as RequestHead) !== undefined;
  const objects = sessions.list();
  const tell = (): void => {
    for (const object of objects) follower?.put(object, 'list');
  };
  const retain = (names: readonly string[]): void => follower?.retain(new Set([...names, 'check-lease']));
  const ids = [kept, ended].map(sessionIdOf);
  tell();
  assert.equal(passes(kept), false, 'before the end of the first list');
  retain(ids);
  assert.deepEqual([passes(kept), passes(ended)], [true, true]);
  // The watch was silent for long, and a list comes: until it is whole, nobody knows who has logged out meanwhile.
  passed = 15_001;
  tell();
  assert.deepEqual([passes(kept), passes(ended)], [false, false]);
  retain(ids.slice(0, 1));
  assert.deepEqual([passes(kept), passes(ended)], [true, false]);
  assert.equal(check.size, 1);
  follower?.retain(new Set(ids));
  assert.equal(passes(kept), false, 'a list without a lease');
});

test('with other keys everything is read anew, and what came under the old ones no longer counts', async () => {
  const bed = await setUp();
  const old = bed.logIn();
  bed.lease();
  assert.notEqual(bed.ask(old), undefined);
  createSessionBed({ sessions: bed.sessions, secrets: bed.secrets, key: 'n'.repeat(44) }).lease();
  assert.equal(bed.ask(old), undefined);
  assert.equal(bed.check.size, 0);
  bed.sessions.remove(sessionIdOf(old), 'istio-system');
  bed.lease();
  assert.equal(bed.ask(old), undefined, 'a lease of the old key');
});
