/**
 * Owns the finding of who makes a request: in memory and at once for sessions, by asking for everything else.
 *
 *   session in memory ──fresh──► somebody
 *        │ unknown here       └─tokens due─► refreshed first
 *        └─► the store knows it ─► somebody
 *   no session ─► other bearer token ─► its authenticators, one after the other ─► somebody or nobody
 */
import type { IncomingHttpHeaders } from 'node:http';
import { checkSession, isWithinLimits } from '@kfctl/oidc';
import type { Caller, LiveSession, SessionRules } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import type { Sessions } from '../session/sessions.ts';
import type { ValidateSession } from '../session/strict-validation.ts';

export type Authentication =
  /** A path that needs nobody. */
  | { readonly kind: 'exempt' }
  | {
      readonly kind: 'somebody';
      readonly caller: Caller;
      readonly via: 'cookie' | 'header';
      /** Absent where another kind of token was shown. */
      readonly session?: LiveSession;
    }
  | { readonly kind: 'nobody' };

export interface AuthenticateDeps {
  readonly sessions: Pick<Sessions, 'find' | 'lookUp' | 'isReady'>;
  readonly rules: SessionRules;
  /** Brings a session's tokens up to date when they are due; undefined when the provider has ended it. */
  readonly refresh: (session: LiveSession) => LiveSession | Promise<LiveSession | undefined>;
  /** Asks the provider about a session at every request; absent: it is not asked. */
  readonly validate?: ValidateSession | undefined;
  /** The header of tokens that are no sessions; what Authorization holds is told from other credentials by `Bearer`. */
  readonly bearerHeader: string;
  /** Who a bearer token that is no session stands for. */
  readonly bearer: (token: string) => Promise<Caller | undefined>;
}

/** The request that passes or not, which is not always the one that asks. */
export interface JudgedRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

export type Authenticate = (request: JudgedRequest) => Authentication | Promise<Authentication>;

/** Throws SESSIONS_UNAVAILABLE rather than to call somebody nobody whose session cannot be looked at. */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const { sessions, rules, refresh } = deps;
  return (request) => {
    const verdict = checkSession(request, rules, sessions.find);
    switch (verdict.kind) {
      case 'known': {
        const { session, via } = verdict;
        if (session.apiToken !== undefined && !isWithinLimits(session.apiToken, request, via)) return NOBODY;
        const fresh = refresh(session);
        if (fresh === session && deps.validate === undefined)
          return { kind: 'somebody', caller: session, via, session };
        return afterRefresh(deps, fresh, via);
      }
      case 'exempt':
        return verdict;
      case 'unknown':
        return lookFurther(deps, request, verdict);
      case 'none':
        return withoutSession(deps, request);
    }
  };
}

const NOBODY = { kind: 'nobody' } as const;

async function afterRefresh(
  { validate }: AuthenticateDeps,
  refreshed: LiveSession | Promise<LiveSession | undefined>,
  via: 'cookie' | 'header',
): Promise<Authentication> {
  const fresh = await refreshed;
  const session = fresh === undefined || validate === undefined ? fresh : await validate(fresh);
  return session === undefined ? NOBODY : { kind: 'somebody', caller: session, via, session };
}

async function lookFurther(
  deps: AuthenticateDeps,
  request: JudgedRequest,
  { token, via }: { readonly token: string; readonly via: 'cookie' | 'header' },
): Promise<Authentication> {
  const session = await deps.sessions.lookUp(token);
  if (session === undefined) return await withoutSession(deps, request);
  if (session.apiToken !== undefined && !isWithinLimits(session.apiToken, request, via)) return NOBODY;
  return await afterRefresh(deps, deps.refresh(session), via);
}

function withoutSession(deps: AuthenticateDeps, request: JudgedRequest): Authentication | Promise<Authentication> {
  if (!deps.sessions.isReady) throw sessionsUnavailable('sessions are not loaded yet');
  const { bearerHeader } = deps;
  const form = bearerHeader === 'authorization' ? /^bearer +([\w.~+/-]+=*)$/i : /^(?:bearer +)?([\w.~+/-]+=*)$/i;
  const [, token] = form.exec(String(request.headers[bearerHeader] ?? '')) ?? [];
  return token === undefined ? NOBODY : judgeBearer(deps, token);
}

async function judgeBearer({ bearer }: AuthenticateDeps, token: string): Promise<Authentication> {
  const caller = await bearer(token);
  return caller === undefined ? NOBODY : { kind: 'somebody', caller, via: 'header' };
}
