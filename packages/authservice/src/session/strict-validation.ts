/**
 * Owns STRICT_SESSION_VALIDATION: the provider is asked about every request of a session, by its access token at userinfo, whether it
 * still stands behind it. One question a session at a time; requests meanwhile share its answer.
 */
import type { Logger } from '@kfctl/core';
import type { LiveSession } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import type { ProviderHttp, ProviderResponse } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import type { Sessions } from './sessions.ts';

export interface StrictValidationDeps {
  readonly sessions: Pick<Sessions, 'tokensOf' | 'end'>;
  readonly provider: Pick<Provider, 'requireMetadata'>;
  readonly http: Pick<ProviderHttp, 'send'>;
  readonly log: Logger;
}

/** Undefined for a session that the provider has ended, which ends it here too. Throws SESSIONS_UNAVAILABLE when it cannot be asked. */
export type ValidateSession = (session: LiveSession) => Promise<LiveSession | undefined>;

export function createStrictValidation(deps: StrictValidationDeps): ValidateSession {
  const underWay = new Map<string, Promise<LiveSession | undefined>>();
  return (session) => {
    // An API token is the AuthService's own: its person may have logged out long ago.
    if (session.apiToken !== undefined) return Promise.resolve(session);
    const running = underWay.get(session.id);
    if (running !== undefined) return running;
    const started = validate(deps, session).finally(() => underWay.delete(session.id));
    underWay.set(session.id, started);
    return started;
  };
}

async function validate(deps: StrictValidationDeps, session: LiveSession): Promise<LiveSession | undefined> {
  const { sessions, log } = deps;
  const { accessToken } = await sessions.tokensOf(session.id);
  const response = accessToken === undefined ? undefined : await askUserinfo(deps, accessToken);
  if (response?.status === 200 && subjectOf(response.text) === session.subject) return session;
  if (response !== undefined && response.status !== 200 && response.status !== 401)
    throw sessionsUnavailable(`userinfo answered ${response.status}`);
  await sessions.end(session.id);
  log.info('session ended by the provider', { user: session.userId, session: session.id.slice(0, 12) });
  return undefined;
}

async function askUserinfo({ provider, http }: StrictValidationDeps, accessToken: string): Promise<ProviderResponse> {
  try {
    const { userinfoEndpoint: url } = provider.requireMetadata();
    if (url === undefined) throw new TypeError('the provider has no userinfo endpoint');
    return await http.send({ url, headers: { authorization: `Bearer ${accessToken}` } });
  } catch (cause) {
    throw sessionsUnavailable('the provider cannot be asked about a session', cause);
  }
}

function subjectOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { readonly sub?: unknown } | null)?.sub;
  } catch {
    return undefined;
  }
}
