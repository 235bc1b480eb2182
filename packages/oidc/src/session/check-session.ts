/**
 * Owns the answer to "may this request pass, and who is it?" for one request, over sessions that are in memory. Pure and synchronous:
 * it is asked for every request to the platform, by the AuthService for the gateways in front of it, or inside a gateway.
 */
import { readCookies } from '../cookie/read-cookies.ts';
import type { RequestHeaders } from './page-navigation.ts';
import { isSessionToken } from './session-token.ts';

export interface CheckedRequest {
  /** Path of the request target, without the query, as it will be forwarded. */
  readonly path: string;
  readonly headers: RequestHeaders;
}

export interface SessionRules {
  readonly cookieName: string;
  /** Paths that need no session. */
  readonly isExempt: (path: string) => boolean;
}

export type SessionVerdict<Session> =
  /** A path that needs no session. Whoever asks there is nobody: identity headers must go. */
  | { readonly kind: 'exempt' }
  | { readonly kind: 'known'; readonly session: Session; readonly token: string; readonly via: 'cookie' | 'header' }
  /** Nothing that could be a session, or several that contradict each other. */
  | { readonly kind: 'none' }
  /** One token that memory does not know; a store may. */
  | { readonly kind: 'unknown'; readonly token: string; readonly via: 'cookie' | 'header' };

/** Sessions of one request differ only when somebody planted a cookie; looking at more than these helps nobody else. */
const MAX_CANDIDATES = 4;
const BEARER = /^bearer +/i;

/**
 * Finds the session of a request: `Authorization: Bearer` or `X-Auth-Token` first (scripts), then the cookie. Of several cookies of
 * the same name exactly one may be a session: with two, one may be an attacker's, so neither counts.
 */
export function checkSession<Session>(
  request: CheckedRequest,
  rules: SessionRules,
  find: (token: string) => Session | undefined,
): SessionVerdict<Session> {
  if (rules.isExempt(request.path)) return EXEMPT;
  const bearer = headerToken(request.headers);
  if (bearer !== undefined) {
    const session = find(bearer);
    return session === undefined
      ? { kind: 'unknown', token: bearer, via: 'header' }
      : { kind: 'known', session, token: bearer, via: 'header' };
  }
  const cookie = request.headers['cookie'];
  if (typeof cookie !== 'string') return NONE;
  return judgeCookies(readCookies(cookie, rules.cookieName), find);
}

const EXEMPT = { kind: 'exempt' } as const;
const NONE = { kind: 'none' } as const;

function judgeCookies<Session>(
  values: readonly string[],
  find: (token: string) => Session | undefined,
): SessionVerdict<Session> {
  const tokens = values.length > 1 ? [...new Set(values)].filter(isSessionToken) : values.filter(isSessionToken);
  if (tokens.length === 0 || tokens.length > MAX_CANDIDATES) return NONE;
  let found: SessionVerdict<Session> = NONE;
  for (const token of tokens) {
    const session = find(token);
    if (session === undefined) continue;
    if (found.kind === 'known') return NONE;
    found = { kind: 'known', session, token, via: 'cookie' };
  }
  const [only = ''] = tokens;
  return found.kind === 'none' && tokens.length === 1 ? { kind: 'unknown', token: only, via: 'cookie' } : found;
}

/** A session token from the headers that scripts use; other credentials that look different are not ours and change nothing. */
function headerToken(headers: RequestHeaders): string | undefined {
  const authorization = headers['authorization'];
  if (typeof authorization === 'string') {
    const token = authorization.replace(BEARER, '').trim();
    if (isSessionToken(token)) return token;
  }
  const token = headers['x-auth-token'];
  return typeof token === 'string' && isSessionToken(token) ? token : undefined;
}
