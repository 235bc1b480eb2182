/**
 * Owns the answer to the gateway's question "may this request pass, and who is it?".
 *
 *   exempt path ───────► 200, identity headers removed
 *   live session ──────► 200, identity headers set
 *   sessions unknown ──► 503
 *   page navigation ───► 302 into the login (503 while the provider is unknown), back to this path afterwards
 *   anything else ─────► 401
 */
import type { IncomingMessage } from 'node:http';
import { checkSession, isPageNavigation } from '@kfctl/oidc';
import type { SessionRules, SessionVerdict } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { textAnswer } from '../server/answer.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import type { LiveSession } from '../session/session.ts';
import type { Sessions } from '../session/sessions.ts';
import type { IdentityHeaders } from './identity-headers.ts';

export interface CheckDeps {
  readonly sessions: Pick<Sessions, 'find' | 'lookUp' | 'isReady'>;
  readonly rules: SessionRules;
  readonly identityHeaders: IdentityHeaders;
  /** Answers a page navigation of nobody. */
  readonly startLogin: (request: IncomingMessage, returnTo: string) => Answer;
}

export function createCheckEndpoint(deps: CheckDeps): Endpoint {
  const { sessions, rules, identityHeaders } = deps;
  const exempt: Answer = { status: 200, headers: identityHeaders.forNobody };
  return (request) => {
    const verdict = checkSession({ path: pathOf(request), headers: request.headers }, rules, sessions.find);
    switch (verdict.kind) {
      case 'known':
        return allow(deps, request, verdict);
      case 'exempt':
        return exempt;
      case 'none':
        return refuse(deps, request);
      case 'unknown':
        return lookFurther(deps, request, verdict);
    }
  };
}

function allow(
  { identityHeaders }: CheckDeps,
  request: IncomingMessage,
  { session, via }: { readonly session: LiveSession; readonly via: 'cookie' | 'header' },
): Answer {
  return { status: 200, headers: identityHeaders.forSession(session, request.headers, via) };
}

async function lookFurther(
  deps: CheckDeps,
  request: IncomingMessage,
  verdict: SessionVerdict<LiveSession> & { readonly kind: 'unknown' },
): Promise<Answer> {
  const session = await deps.sessions.lookUp(verdict.token);
  return session === undefined ? refuse(deps, request) : allow(deps, request, { session, via: verdict.via });
}

function refuse({ sessions, startLogin }: CheckDeps, request: IncomingMessage): Answer {
  if (!sessions.isReady) throw sessionsUnavailable('sessions are not loaded yet');
  if (!isPageNavigation(request.method ?? '', request.headers)) return unauthenticated();
  return startLogin(request, request.url ?? '/');
}

/** RFC 9110 §11.6.1: a 401 names how to authenticate. */
export function unauthenticated(): Answer {
  return textAnswer(401, 'Unauthorized: log in first.', ['www-authenticate', 'Bearer realm="kubeflow"']);
}

/** The path of the request target as sent. */
export function pathOf(request: IncomingMessage): string {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
