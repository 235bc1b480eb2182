/**
 * Owns the check for proxies that understand yes and no only (nginx auth_request): `<prefix>/verify[/path]` answers 204, 401, 403 or
 * 503. The path after `verify` is the one that is asked about. A page navigation of nobody gets its 401 with the beginning of a login
 * (Location, Set-Cookie), which nginx can hand on with auth_request_set and error_page.
 */
import type { IncomingMessage } from 'node:http';
import { isPageNavigation } from '@kfctl/oidc';
import { textAnswer } from '../server/answer.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import { pathOf, unauthenticated } from './check-endpoint.ts';
import type { CheckDeps } from './check-endpoint.ts';

export function createVerifyEndpoint(deps: CheckDeps, base: string): Endpoint {
  const { authenticate, isAllowed, identityHeaders } = deps;
  return async (request) => {
    const authentication = await authenticate(request, pathOf(request).slice(base.length) || '/');
    switch (authentication.kind) {
      case 'exempt':
        return { status: 204, headers: identityHeaders.forNobody };
      case 'nobody':
        return refuse(deps, request, base);
      case 'somebody': {
        const { caller, via } = authentication;
        if (!isAllowed(caller)) return textAnswer(403, 'Forbidden: no group of yours may use this.');
        return { status: 204, headers: identityHeaders.forCaller(caller, request.headers, via) };
      }
    }
  };
}

function refuse({ startLogin }: CheckDeps, request: IncomingMessage, base: string): Answer {
  const refusal = unauthenticated();
  if (!isPageNavigation(request.method ?? '', request.headers)) return refusal;
  const login = startLogin(request, (request.url ?? '').slice(base.length) || '/');
  return login.status === 302 ? { ...refusal, headers: [...refusal.headers, ...onlyLogin(login.headers)] } : refusal;
}

function onlyLogin(headers: readonly string[]): readonly string[] {
  return headers.filter((_, index) => /^(?:location|set-cookie)$/.test(headers[index - (index % 2)] ?? ''));
}
