/**
 * Owns what is known of people who have logged in: what their login sessions and refresh tokens say. Nothing is kept for this alone, so
 * whoever has neither is not known.
 */
import type { Clock } from '@kfctl/core';
import { encodeSubject } from '@kfctl/oidc';
import type { Identity } from '../connectors/connector.ts';
import { listSessions } from '../session/stored-sessions.ts';
import type { Storage } from '../storage/storage.ts';

/** Who somebody is at one connector. */
export interface PersonKey {
  readonly userId: string;
  readonly connectorId: string;
}

export interface KnownPerson extends PersonKey {
  /** As of the newest login. */
  readonly claims: Identity;
  /** Of the oldest that is kept, in milliseconds. */
  readonly firstSeenAt: number;
  readonly lastLoginAt: number;
}

export interface PeopleDeps {
  readonly storage: Pick<Storage, 'list'>;
  readonly clock: Clock;
}

export async function listPeople(deps: PeopleDeps): Promise<readonly KnownPerson[]> {
  const sessions = (await listSessions(deps)).map(({ record }) => ({ ...record, at: record.authTimeMs }));
  const tokens = (await deps.storage.list('refreshToken')).map(({ record }) => ({ ...record, at: record.createdAt }));
  const people = new Map<string, KnownPerson>();
  for (const { claims, connectorId, at } of [...sessions, ...tokens]) {
    const { userId } = claims;
    const subject = encodeSubject({ userId, connectorId });
    const known = people.get(subject);
    people.set(subject, {
      userId,
      connectorId,
      claims: known === undefined || at >= known.lastLoginAt ? claims : known.claims,
      firstSeenAt: Math.min(at, known?.firstSeenAt ?? Infinity),
      lastLoginAt: Math.max(at, known?.lastLoginAt ?? 0),
    });
  }
  return [...people.values()];
}

export function isPerson({
  userId,
  connectorId,
}: PersonKey): (record: { readonly claims: Identity; readonly connectorId: string }) => boolean {
  return (record) => record.claims.userId === userId && record.connectorId === connectorId;
}
