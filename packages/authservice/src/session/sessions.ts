/**
 * Owns the life of sessions: made at login, found at every check in memory, ended at logout or by time. The store is the truth that
 * replicas and restarts share; memory follows it.
 */
import { describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { openSession, refreshTimeOf, sealSession, SessionMemory, sessionIdOf } from '@kfctl/oidc';
import type {
  ApiToken,
  Identity,
  LiveSession,
  Sealer,
  SessionRecord,
  SessionTokens,
  SessionTokenSet,
  StoredSession,
} from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { Removals } from './removals.ts';
import type { SessionStore } from './session-store.ts';

export interface NewSession extends Identity {
  readonly userAgent: string;
  readonly tokens: SessionTokenSet;
  readonly sid?: string;
  readonly apiToken?: ApiToken;
  /** Instead of the setting's. */
  readonly maxAgeMs?: number;
}

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly sealer: Sealer;
  readonly tokens: SessionTokens;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxAgeMs: number;
  /** A session that was not used for this long ends; Infinity: only its age ends it. */
  readonly idleTimeoutMs: number;
}

/** Requests under way with the old cookie while a new login replaces it must not fail. */
const RETIREMENT_MS = 60_000;
/** Genuine tokens of ended sessions that are still sent; each is asked of the store once in a while only. */
const MAX_ABSENT = 10_000;
const ABSENT_MS = 10_000;
/** Where no idle time asks for more, the store learns of use once in an eighth of this: people look when a session was used last. */
export const LONGEST_UNTOLD_MS: number = 8 * 3_600_000;
/** Of one person, at a time: scripts that log in at every run must not fill the store. Those that were used longest ago end. */
const MAX_SESSIONS = 100;
/** Two replicas that write one session at the same time: rare, and never many. */
const MAX_WRITES = 10;
/** A session that is told to be gone again and again while it is read is gone. */
const MAX_READS = 3;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #memory: SessionMemory;
  readonly #removals = new Removals();
  /** Ids that the store did not know, each with the time until which that is believed. */
  readonly #absent = new Map<string, number>();
  #isSweeping = false;
  /** The live session of a token, from memory: the hot path. */
  readonly find: SessionMemory['find'];

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#memory = new SessionMemory(options);
    this.find = this.#memory.find;
  }

  /** Whether memory holds what the store holds. */
  get isReady(): boolean {
    return this.#memory.isReady;
  }

  get size(): number {
    return this.#memory.size;
  }

  /** Follows the store; resolves once sessions are known. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#options.store.follow(this.#removals.hearing(this.#memory), signal);
    this.#memory.found();
  }

  /** The live session of a token that memory does not know: another replica may have made it a moment ago. */
  async lookUp(token: string): Promise<LiveSession | undefined> {
    const { tokens, clock } = this.#options;
    if (!tokens.isGenuine(token)) return undefined;
    if (!this.isReady) throw sessionsUnavailable('sessions are not loaded yet');
    const id = sessionIdOf(token);
    if (this.#memory.hasEnded(id) || (this.#absent.get(id) ?? 0) > clock.now()) return undefined;
    await this.#ask(id, (stored) => {
      if (stored !== undefined) this.#memory.put(stored);
      else if (this.#absent.size < MAX_ABSENT) this.#absent.set(id, clock.now() + ABSENT_MS);
    });
    return this.find(token);
  }

  /** Makes a session and gives its token, which exists nowhere else afterwards. */
  async create({
    maxAgeMs = this.#options.maxAgeMs,
    ...fresh
  }: NewSession): Promise<{ readonly token: string; readonly session: LiveSession }> {
    const { store, sealer, tokens, clock } = this.#options;
    const now = clock.now();
    const token = tokens.create();
    const id = sessionIdOf(token);
    const record: SessionRecord = { ...fresh, createdAtMs: now, lastUsedAtMs: now, expiresAtMs: now + maxAgeMs };
    const made = await store.write(sealSession(id, record, sealer)).catch((cause: unknown) => {
      throw sessionsUnavailable('cannot store a session', cause);
    });
    if (!made) throw sessionsUnavailable('the store has a session of this id already');
    const session = this.#memory.learn(id, record);
    if (fresh.apiToken !== undefined) return { token, session };
    await this.#updateApiTokens(fresh);
    await this.#endSurplus(fresh);
    return { token, session };
  }

  /** Ends a session here at once, and in the store; throws SESSIONS_UNAVAILABLE when other replicas may still know it. */
  async end(id: string): Promise<void> {
    this.#memory.end(id);
    await this.#options.store.delete(id).catch((cause: unknown) => {
      throw sessionsUnavailable('cannot end a session in the store', cause);
    });
  }

  /** The session was replaced by a new login of the same person: it ends shortly. Another person's ends at once. */
  async replace(old: LiveSession, fresh: LiveSession): Promise<void> {
    const { clock, log } = this.#options;
    const expiresAtMs = Math.min(old.expiresAtMs, clock.now() + RETIREMENT_MS);
    try {
      if (old.subject !== fresh.subject) await this.end(old.id);
      else await this.#change(old.id, (record) => ({ ...record, expiresAtMs, tokens: {} }));
    } catch (error) {
      log.warn('cannot end a replaced session', { error: describeError(error) });
    }
  }

  /** The tokens of a session, from the store. */
  async tokensOf(id: string): Promise<SessionTokenSet> {
    return (await this.#read(id))?.record.tokens ?? {};
  }

  /**
   * Takes the asking for new tokens upon this replica for a while. The tokens to ask with; undefined when another replica is asking, has
   * asked since, or the session has ended: then what memory holds is what there is.
   */
  async claimRefresh(id: string, forMs: number): Promise<SessionTokenSet | undefined> {
    const now = this.#options.clock.now();
    const claimed = await this.#change(id, (record) => {
      const isDue = refreshTimeOf(record.tokens) <= now;
      return isDue && (record.refreshingUntilMs ?? 0) <= now
        ? { ...record, refreshingUntilMs: now + forMs }
        : undefined;
    });
    return claimed?.tokens;
  }

  /** Gives a session new tokens, and what they say of the person; undefined when the session has ended meanwhile. */
  async renew(id: string, fresh: Partial<Identity> & Pick<SessionRecord, 'tokens'>): Promise<LiveSession | undefined> {
    await this.#change(id, ({ refreshingUntilMs: _over, ...record }) => ({ ...record, ...fresh }));
    const session = this.#memory.current(id);
    if (session !== undefined) await this.#updateApiTokens(session);
    return session;
  }

  /** A person's API tokens, which outlive sessions by far, get the name and the groups that the provider has just told. */
  async #updateApiTokens({ subject, userId, groups }: Identity): Promise<void> {
    const isOutOfDate = (token: LiveSession): boolean =>
      token.subject === subject && (token.userId !== userId || token.groups.join('\n') !== groups.join('\n'));
    try {
      for (const { id } of [...this.#memory.apiTokens()].filter(isOutOfDate))
        await this.#change(id, (record) => ({ ...record, userId, groups }));
    } catch (error) {
      this.#options.log.warn('cannot update API tokens', { error: describeError(error) });
    }
  }

  async #endSurplus({ subject }: Identity): Promise<void> {
    const own: LiveSession[] = [];
    for (const session of this.#memory.all())
      if (session.subject === subject && session.apiToken === undefined) own.push(session);
    if (own.length <= MAX_SESSIONS) return;
    const surplus = own.toSorted((left, right) => right.lastUsedAtMs - left.lastUsedAtMs).slice(MAX_SESSIONS);
    for (const { id } of surplus)
      await this.end(id).catch((error: unknown) =>
        this.#options.log.warn('cannot end a surplus session', { error: describeError(error) }),
      );
  }

  /** The session as it is now, here. */
  current(id: string): LiveSession | undefined {
    return this.#memory.current(id);
  }

  /** Everybody's live sessions. */
  all(): Iterable<LiveSession> {
    return this.#memory.all();
  }

  /** Forgets what time has ended, here and in the store, and lets the store know of recent use. One at a time. */
  async sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    try {
      await this.#sweep();
    } finally {
      this.#isSweeping = false;
    }
  }

  async #sweep(): Promise<void> {
    const { clock, store, idleTimeoutMs } = this.#options;
    const now = clock.now();
    for (const [id, until] of this.#absent) if (until <= now) this.#absent.delete(id);
    for (const id of this.#memory.sweep(now)) await store.delete(id);
    const untoldMs = Math.min(idleTimeoutMs, LONGEST_UNTOLD_MS) / 8;
    for (const { id, lastUsedAtMs, storedUseAtMs } of this.#memory.all()) {
      if (lastUsedAtMs - storedUseAtMs > untoldMs) await this.#change(id, (record) => ({ ...record, lastUsedAtMs }));
    }
  }

  #read(id: string): Promise<{ readonly stored: StoredSession; readonly record: SessionRecord } | undefined> {
    return this.#ask(id, (stored) => {
      const record = stored === undefined ? undefined : openSession(stored, this.#options.sealer);
      if (stored === undefined || record === undefined) return undefined;
      this.#memory.learn(id, record);
      return { stored, record };
    });
  }

  /** What `take` makes of a session as the store has it; it is asked again where the session was told to be gone meanwhile. */
  async #ask<Taken>(id: string, take: (stored: StoredSession | undefined) => Taken): Promise<Taken> {
    const read = (): Promise<StoredSession | undefined> =>
      this.#options.store.get(id).catch((cause: unknown) => {
        throw sessionsUnavailable('cannot read a session from the store', cause);
      });
    for (let attempt = 0; attempt < MAX_READS; attempt += 1) {
      const answer = await this.#removals.ask(id, read, (stored) => ({ taken: take(stored) }));
      if (answer !== undefined) return answer.taken;
    }
    return take(undefined);
  }

  /**
   * Rewrites a session; one that has ended meanwhile stays ended, and what another replica wrote meanwhile is read first. Undefined when
   * there is nothing to write.
   */
  async #change(
    id: string,
    edit: (record: SessionRecord) => SessionRecord | undefined,
  ): Promise<SessionRecord | undefined> {
    const { store, sealer } = this.#options;
    for (let attempt = 0; attempt < MAX_WRITES; attempt += 1) {
      const found = await this.#read(id);
      if (found === undefined) this.#memory.remove(id);
      const edited = found === undefined ? undefined : edit(found.record);
      if (found === undefined || edited === undefined) return undefined;
      const write = (): Promise<boolean> => store.write(sealSession(id, edited, sealer), found.stored);
      const isWritten = await this.#removals.ask(id, write, (isTaken) => {
        if (isTaken) this.#memory.learn(id, edited);
        return isTaken;
      });
      if (isWritten === true) return edited;
    }
    throw sessionsUnavailable('a session changes faster than it can be written');
  }
}
