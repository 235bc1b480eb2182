/**
 * Owns the answer to the gateway's question "may this request pass, and who is it?".
 *
 *   exempt path ───────► 200, identity headers removed
 *   somebody ──────────► 200, identity headers set (403 when they may not make it)
 *   sessions unknown ──► 503
 *   page navigation ───► 302 into the login (503 while the provider is unknown), back to this path afterwards
 *   anything else ─────► 401
 */
import type { IncomingHttpHeaders } from 'node:http';
import { isPageNavigation } from '@kfctl/oidc';
import type { HeaderEdits, IdentityHeaders } from '@kfctl/oidc';
import { pageAnswer } from '../pages/page.ts';
import { textAnswer } from '../server/answer.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import type { Authenticate, Authentication, JudgedRequest } from './authenticate.ts';
import type { Authorize } from './authorize.ts';
import type { Refusal } from './external-authorizer.ts';

export interface CheckDeps {
  readonly authenticate: Authenticate;
  readonly authorize: Authorize;
  readonly identityHeaders: IdentityHeaders;
  /** How the one who asks is told that the request may pass. */
  readonly allow: (edits: HeaderEdits, headers: IncomingHttpHeaders) => Answer;
  /** Answers a page navigation of nobody. */
  readonly startLogin: (headers: IncomingHttpHeaders, returnTo: string) => Answer;
}

/** Judges the request that asks. */
export function createCheckEndpoint(deps: CheckDeps): Endpoint {
  return ({ method = '', url = '/', headers }) => judge(deps, { method, path: cutQuery(url), headers }, url);
}

/**
 * Judges the request that the headers of Traefik's forwardAuth name, which Traefik sets over whatever a client sends. Where it is not
 * switched on, the route is not there: those headers must mean nothing to anybody else. Any 2xx lets pass there.
 */
export function createForwardAuthEndpoint(deps: CheckDeps): Endpoint {
  return ({ headers }) => {
    const method = headers['x-forwarded-method'];
    const target = headers['x-forwarded-uri'];
    if (
      typeof method !== 'string' ||
      !/^[A-Z]+$/.test(method) ||
      typeof target !== 'string' ||
      !target.startsWith('/')
    ) {
      return textAnswer(400, 'X-Forwarded-Method and X-Forwarded-Uri must name a request.');
    }
    return judge(deps, { method, path: cutQuery(target), headers }, target);
  };
}

function judge(deps: CheckDeps, request: JudgedRequest, target: string): Answer | Promise<Answer> {
  const authentication = deps.authenticate(request);
  if (authentication instanceof Promise)
    return authentication.then((known) => answer(deps, request, { known, target }));
  return answer(deps, request, { known: authentication, target });
}

function answer(
  deps: CheckDeps,
  request: JudgedRequest,
  { known, target }: { readonly known: Authentication; readonly target: string },
): Answer | Promise<Answer> {
  switch (known.kind) {
    case 'somebody': {
      const refusal = deps.authorize(known.caller, request);
      if (refusal instanceof Promise)
        return refusal.then((verdict) => conclude(deps, request, { known, refusal: verdict }));
      return conclude(deps, request, { known, refusal });
    }
    case 'exempt':
      return deps.allow(deps.identityHeaders.forNobody, request.headers);
    case 'nobody':
      if (!isPageNavigation(request.method, request.headers)) return unauthenticated();
      return deps.startLogin(request.headers, target);
  }
}

interface Conclusion {
  readonly known: Authentication & { readonly kind: 'somebody' };
  readonly refusal: Refusal | undefined;
}

function conclude(
  { identityHeaders, allow }: CheckDeps,
  request: JudgedRequest,
  { known, refusal }: Conclusion,
): Answer {
  if (refusal !== undefined) return forbidden(request, refusal);
  return allow(identityHeaders.forCaller(known.caller, request, known.via), request.headers);
}

/** The session stays: one forbidden place must not log anybody out. */
function forbidden(request: JudgedRequest, { reason }: Refusal): Answer {
  if (!isPageNavigation(request.method, request.headers)) return textAnswer(403, `Forbidden: ${reason}`);
  return pageAnswer(403, { title: 'No access', text: reason, button: { action: '/logout', label: 'Log out' } });
}

/** RFC 9110 §11.6.1: a 401 names how to authenticate. */
export function unauthenticated(): Answer {
  return textAnswer(401, 'Unauthorized: log in first.', ['www-authenticate', 'Bearer realm="kubeflow"']);
}

/** The path of a request target as sent. */
export function cutQuery(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? target : target.slice(0, mark);
}
