/**
 * Owns the life of sessions: made at login, found at every check in memory, ended at logout or by time. The store is the truth that
 * replicas and restarts share; memory follows it.
 */
import { describeError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { sessionIdOf } from '@kfctl/oidc';
import type { Sealer, SessionTokens } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { openSession, sealSession, toLiveSession } from './session.ts';
import type { ApiToken, Identity, LiveSession, SessionRecord, SessionTokenSet, StoredSession } from './session.ts';
import type { SessionListener, SessionStore } from './session-store.ts';

export interface NewSession extends Identity {
  readonly userAgent: string;
  readonly tokens: SessionTokenSet;
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
/** Longer than any watch lags: a session that was ended here does not come back by an old report. */
const TOMBSTONE_MS = 10 * 60_000;
/** Genuine tokens of ended sessions that are still sent; each is asked of the store once in a while only. */
const MAX_ABSENT = 10_000;
const ABSENT_MS = 10_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #live = new Map<string, LiveSession>();
  /** Ended ids, and ids that the store did not know, each with the time until which that is believed. */
  readonly #ended = new Map<string, number>();
  readonly #absent = new Map<string, number>();
  /** Stored sessions that no key of ours opens, with their expiry: swept when it has come. */
  readonly #foreign = new Map<string, number>();
  #ready = false;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Whether memory holds what the store holds. */
  get isReady(): boolean {
    return this.#ready;
  }

  get size(): number {
    return this.#live.size;
  }

  /** Follows the store; resolves once sessions are known. */
  async open(signal: AbortSignal): Promise<void> {
    const listener: SessionListener = {
      put: (stored) => this.#learn(stored),
      remove: (id) => {
        this.#live.delete(id);
        this.#foreign.delete(id);
      },
      lost: () => {
        this.#ready = false;
        this.#live.clear();
      },
      found: () => (this.#ready = true),
    };
    await this.#options.store.follow(listener, signal);
    this.#ready = true;
  }

  /** The live session of a token, from memory: the hot path. An arrow, so that it can be handed on as it is. */
  readonly find = (token: string): LiveSession | undefined => {
    const session = this.#live.get(sessionIdOf(token));
    if (session === undefined) return undefined;
    const now = this.#options.clock.now();
    if (this.#isOver(session, now)) return undefined;
    session.lastUsedAtMs = now;
    return session;
  };

  /** The live session of a token that memory does not know: another replica may have made it a moment ago. */
  async lookUp(token: string): Promise<LiveSession | undefined> {
    const { store, tokens, clock } = this.#options;
    if (!tokens.isGenuine(token)) return undefined;
    if (!this.#ready) throw sessionsUnavailable('sessions are not loaded yet');
    const id = sessionIdOf(token);
    if (this.#isBelieved(this.#ended, id) || this.#isBelieved(this.#absent, id)) return undefined;
    const stored = await store.get(id).catch((cause: unknown) => {
      throw sessionsUnavailable('cannot read a session from the store', cause);
    });
    if (stored !== undefined) this.#learn(stored);
    else if (this.#absent.size < MAX_ABSENT) this.#absent.set(id, clock.now() + ABSENT_MS);
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
    const made = await store.write(sealSession(id, record, sealer), 'create').catch((cause: unknown) => {
      throw sessionsUnavailable('cannot store a session', cause);
    });
    if (!made) throw sessionsUnavailable('the store has a session of this id already');
    const session = toLiveSession(id, record);
    this.#live.set(id, session);
    return { token, session };
  }

  /** Ends a session here at once, and in the store; throws SESSIONS_UNAVAILABLE when other replicas may still know it. */
  async end(id: string): Promise<void> {
    this.#live.delete(id);
    this.#ended.set(id, this.#options.clock.now() + TOMBSTONE_MS);
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
    return (await this.#read(id))?.tokens ?? {};
  }

  /** Gives a session new tokens, and what they say of the person; undefined when the session has ended meanwhile. */
  async renew(id: string, fresh: Partial<Identity> & Pick<SessionRecord, 'tokens'>): Promise<LiveSession | undefined> {
    await this.#change(id, (record) => ({ ...record, ...fresh }));
    return this.#live.get(id);
  }

  /** The session as it is now, here. */
  current(id: string): LiveSession | undefined {
    const session = this.#live.get(id);
    return session === undefined || this.#isOver(session, this.#options.clock.now()) ? undefined : session;
  }

  /** Everybody's live sessions. */
  *all(): Generator<LiveSession> {
    const now = this.#options.clock.now();
    for (const session of this.#live.values()) if (!this.#isOver(session, now)) yield session;
  }

  /** Forgets what time has ended, here and in the store, and lets the store know of recent use. */
  async sweep(): Promise<void> {
    const { clock, store } = this.#options;
    const now = clock.now();
    for (const [id, until] of this.#ended) if (until <= now) this.#ended.delete(id);
    for (const [id, until] of this.#absent) if (until <= now) this.#absent.delete(id);
    for (const [id, until] of this.#foreign) {
      if (until > now) continue;
      this.#foreign.delete(id);
      await store.delete(id);
    }
    for (const session of this.#live.values()) {
      if (this.#isOver(session, now)) {
        this.#live.delete(session.id);
        await store.delete(session.id);
      } else if (session.lastUsedAtMs - session.storedUseAtMs > this.#options.idleTimeoutMs / 4) {
        const { lastUsedAtMs } = session;
        await this.#change(session.id, (record) => ({ ...record, lastUsedAtMs }));
      }
    }
  }

  #isOver({ expiresAtMs, lastUsedAtMs, apiToken }: LiveSession, now: number): boolean {
    return expiresAtMs <= now || (now - lastUsedAtMs >= this.#options.idleTimeoutMs && apiToken === undefined);
  }

  #isBelieved(until: ReadonlyMap<string, number>, id: string): boolean {
    return (until.get(id) ?? 0) > this.#options.clock.now();
  }

  #learn(stored: StoredSession): void {
    if (this.#isBelieved(this.#ended, stored.id)) return;
    const { sealer, log } = this.#options;
    const record = openSession(stored, sealer);
    if (record === undefined) {
      this.#live.delete(stored.id);
      this.#foreign.set(stored.id, stored.expiresAtMs);
      log.warn('session cannot be opened', { session: stored.id.slice(0, 12) });
      return;
    }
    const session = toLiveSession(stored.id, record);
    // Memory may know of a later use than the store.
    session.lastUsedAtMs = Math.max(session.lastUsedAtMs, this.#live.get(stored.id)?.lastUsedAtMs ?? 0);
    this.#live.set(stored.id, session);
  }

  async #read(id: string): Promise<SessionRecord | undefined> {
    const stored = await this.#options.store.get(id).catch((cause: unknown) => {
      throw sessionsUnavailable('cannot read a session from the store', cause);
    });
    if (stored === undefined) return undefined;
    this.#learn(stored);
    return openSession(stored, this.#options.sealer);
  }

  /** Rewrites a session; one that has ended meanwhile stays ended. */
  async #change(id: string, edit: (record: SessionRecord) => SessionRecord): Promise<void> {
    const { store, sealer } = this.#options;
    const record = await this.#read(id);
    if (record === undefined) return;
    const stored = sealSession(id, edit(record), sealer);
    if (await store.write(stored, 'update')) this.#learn(stored);
    else this.#live.delete(id);
  }
}
