/**
 * Owns the statement by which an AuthService lets gateways decide for live sessions themselves: by which settings, and for how long. It
 * is sealed under the session key and kept among the session objects, renewed every few seconds. So only who may make sessions can make
 * it, and a gateway that sees a fresh one has seen every logout before it: both came through one watch, in order.
 */
import type { Sealer } from '../state/sealer.ts';

/** The object's name; ids of sessions are hashes, which this is not. */
export const CHECK_LEASE_NAME = 'check-lease';
/** Purpose of the sealer for leases. */
export const CHECK_LEASE_PURPOSE = 'session check lease';

export interface CheckSettings {
  readonly cookieName: string;
  /** Lower case. */
  readonly userIdHeader: string;
  readonly groupsHeader: string;
  /** False: the groups header is taken away from every request (see the AuthService's GATEWAY_COPIES_GROUPS). */
  readonly copiesGroups: boolean;
  /** Requests carry a proof of the identity (see identity-assertion.ts): who has no key for it cannot decide. */
  readonly provesIdentity: boolean;
  /** Paths that are for the AuthService alone to judge, whole segments: its own routes, and those that need no session. */
  readonly askAlways: readonly string[];
  readonly allowedGroups: readonly string[];
  /** Undefined: only its age ends a session. */
  readonly idleTimeoutMs: number | undefined;
}

export interface CheckLease {
  readonly settings: CheckSettings;
  /** Milliseconds since the epoch. */
  readonly validUntilMs: number;
}

export function sealCheckLease(lease: CheckLease, sealer: Sealer): string {
  return sealer.seal(JSON.stringify(lease), CHECK_LEASE_NAME);
}

/** Undefined for anything that was not sealed as a lease with one of the keys. */
export function openCheckLease(sealed: string, sealer: Sealer): CheckLease | undefined {
  const text = sealer.open(sealed, CHECK_LEASE_NAME);
  return text === undefined ? undefined : (JSON.parse(text) as CheckLease);
}
