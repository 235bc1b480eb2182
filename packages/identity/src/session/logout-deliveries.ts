/**
 * Owns that clients learn of the end of a session though they cannot be reached just then. What is to be told is stored until it was:
 * it outlives the process, and of several replicas one tells it.
 *
 *   session over ──► stored ──► told at once ──(failed)──► (due) claimed, told again ──► told, or given up: forgotten
 */
import { describeError } from '@kfctl/core';
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import { createClientFinder } from '../clients/find-client.ts';
import type { IdentityConfig } from '../config/config.ts';
import { createUpstreamHttp } from '../connectors/oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../connectors/oauth2/upstream-http.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { LogoutNotice } from '../storage/records.ts';
import type { Storage, Stored } from '../storage/storage.ts';
import { tellClient } from './logout-notice.ts';
import type { NoticeOutcome, SessionEnd } from './logout-notice.ts';

export interface LogoutDeliveries {
  /** Tells the clients now, and those that cannot be told later. Never throws. */
  tell(ends: readonly SessionEnd[]): Promise<void>;
  /** Tells those that are due. Never throws; a storage that fails is logged once until it fails otherwise. */
  retryDue(): Promise<void>;
}

export interface LogoutDeliveryDeps {
  readonly config: () => IdentityConfig;
  readonly storage: Storage;
  readonly keys: KeyRing;
  readonly metrics: Pick<Metrics, 'gauge' | 'counter'>;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
}

/** Shorter than the shortest delay: nobody else tells a client that is being told. */
const TIMEOUT_MS = 3000;
/** With the delays between them some five minutes: a restart of the client, not a holiday of it. */
const MAX_ATTEMPTS = 9;
const FIRST_DELAY_MS = 5000;
const MAX_DELAY_MS = 60_000;
/** For a notice that nobody is left to give up. */
const LIFETIME_MS = 3_600_000;
const MAX_WAITING = 1000;
const MAX_AT_ONCE = 8;

type Kept =
  | { readonly kind: 'kept'; readonly id: string }
  | { readonly kind: 'unwanted' }
  /** There is one attempt, and no other. */
  | { readonly kind: 'lost'; readonly reason: string };

export function createLogoutDeliveries(deps: LogoutDeliveryDeps): LogoutDeliveries {
  const work = new DeliveryWork(deps);
  let failure = '';
  return {
    tell: (ends) => work.tell(ends),
    retryDue: async () => {
      try {
        await work.retryDue();
        failure = '';
      } catch (error) {
        const reason = describeError(error);
        if (reason !== failure) deps.log.warn('waiting logout notices cannot be read', { error: reason });
        failure = reason;
      }
    },
  };
}

class DeliveryWork {
  readonly #deps: LogoutDeliveryDeps;
  #waiting = 0;
  #givenUp = 0;

  constructor(deps: LogoutDeliveryDeps) {
    this.#deps = deps;
    this.#showCounts();
  }

  async tell(ends: readonly SessionEnd[]): Promise<void> {
    if (ends.length === 0) return;
    // All at once: the person waits for this, and no longer than for the slowest.
    await this.#withHttp(async (http) => {
      await Promise.all(ends.map((end) => this.#tellFirst(end, http)));
    });
  }

  async retryDue(): Promise<void> {
    const { storage, clock } = this.#deps;
    const all = await storage.list('logoutNotice');
    this.#waiting = all.length;
    const due = all.filter(({ record }) => record.nextAt <= clock.now());
    if (due.length > 0) {
      await this.#withHttp(async (http) => {
        const byClient = Map.groupBy(due, ({ record }) => record.clientId);
        await Promise.all([...byClient.values()].map((notices) => this.#tellClientAgain(notices, http)));
      });
    }
    this.#showCounts();
  }

  async #tellFirst(end: SessionEnd, http: UpstreamHttp): Promise<void> {
    const kept = await this.#keep(end);
    if (kept.kind === 'unwanted') return;
    const outcome = await this.#attempt(end, http);
    if (kept.kind === 'kept') {
      if (this.#isOver(end, { outcome, attempts: 1 })) await this.#forget(kept.id);
    } else if (outcome.kind === 'failed') {
      this.#giveUp(end, { attempts: 1, reason: `${outcome.reason}, and ${kept.reason}` });
    }
  }

