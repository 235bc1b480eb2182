/** Owns refreshing (RFC 6749 §6): rotation, the reuse interval, lifetimes, and asking the connector again. */
import { constantTimeEqual, delay, describeError } from '@kfctl/core';
import { decodeSubject } from '@kfctl/oidc';
import { connectorScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import type { RefreshTokenPolicy } from '../config/config.ts';
import { acceptsConnector, servesGrant } from '../connectors/allowed.ts';
import type { ConnectorInfo } from '../connectors/connector-set.ts';
import type { Authenticated, LoginOutcome } from '../connectors/connector.ts';
import type { ProviderDeps } from '../provider.ts';
import type { RefreshToken } from '../storage/records.ts';
import { createIssuer } from './issue-tokens.ts';
import { deleteRefreshToken, encodeRefreshHandle, newTokenSecret, sessionIdOf } from './refresh-tokens.ts';
import type { RefreshHandle } from './refresh-tokens.ts';
import { hiddenFailure, refuse, TokenRefusal } from './token-error.ts';
import type { TokenResponse } from './token-response.ts';

const CLAIMED = 'Refresh token is invalid or has already been claimed by another client.';

interface Presentation {
  readonly handle: RefreshHandle;
  readonly record: RefreshToken;
  readonly client: Client;
  /** Undefined when it is no longer there. */
  readonly connector: ConnectorInfo | undefined;
  readonly policy: RefreshTokenPolicy;
  readonly nowMs: number;
}

type Rule = (presented: Presentation) => TokenRefusal | undefined;

export const REFRESH_RULES: readonly Rule[] = [
  requireOwnToken,
  requireAllowedConnector,
  requireCurrentToken,
  requireLiveToken,
];

/** Uses of one token at the same time wait for each other: an upstream's own refresh token may work only once. */
export async function redeemRefreshToken(
  deps: ProviderDeps,
  client: Client,
  form: URLSearchParams,
): Promise<TokenResponse | TokenRefusal> {
  const presented = form.get('refresh_token') ?? '';
  if (presented === '') return refuse('invalid_request', 'No refresh token is found in request.');
  const handle = readHandle(presented);
  if (handle === undefined) return refuse('invalid_request', CLAIMED);
  const question = { handle, client, scope: form.get('scope') ?? '' };
  return await deps.refreshTurns.take(handle.id, async () => {
    const answer = await judgeRefresh(deps, question);
    // Another replica was faster: what it wrote is judged like any other use that comes late.
    const settled = answer === LOST ? await judgeRefresh(deps, question) : answer;
    return settled === LOST ? refuse('invalid_request', CLAIMED) : settled;
  });
}

interface RefreshQuestion {
  readonly handle: RefreshHandle;
  readonly client: Client;
  readonly scope: string;
}

/** The token was changed by somebody else in the meantime. */
const LOST = Symbol('lost');
type Refreshed = TokenResponse | TokenRefusal | typeof LOST;

async function judgeRefresh(deps: ProviderDeps, { handle, client, scope }: RefreshQuestion): Promise<Refreshed> {
  const record = await deps.storage.get('refreshToken', handle.id);
  if (record === undefined) return refuse('invalid_request', CLAIMED);
  const connector = deps.connectors.find(record.connectorId);
  const policy = deps.config.expiry.refreshTokens;
  const presentation = { handle, record, client, connector, policy, nowMs: deps.clock.now() };
  for (const rule of REFRESH_RULES) {
    const refusal = rule(presentation);
    if (refusal !== undefined) return refusal;
  }
  const scopes = narrowScopes(scope, record.scopes);
  if (scopes instanceof TokenRefusal) return scopes;
  return await refresh(deps, presentation, scopes);
}

/** The record of a refresh token in its current form, whoever presents it. */
export async function findRefreshToken(
  storage: Pick<ProviderDeps['storage'], 'get'>,
  presented: string,
): Promise<{ readonly id: string; readonly record: RefreshToken } | undefined> {
  const handle = readHandle(presented);
  const record = handle === undefined ? undefined : await storage.get('refreshToken', handle.id);
  if (handle === undefined || record === undefined || !constantTimeEqual(handle.token, record.token)) return undefined;
  return { id: handle.id, record };
}

/** As `findRefreshToken`, if it could still be used. */
export async function findLiveRefreshToken(deps: ProviderDeps, presented: string): Promise<RefreshToken | undefined> {
  const record = (await findRefreshToken(deps.storage, presented))?.record;
  if (record === undefined) return undefined;
  const timed = { record, policy: deps.config.expiry.refreshTokens, nowMs: deps.clock.now() };
  return requireLiveToken(timed) === undefined ? record : undefined;
}

/** RFC 6749 §6: bound to the client it was issued to. */
function requireOwnToken({ record, client }: Presentation): TokenRefusal | undefined {
  return record.clientId === client.id ? undefined : refuse('invalid_grant', CLAIMED);
}

function requireAllowedConnector({ record, client, connector }: Presentation): TokenRefusal | undefined {
  // One that is gone may come back: that is a failure, not a refusal.
  const served = connector === undefined || servesGrant(connector, 'refresh_token');
  const allowed = served && acceptsConnector(client, record.connectorId);
  return allowed ? undefined : refuse('invalid_grant', CLAIMED);
}

/** The current token; or, for as long as the reuse interval lasts, the one it replaced. */
function requireCurrentToken({ record, handle, policy, nowMs }: Presentation): TokenRefusal | undefined {
  if (constantTimeEqual(handle.token, record.token)) return undefined;
  const isObsolete = record.obsoleteToken !== '' && constantTimeEqual(handle.token, record.obsoleteToken);
  return isObsolete && isWithinReuse(record, policy, nowMs) ? undefined : refuse('invalid_request', CLAIMED);
}

function requireLiveToken({
  record,
  policy,
  nowMs,
}: Pick<Presentation, 'record' | 'policy' | 'nowMs'>): TokenRefusal | undefined {
  const { absoluteLifetime, validIfNotUsedFor } = policy;
  const tooOld = absoluteLifetime > 0 && nowMs > record.createdAt + absoluteLifetime;
  const tooIdle = validIfNotUsedFor > 0 && nowMs > record.lastUsedAt + validIfNotUsedFor;
  const { sessionEndsAt = 0 } = record;
  const outlivesSession = sessionEndsAt > 0 && nowMs > sessionEndsAt;
  return tooOld || tooIdle || outlivesSession ? refuse('invalid_request', 'Refresh token expired.') : undefined;
}

/** RFC 6749 §6: never more than was granted. */
function narrowScopes(asked: string, granted: readonly string[]): readonly string[] | TokenRefusal {
  const scopes = splitScopes(asked);
  const surplus = scopes.filter((scope) => !granted.includes(scope));
  if (surplus.length > 0) {
    return refuse('invalid_request', `Requested scopes contain unauthorized scope(s): ${JSON.stringify(surplus)}.`);
  }
  return scopes.length === 0 ? granted : scopes;
}

async function refresh(deps: ProviderDeps, presented: Presentation, scopes: readonly string[]): Promise<Refreshed> {
  const { record, policy, nowMs, client } = presented;
  // Within the reuse interval the answer is the same token again, and nobody is asked.
  const reused = isWithinReuse(record, policy, nowMs);
  const known = knownIdentity(record);
  const outcome: LoginOutcome = reused ? { kind: 'authenticated', ...known } : await askConnector(deps, record, known);
  if (outcome.kind === 'denied') return await revoke(deps, presented, outcome.reason);
  const stored = reused ? record : await rotate(deps, presented, outcome);
  if (stored === undefined) return LOST;
  const subject = { ...stored, client, identity: stored.claims, scopes, authTimeMs: 0 };
  const { accessToken, idToken, expiresInSeconds } = await createIssuer(deps).issue(subject);
  const refreshToken = encodeRefreshHandle({ id: presented.handle.id, token: stored.token });
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    refresh_token: refreshToken,
    id_token: idToken,
  };
}

