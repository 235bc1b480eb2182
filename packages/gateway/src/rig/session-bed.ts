/** Owns an AuthService's side of in-process checks: its key, leases and sessions as objects. Imported by tests and benchmarks only. */
import { Secret, systemRandom } from '@kfctl/core';
import type { SecretObject } from '@kfctl/kube';
import {
  CHECK_LEASE_NAME,
  CHECK_LEASE_PURPOSE,
  createSealer,
  createSessionTokens,
  sealCheckLease,
  sealSession,
  sessionIdOf,
} from '@kfctl/oidc';
import type { CheckSettings, SessionRecord } from '@kfctl/oidc';
import type { SessionKubeObject } from '../session/session-objects.ts';
import type { MemorySource } from './memory-sources.ts';

export interface SessionBed {
  /** Makes a session and gives its token. */
  logIn(change?: Partial<SessionRecord>): string;
  logOut(token: string): void;
  /** Says that sessions may be decided in the gateway. */
  lease(change?: Partial<CheckSettings>, validForMs?: number): void;
}

const NAMESPACE = 'istio-system';
const SETTINGS: CheckSettings = {
  cookieName: 'authservice_session',
  userIdHeader: 'kubeflow-userid',
  groupsHeader: 'kubeflow-groups',
  copiesGroups: true,
  provesIdentity: false,
  askAlways: ['/dex', '/login/oidc', '/authservice', '/logout'],
  allowedGroups: ['*'],
  idleTimeoutMs: undefined,
};

export interface SessionBedOptions {
  readonly sessions: MemorySource<SessionKubeObject>;
  readonly secrets: MemorySource<SecretObject>;
  /** What the Secret holds. */
  readonly key?: string;
  readonly now?: () => number;
}

export function createSessionBed({
  sessions,
  secrets,
  key = 'k'.repeat(44),
  now = Date.now,
}: SessionBedOptions): SessionBed {
  const keys = [new Secret(key)];
  const sealer = createSealer({ secrets: keys, purpose: 'session' });
  const leases = createSealer({ secrets: keys, purpose: CHECK_LEASE_PURPOSE });
  const tokens = createSessionTokens({ secrets: keys, random: systemRandom });
  const put = (name: string, sealed: string, expiresAtMs: number): void =>
    sessions.put({
      apiVersion: 'auth.kubeflow.org/v1',
      kind: 'AuthServiceSession',
      metadata: { name, namespace: NAMESPACE },
      spec: { sealed, expiresAt: new Date(expiresAtMs).toISOString() },
    });
  secrets.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'authservice', namespace: NAMESPACE, uid: key, resourceVersion: '1' },
    data: { 'session-key': Buffer.from(key).toString('base64') },
  });
  return {
    logIn(change = {}) {
      const token = tokens.create();
      const id = sessionIdOf(token);
      const expiresAtMs = now() + 3_600_000;
      const times = { createdAtMs: now(), lastUsedAtMs: now(), expiresAtMs };
      const record = { userId: 'anna@example.com', groups: ['a'], subject: 's', userAgent: '', tokens: {}, ...times };
      const stored = sealSession(id, { ...record, ...change }, sealer);
      put(id, stored.sealed, stored.expiresAtMs);
      return token;
    },
    logOut: (token) => sessions.remove(sessionIdOf(token), NAMESPACE),
    lease(change = {}, validForMs = 20_000) {
      const validUntilMs = now() + validForMs;
      const sealed = sealCheckLease({ settings: { ...SETTINGS, ...change }, validUntilMs }, leases);
      put(CHECK_LEASE_NAME, sealed, validUntilMs);
    },
  };
}
