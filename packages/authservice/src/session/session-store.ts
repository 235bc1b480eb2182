/** Owns the contract of a session store. Stores see ids and sealed values only. */
import type { SessionListener, StoredSession } from '@kfctl/oidc';

export interface SessionStore {
  /** Tells of every session there is, then of each change, until the signal aborts. Resolves once the first telling is complete. */
  follow(listener: SessionListener, signal: AbortSignal): Promise<void>;
  /** `create` refuses an id that exists; `update` refuses one that does not, so that an ended session never comes back. False: refused. */
  write(stored: StoredSession, mode: 'create' | 'update'): Promise<boolean>;
  /** Ends a session for every replica; ending one that is gone is no error. */
  delete(id: string): Promise<void>;
  /** Reads one session, past what was told so far. */
  get(id: string): Promise<StoredSession | undefined>;
  readonly close?: () => Promise<void>;
}
