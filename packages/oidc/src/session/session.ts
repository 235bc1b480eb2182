/** Owns what a session is: the record that stores keep sealed, and the form of it that memory holds for checks. */
import type { Sealer } from '../state/sealer.ts';

export interface Identity {
  /** As upstreams get it: claim, transformed, prefixed. */
  readonly userId: string;
  readonly groups: readonly string[];
  /** The provider's `sub`. */
  readonly subject: string;
}

/** What may be of use to the provider later; only what it has an endpoint for is kept. */
export interface SessionTokenSet {
  readonly idToken?: string;
  readonly refreshToken?: string;
  readonly accessToken?: string;
  /** Milliseconds since the epoch. */
  readonly accessTokenExpiresAtMs?: number;
}

/** A token that a person made for programs. It is no session of a browser: it comes in a header only and cannot make others. */
export interface ApiToken {
  readonly name: string;
  /** GET, HEAD and OPTIONS only. */
  readonly readOnly: boolean;
  /** Whole-segment prefixes that it is good for; empty: every path. */
  readonly paths: readonly string[];
}

export interface SessionRecord extends Identity {
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly lastUsedAtMs: number;
  /** What the browser called itself at login, so that people recognise their sessions. */
  readonly userAgent: string;
  /** The provider's name for the login session that this one began in, by which it tells of its end. */
  readonly sid?: string;
  readonly tokens: SessionTokenSet;
  readonly apiToken?: ApiToken;
  /** A replica asks the provider for new tokens until then; the others wait for its answer. */
  readonly refreshingUntilMs?: number;
}

/** A session as stores see it: nothing can be read from it, and it opens under its own id only. */
export interface StoredSession {
  /** Lower-case hex SHA-256 of the token. */
  readonly id: string;
  readonly sealed: string;
  readonly expiresAtMs: number;
  /** The store's own mark of this writing, where it has one. */
  readonly version?: string;
}

/** A session as checks see it. Tokens stay in the store. */
export interface LiveSession extends Identity {
  readonly id: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly userAgent: string;
  readonly apiToken: ApiToken | undefined;
  readonly sid: string | undefined;
  /** When the provider is asked whether it still knows the person; Infinity where it gave nothing to ask with. */
  refreshAtMs: number;
  lastUsedAtMs: number;
  /** The last use that the store knows of. */
  storedUseAtMs: number;
}

export function sealSession(id: string, record: SessionRecord, sealer: Sealer): StoredSession {
  return { id, expiresAtMs: record.expiresAtMs, sealed: sealer.seal(JSON.stringify(record), id) };
}

/** The record, or undefined when it was not sealed by us for this id (a foreign key, a swapped object, a changed value). */
export function openSession(stored: StoredSession, sealer: Sealer): SessionRecord | undefined {
  const text = sealer.open(stored.sealed, stored.id);
  return text === undefined ? undefined : (JSON.parse(text) as SessionRecord);
}

/** When the tokens are due, milliseconds since the epoch; tokens without a lifetime never are. */
export function refreshTimeOf({ refreshToken, accessTokenExpiresAtMs }: SessionTokenSet): number {
  return refreshToken === undefined || accessTokenExpiresAtMs === undefined
    ? Number.POSITIVE_INFINITY
    : accessTokenExpiresAtMs;
}
