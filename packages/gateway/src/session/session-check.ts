/**
 * Owns deciding for live sessions inside the gateway, by the AuthService's own rule and in its place, where it has said so.
 *
 *   fresh lease ── no ─► ask          session in memory, live, nothing due ── no ─► ask
 *        └─ yes ─────────────────────────────────────────────────────────── yes ─► allowed, with the headers that the AuthService would set
 *
 * It says yes or nothing. Whoever has no session, an ended one, a token in a header, a refresh due, is asked about; so is everybody while
 * the watch is silent or the AuthService gone.
 */
import { describeError, releaseMemory } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import type { ObjectFollower } from '@kfctl/kube';
import {
  CHECK_LEASE_NAME,
  CHECK_LEASE_PURPOSE,
  createSealer,
  openCheckLease,
  SessionMemory,
  storedSessionOf,
} from '@kfctl/oidc';
import type { CheckLease } from '@kfctl/oidc';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { RequestHead } from '../request/request-head.ts';
import { createDecider } from './decider.ts';
import type { Decider } from './decider.ts';
import { readSessionKeys } from './session-keys.ts';
import type { FollowSessions, SessionKubeObject } from './session-objects.ts';
import type { SessionKeys, SessionKeysOptions } from './session-keys.ts';

export interface SessionCheckOptions extends SessionKeysOptions {
  readonly sessions: FollowSessions;
  /** The provider of CUSTOM policies that is our AuthService. */
  readonly provider: string;
  readonly clock: Clock;
  /** Milliseconds that never go back. */
  readonly elapsed: () => number;
  readonly log: Logger;
}

export interface SessionCheck {
  /** Undefined: ask. */
  decide(provider: string, authorizer: ExternalAuthorizer, head: RequestHead): CheckResult | undefined;
  /** Sessions in memory; for metrics. */
  readonly size: number;
}

/** A lease counts for this long after it came: a watch that has fallen silent may hide logouts. */
const SILENCE_MS = 15_000;
/** Opening so many leaves several times their room behind, which is given back once, for a pause of a tenth of a second. */
const MANY_SESSIONS = 10_000;

interface Held {
  readonly lease: CheckLease;
  readonly receivedAt: number;
}

export function createSessionCheck(options: SessionCheckOptions): SessionCheck {
  const check = new LeasedCheck(options);
  const { secrets } = options;
  secrets.synced.then(
    () => {
      check.readKeys();
      secrets.onChange(() => check.readKeys());
    },
    () => undefined,
  );
  return check;
}

class LeasedCheck implements SessionCheck {
  readonly #options: SessionCheckOptions;
  /** What is known under one set of keys; another set begins anew. */
  #known: KnownSessions | undefined;
  #keysVersion: string | undefined;

  constructor(options: SessionCheckOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#known?.size ?? 0;
  }

  decide(asked: string, authorizer: ExternalAuthorizer, head: RequestHead): CheckResult | undefined {
    return asked === this.#options.provider ? this.#known?.decide(authorizer, head) : undefined;
  }

  readKeys(): void {
    const keys = readSessionKeys(this.#options);
    if (keys?.version === this.#keysVersion) return;
    this.#keysVersion = keys?.version;
    this.#known?.stop();
    this.#known = keys && new KnownSessions(this.#options, keys);
  }
}

/** Follows sessions and leases under one set of keys. */
class KnownSessions implements ObjectFollower<SessionKubeObject> {
  readonly #options: SessionCheckOptions;
  readonly #keys: SessionKeys;
  readonly #memory: SessionMemory;
  readonly #abort = new AbortController();
  #held: Held | undefined;
  /** The lease in a list that is being told: before its end, logouts that came before the lease are not known. */
  #listedLease: SessionKubeObject | undefined;
  #decider: Decider | undefined;
  /** The first list is in. */
  #isWhole = false;
  /** The settings that the decider was made of. */
  #madeOf = '';
  #idleTimeoutMs = Number.POSITIVE_INFINITY;

  constructor(options: SessionCheckOptions, keys: SessionKeys) {
    this.#options = options;
    this.#keys = keys;
    const { clock, log } = options;
    const idleTimeoutMs = (): number => this.#idleTimeoutMs;
    const sealer = createSealer({ secrets: keys.sealing, purpose: 'session' });
    this.#memory = new SessionMemory({ sealer, clock, log, idleTimeoutMs });
    this.#memory.found();
    options
      .sessions(this, this.#abort.signal)
      .catch((error: unknown) => log.debug('sessions are not followed', { error: describeError(error) }));
  }

  get size(): number {
    return this.#memory.size;
  }

  stop(): void {
    this.#abort.abort();
  }

  decide(authorizer: ExternalAuthorizer, head: RequestHead): CheckResult | undefined {
    const { clock, elapsed } = this.#options;
    const held = this.#held;
    if (held === undefined || this.#decider === undefined) return undefined;
    const isFresh = clock.now() < held.lease.validUntilMs && elapsed() - held.receivedAt < SILENCE_MS;
    return isFresh ? this.#decider.decide(authorizer, head) : undefined;
  }

  put(object: SessionKubeObject, from: 'list' | 'watch'): void {
    const { name = '' } = object.metadata;
    if (name === CHECK_LEASE_NAME) {
      if (from === 'list') this.#listedLease = object;
      else this.#readLease(object);
      return;
    }
    const stored = storedSessionOf(object);
    if (stored === undefined) this.#memory.remove(name);
    else this.#memory.put(stored);
  }

  remove(name: string): void {
    if (name === CHECK_LEASE_NAME) this.#readLease(undefined);
    else this.#memory.remove(name);
  }

  retain(names: ReadonlySet<string>): void {
    this.#memory.retain(names);
    if (!this.#isWhole && this.size > MANY_SESSIONS) releaseMemory();
    this.#isWhole = true;
    this.#readLease(names.has(CHECK_LEASE_NAME) ? this.#listedLease : undefined);
    this.#listedLease = undefined;
  }

  #readLease(object: SessionKubeObject | undefined): void {
    this.#held = undefined;
    const sealed = object?.spec?.sealed;
    if (sealed === undefined) return;
    const sealer = createSealer({ secrets: this.#keys.sealing, purpose: CHECK_LEASE_PURPOSE });
    const lease = openCheckLease(sealed, sealer);
    if (lease === undefined) return;
    this.#held = { lease, receivedAt: this.#options.elapsed() };
    this.#make(lease);
  }

  /** Made anew when settings have changed. */
  #make({ settings }: CheckLease): void {
    const { clock, log } = this.#options;
    const madeOf = JSON.stringify(settings);
    if (madeOf === this.#madeOf) return;
    this.#madeOf = madeOf;
    this.#idleTimeoutMs = settings.idleTimeoutMs ?? Number.POSITIVE_INFINITY;
    this.#decider = createDecider({ settings, keys: this.#keys, memory: this.#memory, clock });
    log.info('live sessions are decided here', { sessions: this.size });
  }
}
