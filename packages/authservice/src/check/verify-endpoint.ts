/**
 * Owns the check for proxies that understand yes and no only (nginx auth_request): `<prefix>/verify[/path]` answers 204, 401 or 503,
 * and never a redirect. The path after `verify` is the one that is asked about.
 */
import type { IncomingMessage } from 'node:http';
import { checkSession } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import { pathOf, unauthenticated } from './check-endpoint.ts';
import type { CheckDeps } from './check-endpoint.ts';

export function createVerifyEndpoint(deps: Omit<CheckDeps, 'startLogin'>, base: string): Endpoint {
  const { sessions, rules, identityHeaders } = deps;
  return async (request: IncomingMessage): Promise<Answer> => {
    const path = pathOf(request).slice(base.length) || '/';
    const verdict = checkSession({ path, headers: request.headers }, rules, sessions.find);
    if (verdict.kind === 'exempt') return { status: 204, headers: identityHeaders.forNobody };
    const session =
      verdict.kind === 'known'
        ? verdict.session
        : verdict.kind === 'unknown'
          ? await sessions.lookUp(verdict.token)
          : undefined;
    if (session === undefined && !sessions.isReady) throw sessionsUnavailable('sessions are not loaded yet');
    if (session === undefined || verdict.kind === 'none') return unauthenticated();
    return { status: 204, headers: identityHeaders.forSession(session, request.headers, verdict.via) };
  };
}
