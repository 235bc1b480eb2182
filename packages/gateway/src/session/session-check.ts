/**
 * Owns deciding for live sessions inside the gateway, by the AuthService's own rule and in its place, where it has said so.
 *
 *   fresh lease ── no ─► ask          session in memory, live, nothing due ── no ─► ask
 *        └─ yes ─────────────────────────────────────────────────────────── yes ─► allowed, with the headers that the AuthService would set
 *
 * It says yes or nothing. Whoever has no session, an ended one, a token in a header, a refresh due, is asked about; so is everybody while
 * the watch is silent or the AuthService gone.
 */
import type { Clock, Logger } from '@kfctl/core';
import { CHECK_LEASE_NAME, CHECK_LEASE_PURPOSE, createSealer, openCheckLease, storedSessionOf } from '@kfctl/oidc';
import type { CheckLease, SessionObject } from '@kfctl/oidc';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import type { Source } from '../istio/sources.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import type { RequestHead } from '../request/request-head.ts';
import { createDecider } from './decider.ts';
import type { Decider } from './decider.ts';
import { readSessionKeys } from './session-keys.ts';
import type { SessionKubeObject } from './session-objects.ts';
import type { SessionKeys, SessionKeysOptions } from './session-keys.ts';

export interface SessionCheckOptions extends SessionKeysOptions {
  readonly sessions: Source<SessionKubeObject>;
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

interface Held {
  readonly lease: CheckLease;
  readonly receivedAt: number;
}

export function createSessionCheck(options: SessionCheckOptions): SessionCheck {
  const check = new LeasedCheck(options);
  const { sessions, secrets } = options;
  sessions.onChange((object, previous) => check.onSession(object, previous?.metadata.name));
  secrets.onChange(() => check.readKeys());
  Promise.all([secrets.synced, sessions.synced]).then(
    () => check.readKeys(),
    () => undefined,
  );
  return check;
}

class LeasedCheck implements SessionCheck {
  readonly #options: SessionCheckOptions;
  #keys: SessionKeys | undefined;
  #held: Held | undefined;
  #decider: Decider | undefined;
  /** The keys and settings that the decider was made of. */
  #madeOf = '';

  constructor(options: SessionCheckOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#decider?.size ?? 0;
  }

  decide(asked: string, authorizer: ExternalAuthorizer, head: RequestHead): CheckResult | undefined {
    const { provider, clock, elapsed } = this.#options;
    const held = this.#held;
    if (asked !== provider || held === undefined || this.#decider === undefined) return undefined;
    const isFresh = clock.now() < held.lease.validUntilMs && elapsed() - held.receivedAt < SILENCE_MS;
    return isFresh ? this.#decider.decide(authorizer, head) : undefined;
  }

  onSession(object: SessionKubeObject | undefined, previousName: string | undefined): void {
    const name = object?.metadata.name ?? previousName ?? '';
    if (name === CHECK_LEASE_NAME) this.#readLease();
    else if (object === undefined) this.#decider?.remove(name);
    else this.#follow(object);
  }

  readKeys(): void {
    const keys = readSessionKeys(this.#options);
    if (keys?.version === this.#keys?.version) return;
    this.#keys = keys;
    this.#readLease();
  }

  #readLease(): void {
    const { sessions, namespace, elapsed } = this.#options;
    const keys = this.#keys;
    const sealed = sessions.get(CHECK_LEASE_NAME, namespace)?.spec?.sealed;
    this.#held = undefined;
    if (sealed === undefined || keys === undefined) return;
    const lease = openCheckLease(sealed, createSealer({ secrets: keys.sealing, purpose: CHECK_LEASE_PURPOSE }));
    if (lease === undefined) return;
    this.#held = { lease, receivedAt: elapsed() };
    this.#make(lease, keys);
  }

  /** Made anew, with every session, when keys or settings have changed. */
  #make({ settings }: CheckLease, keys: SessionKeys): void {
    const { sessions, namespace, clock, log } = this.#options;
    const madeOf = `${keys.version} ${JSON.stringify(settings)}`;
    if (madeOf === this.#madeOf) return;
    this.#madeOf = madeOf;
    this.#decider = createDecider({ settings, keys, clock, log });
    for (const object of sessions.list(namespace)) this.#follow(object);
    log.info('live sessions are decided here', { sessions: this.size });
  }

  #follow(object: SessionObject): void {
    const stored = storedSessionOf(object);
    if (stored !== undefined) this.#decider?.put(stored);
  }
}
