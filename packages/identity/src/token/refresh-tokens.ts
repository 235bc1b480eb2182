/** Owns refresh tokens: their wire form, how many a person may have, and their records. */
import { randomToken } from '@kfctl/core';
import { encodeSubject } from '@kfctl/oidc';
import type { ProviderDeps } from '../provider.ts';
import type { OfflineSession, RefreshToken, RefreshTokenRef } from '../storage/records.ts';
import type { TokenSubject } from './issue-tokens.ts';

type Deps = Pick<ProviderDeps, 'storage' | 'clock' | 'random'>;

export interface RefreshHandle {
  readonly id: string;
  /** Empty for a bare id, which is what very old tokens are. */
  readonly token: string;
}

/** A person may be logged in through one client on so many devices; the oldest login gives way. */
export const MAX_TOKENS_PER_CLIENT = 10;

/** base64url of a protocol buffer: field 1 the record's id, field 2 the secret. The same shape as a subject. */
export function encodeRefreshHandle({ id, token }: RefreshHandle): string {
  return encodeSubject({ userId: id, connectorId: token });
}

export function newTokenSecret(random: ProviderDeps['random']): string {
  return randomToken(25, random);
}

/** Makes a refresh token and enters it in the person's session. Resolves with its wire form. */
export async function createRefreshToken(
  { storage, clock, random }: Deps,
  subject: TokenSubject & { readonly connectorData: string; readonly sessionEndsAt?: number },
): Promise<string> {
  const nowMs = clock.now();
  // Object names of Kubernetes are lower case.
  const id = random(16).toString('hex');
  const token = newTokenSecret(random);
  const record: RefreshToken = {
    clientId: subject.client.id,
    scopes: subject.scopes,
    nonce: subject.nonce,
    token,
    obsoleteToken: '',
    claims: subject.identity,
    connectorId: subject.connectorId,
    connectorData: subject.connectorData,
    createdAt: nowMs,
    lastUsedAt: nowMs,
    sid: subject.sid ?? '',
    sessionEndsAt: subject.sessionEndsAt ?? 0,
  };
  await storage.create('refreshToken', id, record);
  await enterSession(storage, record, { id, clientId: subject.client.id, createdAt: nowMs, lastUsedAt: nowMs });
  return encodeRefreshHandle({ id, token });
}

export function sessionIdOf({ claims, connectorId }: RefreshToken): string {
  return encodeSubject({ userId: claims.userId, connectorId });
}

/** Deletes a refresh token and its entry in the session. */
export async function deleteRefreshToken(storage: Deps['storage'], id: string): Promise<boolean> {
  const record = await storage.take('refreshToken', id);
  if (record === undefined) return false;
  await storage.update('offlineSession', sessionIdOf(record), (session) => withoutRef(session, id));
  return true;
}

async function enterSession(storage: Deps['storage'], record: RefreshToken, ref: RefreshTokenRef): Promise<void> {
  const sessionId = sessionIdOf(record);
  const { connectorId, connectorData } = record;
  let surplus: readonly string[] = [];
  const enter = (session: OfflineSession): OfflineSession => {
    const { refresh, dropped } = withRef(session.refresh, ref);
    surplus = dropped;
    return { ...session, refresh, connectorData };
  };
  if ((await storage.update('offlineSession', sessionId, enter)) === undefined) {
    const session = { userId: record.claims.userId, connectorId, connectorData, refresh: { [ref.clientId]: ref } };
    const created = await storage.create('offlineSession', sessionId, session);
    if (!created) await storage.update('offlineSession', sessionId, enter);
  }
  for (const id of surplus) await storage.take('refreshToken', id);
}

type Refs = OfflineSession['refresh'];

function withRef(refs: Refs, ref: RefreshTokenRef): { readonly refresh: Refs; readonly dropped: readonly string[] } {
  const others = Object.entries(refs).filter(([, other]) => other.clientId !== ref.clientId);
  const own = Object.values(refs)
    .filter((other) => other.clientId === ref.clientId)
    .toSorted((left, right) => right.createdAt - left.createdAt);
  const kept = own.slice(0, MAX_TOKENS_PER_CLIENT - 1);
  const older = kept.map((other) => [`${other.clientId}#${other.id}`, other] as const);
  return {
    refresh: Object.fromEntries([...others, ...older, [ref.clientId, ref] as const]),
    dropped: own.slice(MAX_TOKENS_PER_CLIENT - 1).map((other) => other.id),
  };
}

function withoutRef(session: OfflineSession, id: string): OfflineSession {
  return {
    ...session,
    refresh: Object.fromEntries(Object.entries(session.refresh).filter(([, ref]) => ref.id !== id)),
  };
}
