/**
 * Owns asking the provider, when a session's access token runs out, whether it still knows the person (RFC 6749 §6): groups change,
 * accounts are closed. One question a session at a time, whatever the number of requests and replicas: a second use of a rotating refresh
 * token would end the session that the first one kept.
 */
import { delay, describeError, isAppError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import type { JwtClaims } from '@kfctl/oidc';
import { identityOf } from '../login/identity-of.ts';
import type { IdentityRules } from '../login/identity-of.ts';
import { fetchUserinfo } from '../login/fetch-userinfo.ts';
import { requestTokens } from '../login/redeem-code.ts';
import type { RedeemDeps, TokenAnswer } from '../login/redeem-code.ts';
import { usefulTokens } from '../login/useful-tokens.ts';
import { verifyIdToken } from '../login/verify-id-token.ts';
import type { Identity, LiveSession, SessionTokenSet } from '@kfctl/oidc';
import type { Sessions } from './sessions.ts';

export interface RefreshDeps {
  readonly sessions: Pick<Sessions, 'tokensOf' | 'claimRefresh' | 'renew' | 'current' | 'end'>;
  readonly redeem: RedeemDeps;
  readonly identityRules: IdentityRules;
  readonly clock: Clock;
  readonly log: Logger;
}

/** While the provider is in trouble people go on; it is asked again after this. */
const RETRY_MS = 30_000;
/** A replica whose claim ran out while it asked may be about to store its answer. */
const SLOWER_REPLICA_MS = [100, 400];
const OTHER_REPLICA_RETRY_MS = 2_000;
const DEFAULT_LIFETIME_MS = 300_000;
/** Longer than the provider may take to answer, once for tokens and once at userinfo. A replica that died while it asked is waited for no longer. */
const CLAIM_MS = 25_000;
/** How long requests wait for another replica's answer before they go on with what the session was. */
const OTHER_REPLICA_MS = [50, 100, 200, 400, 800, 1_500];

/** The session itself when nothing is due: the hot path. Otherwise a promise of it, renewed; undefined when it has ended. */
export function createRefresh(
  deps: RefreshDeps,
): (session: LiveSession) => LiveSession | Promise<LiveSession | undefined> {
  const underWay = new Map<string, Promise<LiveSession | undefined>>();
  return (session) => {
    if (session.refreshAtMs > deps.clock.now()) return session;
    const running = underWay.get(session.id);
    if (running !== undefined) return running;
    const started = refresh(deps, session).finally(() => underWay.delete(session.id));
    underWay.set(session.id, started);
    return started;
  };
}

async function refresh(deps: RefreshDeps, session: LiveSession): Promise<LiveSession | undefined> {
  const { sessions, clock, log } = deps;
  try {
    const tokens = await sessions.claimRefresh(session.id, CLAIM_MS);
    if (tokens === undefined) return await awaitOther(deps, session.id);
    const { refreshToken } = tokens;
    if (refreshToken === undefined) return sessions.current(session.id);
    const outcome = await ask(deps, session, refreshToken);
    if (outcome === 'refused') return await concede(deps, session, refreshToken);
    return await sessions.renew(session.id, { ...outcome.identity, tokens: { ...tokens, ...outcome.tokens } });
  } catch (error) {
    log.warn('cannot refresh a session', { session: session.id.slice(0, 12), error: describeError(error) });
    const current = sessions.current(session.id);
    if (current !== undefined) current.refreshAtMs = clock.now() + RETRY_MS;
    return current;
  }
}

/** Another replica is asking, or has asked: its answer is read from the store. */
async function awaitOther({ sessions, clock }: RefreshDeps, id: string): Promise<LiveSession | undefined> {
  for (const pauseMs of [0, ...OTHER_REPLICA_MS]) {
    await delay(pauseMs);
    await sessions.tokensOf(id);
    const current = sessions.current(id);
    if (current === undefined || current.refreshAtMs > clock.now()) return current;
  }
  const current = sessions.current(id);
  if (current !== undefined) current.refreshAtMs = clock.now() + OTHER_REPLICA_RETRY_MS;
  return current;
}

interface Renewed {
  readonly identity: Partial<Identity>;
  readonly tokens: SessionTokenSet;
}

async function ask(deps: RefreshDeps, session: LiveSession, refreshToken: string): Promise<Renewed | 'refused'> {
  const { redeem, clock } = deps;
  const answer = await requestTokens(redeem, { grant_type: 'refresh_token', refresh_token: refreshToken }).catch(
    (error: unknown) => {
      if (isAppError(error) && error.code === 'LOGIN_REFUSED') return undefined;
      throw error;
    },
  );
  if (answer === undefined) return 'refused';
  const identity = await identityFrom(deps, session, answer);
  if (identity === 'refused') return 'refused';
  // Without a lifetime the old one would stay in the past, and every request would ask again.
  const lifetime = { accessTokenExpiresAtMs: clock.now() + DEFAULT_LIFETIME_MS };
  const uses = { ...redeem.settings, metadata: redeem.provider.requireMetadata() };
  return { identity, tokens: { ...lifetime, ...usefulTokens(answer, uses, clock.now()) } };
}

/**
 * Core §12.2: a new ID token must be of the same person. What it and userinfo say counts from now on, as at a login: who has left the last
 * of their groups has none, which many providers say by leaving the claim out.
 */
async function identityFrom(
  { redeem, identityRules, log }: RefreshDeps,
  session: LiveSession,
  { idToken, accessToken }: TokenAnswer,
): Promise<Partial<Identity> | 'refused'> {
  const idClaims = idToken === undefined ? undefined : await verifyIdToken(redeem, idToken, { accessToken });
  const userinfo = await fetchUserinfo(redeem, accessToken).catch((error: unknown) => {
    log.warn('userinfo not available at a refresh', { error: describeError(error) });
    return 'unknown' as const;
  });
  const told = [userinfo === 'unknown' ? undefined : userinfo, idClaims].filter((claims) => claims !== undefined);
  if (told.some((claims) => claims['sub'] !== session.subject)) return 'refused';
  const claims: JwtClaims = Object.assign({}, ...told);
  // A new ID token may say less than the first one did: a name that nobody tells stays what it was.
  if (claims[identityRules.userIdClaim] === undefined) return {};
  const identity = readIdentity(claims, identityRules);
  if (identity === undefined) return 'refused';
  const groupsAreUnknown = userinfo === 'unknown' && claims[identityRules.groupsClaim] === undefined;
  return groupsAreUnknown ? { userId: identity.userId } : identity;
}

function readIdentity(claims: JwtClaims, rules: IdentityRules): Identity | undefined {
  try {
    return identityOf(claims, rules);
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

/** The provider refuses the token: because a replica that was slower than its claim has used it, or because the person's time is up. */
async function concede(
  { sessions, log }: RefreshDeps,
  session: LiveSession,
  used: string,
): Promise<LiveSession | undefined> {
  for (const pauseMs of SLOWER_REPLICA_MS) {
    await delay(pauseMs);
    const { refreshToken } = await sessions.tokensOf(session.id);
    if (refreshToken !== undefined && refreshToken !== used) return sessions.current(session.id);
  }
  await sessions.end(session.id);
  log.info('session ended by the provider', { user: session.userId, session: session.id.slice(0, 12) });
  return undefined;
}
