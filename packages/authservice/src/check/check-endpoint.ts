/**
 * Owns the answer to the gateway's question "may this request pass, and who is it?".
 *
 *   exempt path ───────► 200, identity headers removed
 *   somebody ──────────► 200, identity headers set (403 when none of the allowed groups is theirs)
 *   sessions unknown ──► 503
 *   page navigation ───► 302 into the login (503 while the provider is unknown), back to this path afterwards
 *   anything else ─────► 401
 */
import type { IncomingMessage } from 'node:http';
import { isPageNavigation } from '@kfctl/oidc';
import { pageAnswer } from '../pages/page.ts';
import { textAnswer } from '../server/answer.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import type { Authenticate, Authentication, Caller } from './authenticate.ts';
import type { IdentityHeaders } from './identity-headers.ts';

export interface CheckDeps {
  readonly authenticate: Authenticate;
  readonly isAllowed: (caller: Caller) => boolean;
  readonly identityHeaders: IdentityHeaders;
  /** Answers a page navigation of nobody. */
  readonly startLogin: (request: IncomingMessage, returnTo: string) => Answer;
}

export function createCheckEndpoint(deps: CheckDeps): Endpoint {
  return (request) => {
    const authentication = deps.authenticate(request, pathOf(request));
    if (authentication instanceof Promise) return authentication.then((known) => answer(deps, request, known));
    return answer(deps, request, authentication);
  };
}

function answer(deps: CheckDeps, request: IncomingMessage, authentication: Authentication): Answer {
  const { identityHeaders, isAllowed, startLogin } = deps;
  switch (authentication.kind) {
    case 'somebody':
      if (!isAllowed(authentication.caller)) return forbidden(request);
      return {
        status: 200,
        headers: identityHeaders.forCaller(authentication.caller, request.headers, authentication.via),
      };
    case 'exempt':
      return { status: 200, headers: identityHeaders.forNobody };
    case 'nobody':
      if (!isPageNavigation(request.method ?? '', request.headers)) return unauthenticated();
      return startLogin(request, request.url ?? '/');
  }
}

/** The session stays: one forbidden place must not log anybody out. */
function forbidden(request: IncomingMessage): Answer {
  if (!isPageNavigation(request.method ?? '', request.headers))
    return textAnswer(403, 'Forbidden: no group of yours may use this.');
  return pageAnswer(403, {
    title: 'No access',
    text: 'You are logged in, but none of your groups may use this platform. Ask an administrator, then log in again.',
    button: { action: '/logout', label: 'Log out' },
  });
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
