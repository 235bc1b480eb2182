/**
 * Owns the sessions that a process holds in memory: what a store tells of, opened, found at every check. It asks nobody: a process that
 * only checks (a gateway) needs no more than this and somebody who feeds it.
 */
import type { Clock, Logger } from '@kfctl/core';
import type { Sealer } from '../state/sealer.ts';
import { HeldSessions, keyOf } from './held-session.ts';
import { openSession } from './session.ts';
import type { LiveSession, SessionRecord, StoredSession } from './session.ts';
import { sessionKeyOf } from './session-token.ts';

/** Told by a store what there is and what changes, whoever changed it. */
export interface SessionListener {
  put(stored: StoredSession): void;
  remove(id: string): void;
  /** Everything has been told anew: what has none of these ids is gone. */
  retain(ids: ReadonlySet<string>): void;
  /** What was told may be out of date: forget it and believe nothing until `found`, before which everything is told anew. */
  lost(): void;
  found(): void;
}

export interface SessionMemoryOptions {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly log: Logger;
  /** A session that was not used for this long is over; Infinity: only its age ends it. Asked each time where it may change. */
  readonly idleTimeoutMs: number | (() => number);
}

/** Longer than any watch lags: a session that was ended here does not come back by an old report. */
const TOMBSTONE_MS = 10 * 60_000;

export class SessionMemory implements SessionListener {
  readonly #options: SessionMemoryOptions;
  readonly #live = new HeldSessions();
  /** Ids of those that are API tokens. */
  readonly #apiTokens = new Set<string>();
  /** Ended ids with the time until which no report brings them back. */
  readonly #ended = new Map<string, number>();
  /** Stored sessions that no key of ours opens, with their expiry. */
  readonly #foreign = new Map<string, number>();
  #ready = false;

  constructor(options: SessionMemoryOptions) {
    this.#options = options;
  }

  /** Whether memory holds what the store holds. */
  get isReady(): boolean {
    return this.#ready;
  }

  get size(): number {
    return this.#live.size;
  }

  /** The live session of a token: the hot path. An arrow, so that it can be handed on as it is. */
  readonly find = (token: string): LiveSession | undefined => {
    const session = this.#live.get(sessionKeyOf(token));
    if (session === undefined) return undefined;
    const now = this.#options.clock.now();
    if (this.isOver(session, now)) return undefined;
    session.lastUsedAtMs = now;
    return session;
  };

  /** The session as it is now; looking at it is no use of it. */
  current(id: string): LiveSession | undefined {
    const session = this.#live.get(keyOf(id));
    return session === undefined || this.isOver(session, this.#options.clock.now()) ? undefined : session;
  }

  /** Everybody's live sessions. */
  *all(): Generator<LiveSession> {
    const now = this.#options.clock.now();
    for (const session of this.#live.values()) if (!this.isOver(session, now)) yield session;
  }

  /** Everybody's API tokens: few beside the sessions. */
  *apiTokens(): Generator<LiveSession> {
    for (const id of this.#apiTokens) {
      const token = this.current(id);
      if (token !== undefined) yield token;
    }
  }

  put(stored: StoredSession): void {
    if (this.hasEnded(stored.id)) return;
    const { sealer, log } = this.#options;
    const record = openSession(stored, sealer);
    if (record === undefined) {
      this.#live.delete(keyOf(stored.id));
      this.#foreign.set(stored.id, stored.expiresAtMs);
      log.warn('session cannot be opened', { session: stored.id.slice(0, 12) });
    } else this.learn(stored.id, record);
  }

  remove(id: string): void {
    this.#live.delete(keyOf(id));
    this.#apiTokens.delete(id);
    this.#foreign.delete(id);
  }

  retain(ids: ReadonlySet<string>): void {
    for (const { id } of this.#live.values()) if (!ids.has(id)) this.remove(id);
    for (const id of this.#foreign.keys()) if (!ids.has(id)) this.remove(id);
  }

  lost(): void {
    this.#ready = false;
    this.#live.clear();
    this.#apiTokens.clear();
  }

  found(): void {
    this.#ready = true;
  }

  /** Takes a record that was opened already; one that has ended here stays so. */
  learn(id: string, record: SessionRecord): LiveSession {
    const key = keyOf(id);
    if (this.hasEnded(id)) return this.#live.show(key, record);
    const before = this.#live.get(key);
    const session = this.#live.set(key, record);
    // Memory may know of a later use than the store, and that the provider is in trouble and asked again later.
    session.lastUsedAtMs = Math.max(session.lastUsedAtMs, before?.lastUsedAtMs ?? 0);
    if (before !== undefined && before.refreshAtMs !== Infinity)
      session.refreshAtMs = Math.max(session.refreshAtMs, before.refreshAtMs);
    if (session.apiToken !== undefined) this.#apiTokens.add(id);
    return session;
  }

  /** Ends a session here, for good. */
  end(id: string): void {
    this.#live.delete(keyOf(id));
    this.#apiTokens.delete(id);
    this.#ended.set(id, this.#options.clock.now() + TOMBSTONE_MS);
  }

  hasEnded(id: string): boolean {
    const until = this.#ended.get(id);
    return until !== undefined && until > this.#options.clock.now();
  }

  isOver({ expiresAtMs, lastUsedAtMs, apiToken }: LiveSession, now: number): boolean {
    const { idleTimeoutMs } = this.#options;
    const idleMs = typeof idleTimeoutMs === 'number' ? idleTimeoutMs : idleTimeoutMs();
    return expiresAtMs <= now || (now - lastUsedAtMs >= idleMs && apiToken === undefined);
  }

  /** Forgets what time has ended; gives the ids, for a store to forget too. */
  sweep(now: number): readonly string[] {
    for (const [id, until] of this.#ended) if (until <= now) this.#ended.delete(id);
    const over: string[] = [];
    for (const session of this.#live.values()) if (this.isOver(session, now)) over.push(session.id);
    const foreign = [...this.#foreign].filter(([, until]) => until <= now).map(([id]) => id);
    const ids = [...over, ...foreign];
    for (const id of ids) this.remove(id);
    return ids;
  }
}
