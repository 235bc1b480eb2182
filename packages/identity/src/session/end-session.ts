/**
 * Owns what a login session means to others than its browser: refresh tokens that live with it, and the clients that are told of its
 * end (OpenID Connect Back-Channel Logout 1.0).
 */
import { describeError, randomToken } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { encodeSubject, signJwt } from '@kfctl/oidc';
import { createUpstreamHttp } from '../connectors/oauth2/upstream-http.ts';
import type { UpstreamHttp } from '../connectors/oauth2/upstream-http.ts';
import type { ProviderDeps } from '../provider.ts';
import type { LoginSession } from '../storage/records.ts';
import { deleteRefreshToken } from '../token/refresh-tokens.ts';
import type { SessionStart, StartedSession } from './login-sessions.ts';

export type EndDeps = Pick<ProviderDeps, 'config' | 'storage' | 'keys' | 'findClient' | 'clock' | 'random' | 'log'>;

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** §2.4: short, because it is used at once. */
const TOKEN_LIFETIME_SECONDS = 120;
const TIMEOUT_MS = 3000;
const ATTEMPTS = 2;

/** Starts a session where there are any; whoever was logged in in this browser before is not any more. */
export async function beginSession(
  deps: EndDeps & Pick<ProviderDeps, 'sessions'>,
  request: HttpRequest,
  login: SessionStart,
): Promise<Pick<StartedSession, 'sid' | 'cookies'>> {
  const started = await deps.sessions?.start(request, login);
  if (started?.replaced !== undefined) await tellOfEnd(deps, started.replaced);
  return { sid: started?.sid ?? '', cookies: started?.cookies ?? [] };
}

/** To be called once for a session that is no longer stored. Does not throw: the session is over whoever could be told. */
export async function tellOfEnd(deps: EndDeps, session: LoginSession): Promise<void> {
  const { sid = '' } = session;
  // Sessions of before have no name by which anybody could know them.
  if (sid === '') return;
  await revokeTokens(deps, session).catch((error: unknown) =>
    deps.log.warn('refresh tokens of a session cannot be revoked', { error: describeError(error) }),
  );
  const http = createUpstreamHttp({ timeoutMs: TIMEOUT_MS });
  await Promise.all(session.clients.map((id) => tellClient(deps, session, { id, http })));
  http.close();
}

/** `refreshTokenLifetime: session`. */
async function revokeTokens({ storage, findClient, log }: EndDeps, session: LoginSession): Promise<void> {
  const known = await storage.get('offlineSession', subjectOf(session));
  for (const { id, clientId } of Object.values(known?.refresh ?? {})) {
    if ((await findClient(clientId))?.refreshTokenLifetime !== 'session') continue;
    if ((await storage.get('refreshToken', id))?.sid !== session.sid) continue;
    if (await deleteRefreshToken(storage, id)) log.info('refresh token ended with its session', { client: clientId });
  }
}

interface Listener {
  readonly id: string;
  readonly http: UpstreamHttp;
}

async function tellClient(deps: EndDeps, session: LoginSession, { id, http }: Listener): Promise<void> {
  const { findClient, log } = deps;
  try {
    const url = (await findClient(id))?.backchannelLogoutUri ?? '';
    if (url === '') return;
    const form = { logout_token: logoutToken(deps, session, id) };
    await insist(() => post(http, url, form));
    log.info('client told of a logout', { client: id });
  } catch (error) {
    log.warn('client cannot be told of a logout', { client: id, error: describeError(error) });
  }
}

async function insist(attempt: () => Promise<void>): Promise<void> {
  for (let left = ATTEMPTS; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

/** §2.5, §2.8: 200, or 204 where a framework makes it that; anything else is a failure. */
async function post(http: UpstreamHttp, url: string, form: Readonly<Record<string, string>>): Promise<void> {
  const { status } = await http.send({ url, method: 'POST', form });
  if (status !== 200 && status !== 204) throw new Error(`answered ${status}`);
}

/** §2.4: a type of its own and never a nonce, so that it cannot pass for an ID token. */
function logoutToken({ config, keys, clock, random }: EndDeps, session: LoginSession, clientId: string): string {
  const iat = Math.floor(clock.now() / 1000);
  const claims = {
    iss: config.issuer,
    aud: clientId,
    sub: subjectOf(session),
    sid: session.sid,
    iat,
    exp: iat + TOKEN_LIFETIME_SECONDS,
    jti: randomToken(16, random),
    events: { [LOGOUT_EVENT]: {} },
  };
  return signJwt(claims, keys.current().signingKey, 'logout+jwt');
}

function subjectOf({ claims, connectorId }: LoginSession): string {
  return encodeSubject({ userId: claims.userId, connectorId });
}
