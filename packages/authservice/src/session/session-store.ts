/** Owns the contract of a session store. Stores see ids and sealed values only. */
import type { StoredSession } from './session.ts';

/** Told by a store what there is and what changes, whoever changed it. */
export interface SessionListener {
  put(stored: StoredSession): void;
  remove(id: string): void;
  /** What was told may be out of date: forget it and believe nothing until `found`, before which everything is told anew. */
  lost(): void;
  found(): void;
}

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
