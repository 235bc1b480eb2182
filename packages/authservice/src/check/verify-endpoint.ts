/**
 * Owns the check for proxies that understand yes and no only (nginx auth_request): `<prefix>/verify[/path]` answers 204, 401, 403 or
 * 503. The path after `verify` is the one that is asked about. A page navigation of nobody gets its 401 with the beginning of a login
 * (Location, Set-Cookie), which nginx can hand on with auth_request_set and error_page.
 */
import { isPageNavigation } from '@kfctl/oidc';
import { textAnswer } from '../server/answer.ts';
import type { Answer, Endpoint } from '../server/answer.ts';
import { verifiedAnswer } from './allow-answer.ts';
import type { JudgedRequest } from './authenticate.ts';
import { cutQuery, unauthenticated } from './check-endpoint.ts';
import type { CheckDeps } from './check-endpoint.ts';

export interface VerifyOptions {
  /** The path of the endpoint itself. */
  readonly base: string;
  /**
   * The header in which the proxy states the method, lower case: nginx asks with GET whatever the request is. Absent: the method is
   * unknown, so no login is begun and tokens that may only read are good for nothing.
   */
  readonly methodHeader: string | undefined;
}

export function createVerifyEndpoint(deps: CheckDeps, { base, methodHeader }: VerifyOptions): Endpoint {
  const { authenticate, authorize, identityHeaders } = deps;
  return async ({ url = '', headers }) => {
    const target = url.slice(base.length) || '/';
    const method = methodHeader === undefined ? '' : String(headers[methodHeader] ?? '');
    const request = { method, path: cutQuery(target), headers };
    const authentication = await authenticate(request);
    switch (authentication.kind) {
      case 'exempt':
        return verifiedAnswer(identityHeaders.forNobody, headers);
      case 'nobody':
        return refuse(deps, request, target);
      case 'somebody': {
        const { caller, via } = authentication;
        const refusal = await authorize(caller, request);
        if (refusal !== undefined) return textAnswer(403, `Forbidden: ${refusal.reason}`);
        return verifiedAnswer(identityHeaders.forCaller(caller, request, via), headers);
      }
    }
  };
}

function refuse({ startLogin }: CheckDeps, request: JudgedRequest, target: string): Answer {
  const refusal = unauthenticated();
  if (!isPageNavigation(request.method, request.headers)) return refusal;
  const login = startLogin(request.headers, target);
  return login.status === 302 ? { ...refusal, headers: [...refusal.headers, ...onlyLogin(login.headers)] } : refusal;
}

function onlyLogin(headers: readonly string[]): readonly string[] {
  return headers.filter((_, index) => /^(?:location|set-cookie)$/.test(headers[index - (index % 2)] ?? ''));
}
