/**
 * Owns what people may see and end of their own sessions and API tokens, below `<prefix>/api/`.
 *
 *   GET    sessions            mine; ?user=NAME another's, ?user=* everybody's (administrators)
 *   DELETE sessions            mine but this one
 *   DELETE sessions/ID         one
 *   GET    tokens              mine
 *   POST   tokens              { name, expiresInDays?, readOnly?, paths? } -> 201 { token }, shown this once
 *   DELETE tokens/ID           one
 *
 * It asks for a login session, never a token: what leaks from a program must not be able to make more of itself. Changes are refused
 * to other sites' pages. Nothing that changes something answers 200 (see logout).
 */
import type { Logger } from '@kfctl/core';
import type { Authenticate } from '../check/authenticate.ts';
import type { RenderEdits } from '../check/allow-answer.ts';
import { cutQuery, unauthenticated } from '../check/check-endpoint.ts';
import { initiatorOf } from '../logout/own-site.ts';
import { jsonAnswer, methodNotAllowed, queryOf, singleParameter, textAnswer } from '../server/answer.ts';
import type { Answer, AskedRequest, Endpoint } from '../server/answer.ts';
import type { IdentityHeaders, LiveSession } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';
import { createApiToken } from './create-api-token.ts';

export interface AccountApiDeps {
  readonly authenticate: Authenticate;
  readonly sessions: Pick<Sessions, 'all' | 'current' | 'end' | 'create'>;
  readonly identityHeaders: IdentityHeaders;
  readonly renderEdits: RenderEdits;
  /** User ids that may see and end everybody's. */
  readonly administrators: readonly string[];
  readonly maxTokenAgeMs: number;
  readonly log: Logger;
}

interface Asking {
  readonly deps: AccountApiDeps;
  readonly request: AskedRequest;
  readonly session: LiveSession;
  readonly kind: 'sessions' | 'tokens';
}

export function createAccountApi(deps: AccountApiDeps, base: string): Endpoint {
  return async (request) => {
    const [kind, id, ...rest] = cutQuery(request.url ?? '')
      .slice(base.length)
      .split('/');
    if ((kind !== 'sessions' && kind !== 'tokens') || rest.length > 0 || id === '')
      return textAnswer(404, 'Not found.');
    const authentication = await deps.authenticate({
      method: request.method ?? '',
      path: '/',
      headers: request.headers,
    });
    const session = authentication.kind === 'somebody' ? authentication.session : undefined;
    if (session === undefined) return unauthenticated();
    if (session.apiToken !== undefined) return textAnswer(403, 'An API token may not do this: log in.');
    const asking = { deps, request, session, kind } as const;
    if (request.method === 'GET') return id === undefined ? list(asking) : methodNotAllowed('DELETE');
    if (initiatorOf(request.headers) === 'foreign') return textAnswer(403, 'Ask from a page of this site.');
    if (request.method === 'DELETE') return id === undefined ? await endOthers(asking) : await endOne(asking, id);
    if (request.method === 'POST' && kind === 'tokens' && id === undefined) return await createApiToken(asking);
    return methodNotAllowed(kind === 'tokens' ? 'GET, POST, DELETE' : 'GET, DELETE');
  };
}

function list({ deps, request, session, kind }: Asking): Answer {
  const asked = singleParameter(queryOf(request), 'user');
  if (asked !== '' && asked !== session.userId && !isAdministrator(deps, session)) return textAnswer(403, 'Forbidden.');
  const wanted = asked === '' ? session.userId : asked;
  const items = [...deps.sessions.all()]
    .filter((item) => wanted === '*' || item.userId === wanted)
    .filter((item) => isOfKind(item, kind))
    .toSorted((left, right) => right.createdAtMs - left.createdAtMs)
    .map((item) => renderItem(item, session));
  const judged = { method: 'GET', path: cutQuery(request.url ?? ''), headers: request.headers };
  const edits = deps.identityHeaders.forCaller(session, judged, 'cookie');
  return jsonAnswer(200, { [kind]: items }, deps.renderEdits(edits));
}

function renderItem(item: LiveSession, asking: LiveSession): Readonly<Record<string, unknown>> {
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    id: item.id,
    user: item.userId,
    createdAt: time(item.createdAtMs),
    lastUsedAt: time(item.lastUsedAtMs),
    expiresAt: time(item.expiresAtMs),
    ...(item.apiToken ?? { userAgent: item.userAgent, current: item.id === asking.id }),
  };
}

async function endOthers({ deps, session, kind }: Asking): Promise<Answer> {
  const others = [...deps.sessions.all()].filter(
    (item) => item.userId === session.userId && item.id !== session.id && isOfKind(item, kind),
  );
  for (const item of others) await deps.sessions.end(item.id);
  deps.log.info(`${kind} ended`, { user: session.userId, count: others.length });
  return { status: 204, headers: [] };
}

/** Another's session is as unknown as none at all. */
async function endOne({ deps, session, kind }: Asking, id: string): Promise<Answer> {
  const item = deps.sessions.current(id);
  const mayEnd = item !== undefined && (item.userId === session.userId || isAdministrator(deps, session));
  if (!mayEnd || !isOfKind(item, kind)) return textAnswer(404, 'Not found.');
  await deps.sessions.end(id);
  deps.log.info(`${kind} ended`, { user: item.userId, by: session.userId, count: 1 });
  return { status: 204, headers: [] };
}

function isOfKind({ apiToken }: LiveSession, kind: Asking['kind']): boolean {
  return (apiToken === undefined) === (kind === 'sessions');
}

function isAdministrator({ administrators }: AccountApiDeps, { userId }: LiveSession): boolean {
  return administrators.includes(userId);
}
