/**
 * Owns the end of a session by its owner.
 *
 *   POST  from our pages or a script ─► session ends everywhere ─► 201 { afterLogoutURL }   (a form: 303 there)
 *   GET   from our pages or by hand ──► the same ─► 303     (links of older dashboards)
 *   GET   from elsewhere ─────────────► a page with a button;  POST from elsewhere ─► 403
 *
 * 201 and never 200: to a gateway that asks us about every request, 200 would mean "let it pass".
 */
import type { Logger } from '@kfctl/core';
import { checkSession, renderCookieRemoval } from '@kfctl/oidc';
import type { CookieAttributes, SessionRules } from '@kfctl/oidc';
import { cutQuery, unauthenticated } from '../check/check-endpoint.ts';
import { pageAnswer } from '../pages/page.ts';
import { jsonAnswer, methodNotAllowed, redirect, textAnswer } from '../server/answer.ts';
import type { Answer, AskedRequest, Endpoint } from '../server/answer.ts';
import type { LiveSession } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';
import { initiatorOf } from './own-site.ts';
import type { ProviderLogout } from './provider-logout.ts';

export interface LogoutDeps {
  readonly sessions: Pick<Sessions, 'find' | 'lookUp' | 'end'>;
  readonly providerLogout: ProviderLogout;
  readonly rules: Pick<SessionRules, 'cookieName' | 'tokenHeader'>;
  readonly cookieAttributes: CookieAttributes;
  readonly log: Logger;
}

export function createLogoutEndpoint(deps: LogoutDeps): Endpoint {
  return async (request) => {
    const isPost = request.method === 'POST';
    if (!isPost && request.method !== 'GET') return methodNotAllowed('GET, POST');
    const initiator = initiatorOf(request.headers);
    if (initiator === 'foreign' && isPost) return textAnswer(403, 'Log out from a page of this site.');
    if (initiator !== 'own' && !isPost) return askFirst(request, initiator);
    const session = await findSession(deps, request);
    const removal = renderCookieRemoval(deps.rules.cookieName, deps.cookieAttributes);
    const asPage = !isPost || wantsPage(request);
    if (session === undefined && !asPage) return withCookie(unauthenticated(), removal);
    const afterLogoutURL = await endSession(deps, session);
    return asPage ? redirect(303, afterLogoutURL, [removal]) : withCookie(jsonAnswer(201, { afterLogoutURL }), removal);
  };
}

/** Ends the session first: whatever the provider does after that, nobody gets in with this cookie any more. */
async function endSession(
  { sessions, providerLogout, log }: LogoutDeps,
  session: LiveSession | undefined,
): Promise<string> {
  if (session === undefined) return providerLogout.address({});
  const tokens = await providerLogout.tokensOf(session.id);
  await sessions.end(session.id);
  log.info('logged out', { user: session.userId, session: session.id.slice(0, 12) });
  await providerLogout.revoke(tokens);
  return providerLogout.address(tokens);
}

async function findSession({ sessions, rules }: LogoutDeps, request: AskedRequest): Promise<LiveSession | undefined> {
  const everywhere = { ...rules, isExempt: () => false };
  const verdict = checkSession({ path: '', headers: request.headers }, everywhere, sessions.find);
  if (verdict.kind === 'known') return verdict.session;
  return verdict.kind === 'unknown' ? await sessions.lookUp(verdict.token) : undefined;
}

/** 403, because a gateway would take a 200 for leave to pass the request on. */
function askFirst(request: AskedRequest, initiator: 'foreign' | 'unknown'): Answer {
  return pageAnswer(403, {
    title: 'Log out?',
    text: initiator === 'foreign' ? 'Another page asked to log you out.' : 'You will have to log in again.',
    button: { action: `${cutQuery(request.url ?? '/')}?${FROM_PAGE}`, label: 'Log out' },
    link: { href: '/', label: 'Stay' },
  });
}

/** The query of our own button. Gateways that hand on next to no headers do not tell a page from a script otherwise. */
const FROM_PAGE = 'from=page';

function wantsPage({ headers, url = '' }: AskedRequest): boolean {
  if (url.endsWith(`?${FROM_PAGE}`) || headers['sec-fetch-mode'] === 'navigate') return true;
  return headers.accept?.includes('text/html') ?? false;
}

/** Where AFTER_LOGOUT_URL may lead whose provider would log people in again at once. 401, as the front page would say to a program. */
export function createLoggedOutEndpoint(): Endpoint {
  return ({ method }) => {
    if (method !== 'GET' && method !== 'HEAD') return methodNotAllowed('GET, HEAD');
    return pageAnswer(401, {
      title: 'You are logged out',
      text: 'On a shared computer, close the browser too.',
      link: { href: '/', label: 'Log in' },
    });
  };
}

function withCookie(answer: Answer, cookie: string): Answer {
  return { ...answer, headers: [...answer.headers, 'set-cookie', cookie] };
}
