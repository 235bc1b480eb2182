/**
 * Owns the end of sessions by the provider: POST logout_token=… (OpenID Connect Back-Channel Logout 1.0).
 *
 *   a token that the provider signed for us and for this ─no─► 400
 *        │ of one of its login sessions (sid)   ─► what began in that one ends
 *        │ of a person (sub alone)              ─► all of that person's sessions end
 *        └─► 204, also where there was none any more
 *
 * API tokens stay: they are made to outlive sessions. 204 and never the 200 of §2.8, which would let a request pass a gateway that asks.
 */
import { describeError, isAppError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { JwtClaims, LiveSession } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import { verifyProviderToken } from '../provider/verify-provider-token.ts';
import type { ProviderTokenDeps } from '../provider/verify-provider-token.ts';
import { methodNotAllowed, textAnswer } from '../server/answer.ts';
import type { AskedRequest, Endpoint } from '../server/answer.ts';
import type { Sessions } from '../session/sessions.ts';

export interface BackchannelDeps extends ProviderTokenDeps {
  readonly sessions: Pick<Sessions, 'all' | 'end' | 'isReady'>;
  readonly log: Logger;
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const MAX_BODY_BYTES = 64 * 1024;
/** §2.6: one that was made long ago is somebody's keepsake; tokens that live longer than minutes are not made for this. */
const MAX_AGE_SECONDS = 600;

export function createBackchannelEndpoint(deps: BackchannelDeps): Endpoint {
  return async (request) => {
    if (request.method !== 'POST') return methodNotAllowed('POST');
    const told = await readStatement(deps, request);
    if (typeof told === 'string') {
      deps.log.info('logout token refused', { reason: told });
      return textAnswer(400, 'The logout token was refused.');
    }
    if (!deps.sessions.isReady) throw sessionsUnavailable('sessions are not loaded yet');
    const over = [...deps.sessions.all()].filter((session) => isMeant(session, told));
    for (const { id } of over) await deps.sessions.end(id);
    deps.log.info('sessions ended by the provider', { count: over.length });
    return { status: 204, headers: ['cache-control', 'no-store'] };
  };
}

interface Statement {
  readonly sid: string | undefined;
  readonly subject: string | undefined;
}

function isMeant({ apiToken, sid, subject }: LiveSession, told: Statement): boolean {
  if (apiToken !== undefined || (told.subject !== undefined && told.subject !== subject)) return false;
  return told.sid === undefined || told.sid === sid;
}

/** What the token says; a text where it is not to be believed (§2.6). */
async function readStatement(deps: BackchannelDeps, request: AskedRequest): Promise<Statement | string> {
  const [token = '', ...others] = new URLSearchParams((await request.body(MAX_BODY_BYTES)).toString('utf8')).getAll(
    'logout_token',
  );
  if (token === '' || others.length > 0) return 'not exactly one token';
  try {
    const verdict = await verifyProviderToken(deps, token);
    return verdict.kind === 'invalid' ? verdict.reason : judge(verdict.claims, deps.clock.now() / 1000);
  } catch (error) {
    if (isAppError(error)) throw sessionsUnavailable(`a logout token cannot be judged: ${describeError(error)}`);
    throw error;
  }
}

function judge({ events, nonce, sub, sid, iat }: JwtClaims, nowSeconds: number): Statement | string {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, EVENT)) return 'no logout token';
  // An ID token has one: it must not pass for this.
  if (nonce !== undefined) return 'has a nonce';
  if (typeof iat !== 'number' || Math.abs(nowSeconds - iat) > MAX_AGE_SECONDS) return 'not of now';
  const statement = { sid: textOf(sid), subject: textOf(sub) };
  return statement.sid === undefined && statement.subject === undefined ? 'names nobody' : statement;
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' && claim !== '' ? claim : undefined;
}