async function askConnector(deps: ProviderDeps, record: RefreshToken, known: Authenticated): Promise<LoginOutcome> {
  const refresher = (await deps.connectors.open(record.connectorId))?.refresh;
  if (refresher === undefined) throw hiddenFailure(`connector ${record.connectorId} cannot refresh`, undefined);
  try {
    const outcome = await refresher.refresh(known, connectorScopes(record.scopes));
    if (outcome.kind === 'denied') return outcome;
    // Who it is can never change by a refresh.
    return { ...outcome, identity: { ...outcome.identity, userId: record.claims.userId } };
  } catch (cause) {
    throw hiddenFailure(`connector ${record.connectorId} failed to refresh: ${describeError(cause)}`, cause);
  }
}

/** In which a replica that has asked an upstream writes what it got. */
const SETTLE_MS = 250;

/** The connector says the person is gone or shut out: the token dies with it. Unless a faster replica used up what was asked with. */
async function revoke(deps: ProviderDeps, { handle, record }: Presentation, reason: string): Promise<Refreshed> {
  if (record.connectorData !== '') await delay(SETTLE_MS);
  const current = await deps.storage.get('refreshToken', handle.id);
  if (current !== undefined && current.token !== record.token) return LOST;
  deps.log.info('refresh token revoked', { client: record.clientId, connector: record.connectorId, reason });
  await deleteRefreshToken(deps.storage, handle.id);
  return refuse('invalid_grant', CLAIMED);
}

// Compare-and-swap on the token itself: of parallel uses one wins, the others find a token that is no longer theirs.
async function rotate(
  { storage, random }: ProviderDeps,
  { handle, record, policy, nowMs }: Presentation,
  { identity, connectorData }: Authenticated,
): Promise<RefreshToken | undefined> {
  const token = policy.disableRotation ? record.token : newTokenSecret(random);
  const data = connectorData?.toString('base64') ?? record.connectorData;
  const written = await storage.update('refreshToken', handle.id, (current) => {
    if (current.token !== record.token) return undefined;
    const obsoleteToken = policy.disableRotation ? current.obsoleteToken : current.token;
    return { ...current, token, obsoleteToken, claims: identity, connectorData: data, lastUsedAt: nowMs };
  });
  // What the connector keeps of a person is in the session too; most connectors give back what they were given.
  if (written === undefined || data === record.connectorData) return written;
  await storage.update('offlineSession', sessionIdOf(written), (session) => ({ ...session, connectorData: data }));
  return written;
}

function isWithinReuse(record: RefreshToken, policy: RefreshTokenPolicy, nowMs: number): boolean {
  return policy.reuseInterval > 0 && !policy.disableRotation && nowMs <= record.lastUsedAt + policy.reuseInterval;
}

function knownIdentity({ claims, connectorData }: RefreshToken): Authenticated {
  return connectorData === ''
    ? { identity: claims }
    : { identity: claims, connectorData: Buffer.from(connectorData, 'base64') };
}

// A text that is no handle is the bare id of a very old token, whose record has no secret.
function readHandle(presented: string): RefreshHandle | undefined {
  if (presented.length > 1000) return undefined;
  const decoded = decodeSubject(presented);
  const handle =
    decoded === undefined ? { id: presented, token: '' } : { id: decoded.userId, token: decoded.connectorId };
  return /^[a-z0-9]{1,63}$/.test(handle.id) ? handle : undefined;
}
