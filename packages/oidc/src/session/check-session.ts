/**
 * Owns the answer to "may this request pass, and who is it?" for one request, over sessions that are in memory. Pure and synchronous:
 * it is asked for every request to the platform, by the AuthService for the gateways in front of it, or inside a gateway.
 */
import { readCookies, soleCookie } from '../cookie/read-cookies.ts';
import { isSessionToken } from './session-token.ts';

/** The headers that can carry a session; several Cookie headers joined by `; `, as node:http joins them. */
export interface Credentials {
  readonly cookie?: string | string[] | undefined;
  readonly authorization?: string | string[] | undefined;
  readonly 'x-auth-token'?: string | string[] | undefined;
  /** The one that `SessionRules.tokenHeader` names. */
  readonly [name: string]: string | string[] | undefined;
}

export interface CheckedRequest {
  /** Path of the request target, without the query, as it will be forwarded. */
  readonly path: string;
  readonly headers: Credentials;
}

export interface SessionRules {
  readonly cookieName: string;
  /** Paths that need no session. */
  readonly isExempt: (path: string) => boolean;
  /** One more header that may carry a session token, lower case. */
  readonly tokenHeader?: string | undefined;
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
  const { headers } = request;
  const bearer = headerToken(headers) ?? namedToken(headers, rules.tokenHeader);
  if (bearer !== undefined) {
    const session = find(bearer);
    return session === undefined
      ? { kind: 'unknown', token: bearer, via: 'header' }
      : { kind: 'known', session, token: bearer, via: 'header' };
  }
  const { cookie } = headers;
  if (typeof cookie !== 'string') return NONE;
  const sole = soleCookie(cookie, rules.cookieName);
  return sole === undefined ? judgeCookies(readCookies(cookie, rules.cookieName), find) : judgeCookie(sole, find);
}

const EXEMPT = { kind: 'exempt' } as const;
const NONE = { kind: 'none' } as const;

function judgeCookie<Session>(token: string, find: (token: string) => Session | undefined): SessionVerdict<Session> {
  if (!isSessionToken(token)) return NONE;
  const session = find(token);
  return session === undefined
    ? { kind: 'unknown', token, via: 'cookie' }
    : { kind: 'known', session, token, via: 'cookie' };
}

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
function headerToken({ authorization, 'x-auth-token': token }: Credentials): string | undefined {
  if (typeof authorization === 'string') {
    const bearer = authorization.replace(BEARER, '').trim();
    if (isSessionToken(bearer)) return bearer;
  }
  return typeof token === 'string' && isSessionToken(token) ? token : undefined;
}

function namedToken(headers: Credentials, name: string | undefined): string | undefined {
  const value = name === undefined ? undefined : headers[name];
  return typeof value === 'string' ? headerToken({ authorization: value }) : undefined;
}
