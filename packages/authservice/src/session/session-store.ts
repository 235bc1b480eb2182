/** Owns the contract of a session store. Stores see ids and sealed values only. */
import type { SessionListener, StoredSession } from '@kfctl/oidc';

export interface SessionStore {
  /** Tells of every session there is, then of each change, until the signal aborts. Resolves once the first telling is complete. */
  follow(listener: SessionListener, signal: AbortSignal): Promise<void>;
  /**
   * Without `replaces` (as `get` gave it) makes a session, unless the id exists. With it changes a session that is still exactly that, so
   * that neither an ended one comes back nor another replica's change is lost. False: refused.
   */
  write(stored: StoredSession, replaces?: StoredSession): Promise<boolean>;
  /** Ends a session for every replica; ending one that is gone is no error. */
  delete(id: string): Promise<void>;
  /** Reads one session, past what was told so far. */
  get(id: string): Promise<StoredSession | undefined>;
  /** Keeps what is no session beside them, over what was there, for those who follow the same objects: the check lease. */
  readonly publish?: (sealed: StoredSession) => Promise<void>;
  readonly close?: () => Promise<void>;
}
