/** Owns `/userinfo` (OpenID Connect Core §5.3): the claims of any token that this provider signed, access or ID. */
import { jsonResponse } from '@kfctl/http';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import type { ProviderDeps } from '../provider.ts';
import { verifyOwnToken } from '../token/verify-own-token.ts';

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'clock'>;

export function createUserinfoEndpoint(deps: Deps): HttpHandler {
  return async ({ headers }) => {
    // RFC 6750 §2.1 only: a token in a body or an address ends up in logs.
    const token = /^bearer +([\w.~+/=-]+)$/i.exec(headers.authorization ?? '')?.[1];
    if (token === undefined) return denied(401);
    const verdict = await verifyOwnToken(deps, token);
    return verdict.kind === 'valid' ? jsonResponse(200, verdict.claims, { 'cache-control': 'no-store' }) : denied(403);
  };
}

// 403 for a bad token is Dex's; clients of it look for that.
function denied(status: 401 | 403): HttpResponse {
  const body = { error: 'access_denied', error_description: 'Invalid bearer token.' };
  return jsonResponse(status, body, {
    'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
  });
}
