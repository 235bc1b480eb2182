/**
 * Owns what a login session means to others than its browser: refresh tokens that live with it, and the clients that are told of its end.
 */
import { describeError } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import { encodeSubject } from '@kfctl/oidc';
import type { ProviderDeps } from '../provider.ts';
import type { LoginSession } from '../storage/records.ts';
import { deleteRefreshToken } from '../token/refresh-tokens.ts';
import type { SessionStart, StartedSession } from './login-sessions.ts';

export type EndDeps = Pick<ProviderDeps, 'storage' | 'findClient' | 'logouts' | 'log'>;

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
  const subject = subjectOf(session);
  await deps.logouts.tell(session.clients.map((clientId) => ({ clientId, subject, sid })));
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

function subjectOf({ claims, connectorId }: LoginSession): string {
  return encodeSubject({ userId: claims.userId, connectorId });
}
