/** Owns `/userinfo` (OpenID Connect Core §5.3): the claims of any token that this provider signed, access or ID. */
import { jsonResponse } from '@kfctl/http';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import { logRefusal } from '../log-refusal.ts';
import type { ProviderDeps } from '../provider.ts';
import { verifyOwnToken } from '../token/verify-own-token.ts';

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'clock' | 'log'>;

export function createUserinfoEndpoint(deps: Deps): HttpHandler {
  return async (request) => {
    const { headers } = request;
    const denied = (status: 401 | 403, reason: string): HttpResponse => {
      logRefusal(deps.log, request, { status, reason });
      return renderDenied(status);
    };
    // RFC 6750 §2.1 only: a token in a body or an address ends up in logs.
    const token = /^bearer +([\w.~+/=-]+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) return denied(401, 'no bearer token');
    const verdict = await verifyOwnToken(deps, token);
    if (verdict.kind === 'invalid') return denied(403, verdict.reason);
    return jsonResponse(200, verdict.claims, { 'cache-control': 'no-store' });
  };
}

// 403 for a bad token is Dex's; clients of it look for that.
function renderDenied(status: 401 | 403): HttpResponse {
  const body = { error: 'access_denied', error_description: 'Invalid bearer token.' };
  return jsonResponse(status, body, {
    'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
}