  /** Until it cannot be told: one that does not answer would hold up the notices of all others for as many timeouts as it has. */
  async #tellClientAgain(notices: readonly Stored<'logoutNotice'>[], http: UpstreamHttp): Promise<void> {
    for (let start = 0; start < notices.length; start += MAX_AT_ONCE) {
      const some = notices.slice(start, start + MAX_AT_ONCE);
      const reached = await Promise.all(some.map((stored) => this.#tellAgain(stored, http)));
      if (!reached.includes(true)) return;
    }
  }

  /** False when the client is not there to be told. */
  async #tellAgain(stored: Stored<'logoutNotice'>, http: UpstreamHttp): Promise<boolean> {
    const notice = await this.#claim(stored);
    if (notice === undefined) return true;
    const outcome = await this.#attempt(notice, http);
    if (this.#isOver(notice, { outcome, attempts: notice.attempts })) await this.#forget(stored.id);
    return outcome.kind !== 'failed' || outcome.final;
  }

  async #withHttp(work: (http: UpstreamHttp) => Promise<void>): Promise<void> {
    const http = createUpstreamHttp({ timeoutMs: TIMEOUT_MS });
    await work(http).finally(() => http.close());
  }

  async #attempt(end: SessionEnd, http: UpstreamHttp): Promise<NoticeOutcome> {
    const { config, storage } = this.#deps;
    const { issuer, staticClients } = config();
    return await tellClient(
      { ...this.#deps, issuer, http, findClient: createClientFinder(staticClients, storage) },
      end,
    );
  }

  /** Whoever moves `nextAt` tells the client; when that one dies, the next does at that time. */
  async #claim({ id, record: { nextAt } }: Stored<'logoutNotice'>): Promise<LogoutNotice | undefined> {
    return await this.#deps.storage.update('logoutNotice', id, (now) =>
      now.nextAt === nextAt
        ? { ...now, attempts: now.attempts + 1, nextAt: this.#deps.clock.now() + this.#delayAfter(now.attempts + 1) }
        : undefined,
    );
  }

  /** Before the client is told: whoever is killed meanwhile leaves the rest to others, who begin when telling is over. */
  async #keep(end: SessionEnd): Promise<Kept> {
    const { config, storage, clock, random } = this.#deps;
    const { clientId, subject, sid } = end;
    const id = random(16).toString('hex');
    const times = { nextAt: clock.now() + this.#delayAfter(1), expiresAt: clock.now() + LIFETIME_MS };
    try {
      const client = await createClientFinder(config().staticClients, storage)(clientId);
      if ((client?.backchannelLogoutUri ?? '') === '') return { kind: 'unwanted' };
      if (this.#waiting >= MAX_WAITING) return { kind: 'lost', reason: 'too many others wait' };
      await storage.create('logoutNotice', id, { clientId, subject, sid, attempts: 1, ...times });
    } catch (error) {
      return { kind: 'lost', reason: `it cannot be stored: ${describeError(error)}` };
    }
    this.#waiting += 1;
    this.#showCounts();
    return { kind: 'kept', id };
  }

  async #forget(id: string): Promise<void> {
    try {
      if ((await this.#deps.storage.take('logoutNotice', id)) !== undefined) this.#waiting -= 1;
      this.#showCounts();
    } catch (error) {
      // Told once more, which does no harm.
      this.#deps.log.warn('a logout notice cannot be forgotten', { error: describeError(error) });
    }
  }

  #isOver(end: SessionEnd, { outcome, attempts }: { outcome: NoticeOutcome; attempts: number }): boolean {
    if (outcome.kind === 'unwanted') return true;
    const logged = { client: end.clientId, attempts };
    if (outcome.kind === 'told') {
      this.#deps.log.info('client told of a logout', logged);
      return true;
    }
    const { reason, final } = outcome;
    if (final || attempts >= MAX_ATTEMPTS) {
      this.#giveUp(end, { attempts, reason });
      return true;
    }
    this.#deps.log.info('client cannot be told of a logout yet', { ...logged, reason });
    return false;
  }

  #giveUp({ clientId }: SessionEnd, { attempts, reason }: { attempts: number; reason: string }): void {
    this.#givenUp += 1;
    this.#showCounts();
    this.#deps.log.warn('client cannot be told of a logout', { client: clientId, attempts, reason });
  }

  #delayAfter(attempts: number): number {
    const base = Math.min(FIRST_DELAY_MS * 2 ** (attempts - 1), MAX_DELAY_MS);
    // Between 80 and 120 %: what failed together does not come back together.
    return Math.round(base * (0.8 + (0.4 * (this.#deps.random(1)[0] ?? 0)) / 255));
  }

  #showCounts(): void {
    const { gauge, counter } = this.#deps.metrics;
    gauge('identity_logout_notices_waiting', 'Clients to be told again of a logout.', this.#waiting);
    counter('identity_logout_notices_given_up_total', 'Clients that could not be told of a logout.', this.#givenUp);
  }
}
