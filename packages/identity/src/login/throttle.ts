/**
 * Owns the brake on guessing passwords: after some wrong ones, a pair of name and address, a name, and an address each have to
 * wait, for longer and longer. It counts names that do not exist alike, so it tells nothing. In memory, bounded, per process.
 */
import type { Clock } from '@kfctl/core';
import { createTurns } from './turns.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export interface LoginAttempt {
  readonly connectorId: string;
  readonly username: string;
  /** Undefined where it is not known which address a request comes from (a proxy in front that is not configured). */
  readonly address: string | undefined;
}

export interface LoginThrottle {
  /** Judges an attempt when few others at the same name are under way, so that what they find counts for it. */
  inTurn<T>(attempt: LoginAttempt, judge: () => Promise<T>): Promise<T>;
  /** Seconds until this attempt may be made; 0 when that is now. */
  waitSeconds(attempt: LoginAttempt): number;
  failed(attempt: LoginAttempt): void;
  succeeded(attempt: LoginAttempt): void;
}

interface Limit {
  readonly free: number;
  readonly maxWaitMs: number;
}

// A name from everywhere gets more tries than a name from one address: locking others out must be hard.
const LIMITS = {
  pair: { free: 5, maxWaitMs: 300_000 },
  name: { free: 15, maxWaitMs: 60_000 },
  address: { free: 100, maxWaitMs: 60_000 },
} as const satisfies Record<string, Limit>;

const AT_ONCE = 5;
const MAX_WAITING = 200;

const FORGET_AFTER_MS = 900_000;
const MAX_ENTRIES = 50_000;

interface Entry {
  failures: number;
  lastAt: number;
}

export function createLoginThrottle(clock: Clock): LoginThrottle {
  const entries = new Map<string, Entry>();
  const live = (key: string): Entry | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || clock.now() - entry.lastAt < FORGET_AFTER_MS) return entry;
    entries.delete(key);
    return undefined;
  };
  const turns = createTurns({ atOnce: AT_ONCE, maxWaiting: MAX_WAITING });
  return {
    inTurn: (attempt, judge) => turns.take(nameKey(attempt), judge),
    waitSeconds: (attempt) => {
      const waits = keysOf(attempt).map(([key, limit]) => remainingMs(live(key), limit, clock.now()));
      return Math.ceil(Math.max(0, ...waits) / 1000);
    },
    failed: (attempt) => {
      for (const [key] of keysOf(attempt)) {
        const failures = (live(key)?.failures ?? 0) + 1;
        entries.delete(key);
        entries.set(key, { failures, lastAt: clock.now() });
      }
      // Map keeps insertion order: the front is what has been quiet longest.
      for (const key of entries.keys()) {
        if (entries.size <= MAX_ENTRIES) break;
        entries.delete(key);
      }
    },
    // The address keeps its count: one good account must not give unlimited guesses at others.
    succeeded: (attempt) => {
      for (const [key] of keysOf(attempt).slice(0, 2)) entries.delete(key);
    },
  };
}

function remainingMs(entry: Entry | undefined, limit: Limit, now: number): number {
  if (entry === undefined || entry.failures < limit.free) return 0;
  const waitMs = Math.min(1000 * 2 ** Math.min(entry.failures - limit.free, 20), limit.maxWaitMs);
  return entry.lastAt + waitMs - now;
}

function key(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function nameKey({ connectorId, username }: LoginAttempt): string {
  return key('name', connectorId, username.trim().toLowerCase());
}

function keysOf(attempt: LoginAttempt): readonly (readonly [string, Limit])[] {
  const { connectorId, username, address } = attempt;
  const name = username.trim().toLowerCase();
  if (address === undefined) return [[nameKey(attempt), LIMITS.name]];
  return [
    [nameKey(attempt), LIMITS.name],
    [key('pair', connectorId, name, address), LIMITS.pair],
    [key('address', address), LIMITS.address],
  ];
}
