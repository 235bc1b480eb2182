/**
 * Owns the end of a login: GET <redirect URI>?code=…&state=…
 *
 *   state and this tab's cookie belong together ─no─► logged in already? 302 to the front page, else 400
 *        │ yes, but too old ──────────────────► 302 to where the login began, which begins again
 *   the provider says no ─────────────────────► 403
 *        │ code
 *   code → tokens → claims → identity ────────► new session, the replaced one ends, 302 to where the login began
 */
import { describeError, isAppError } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { readCookies, renderCookie, renderCookieRemoval } from '@kfctl/oidc';
import type { CookieAttributes, JwtClaims, LoginFlows, OpenedFlow } from '@kfctl/oidc';
import { loginRefused } from '../errors.ts';
import type { ProviderMetadata } from '../provider/metadata.ts';
import { errorPage } from '../pages/page.ts';
import { methodNotAllowed, queryOf, redirect, singleParameter } from '../server/answer.ts';
import type { Answer, AskedRequest, Endpoint } from '../server/answer.ts';
import type { LiveSession } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';
import { identityOf } from './identity-of.ts';
import type { IdentityRules } from './identity-of.ts';
import { redeemCode } from './redeem-code.ts';
import type { RedeemDeps } from './redeem-code.ts';
import { usefulTokens } from './useful-tokens.ts';

export interface CallbackDeps {
  readonly flows: LoginFlows;
  readonly sessions: Pick<Sessions, 'find' | 'create' | 'replace'>;
  readonly redeem: RedeemDeps;
  readonly identityRules: IdentityRules;
  readonly cookieName: string;
  readonly cookieAttributes: CookieAttributes;
  readonly maxAgeSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const MAX_CODE_CHARACTERS = 4_096;
const MAX_USER_AGENT_CHARACTERS = 200;

export function createCallbackEndpoint(deps: CallbackDeps): Endpoint {
  return async (request) => {
    if (request.method !== 'GET') return methodNotAllowed('GET');
    const query = queryOf(request);
    const { flow, cookieName } = openFlow(deps, request, singleParameter(query, 'state'));
    const removal = cookieName === undefined ? [] : [renderCookieRemoval(cookieName, deps.cookieAttributes)];
    if (flow.kind === 'expired') return redirect(302, flow.returnTo, removal);
    if (flow.kind === 'foreign') return answerForeign(deps, request);
    try {
      const setCookie = await finishLogin(deps, request, { query, flow });
      return redirect(302, flow.returnTo, [setCookie, ...removal]);
    } catch (error) {
      // The flow is used up, whatever came of it.
      return refused(deps, error, removal);
    }
  };
}

function openFlow(
  { flows, clock }: CallbackDeps,
  request: AskedRequest,
  state: string,
): { readonly flow: OpenedFlow; readonly cookieName: string | undefined } {
  const cookieName = flows.cookieNameOf(state);
  const [secret = '', ...others] = cookieName === undefined ? [] : readCookies(request.headers.cookie, cookieName);
  // Two cookies of one name: somebody planted one.
  if (secret === '' || others.length > 0) return { flow: { kind: 'foreign' }, cookieName: undefined };
  return { flow: flows.open(state, secret, clock.now()), cookieName };
}

/** A login that this browser did not begin, or a page that was loaded again after its login was done. */
function answerForeign(deps: CallbackDeps, request: AskedRequest): Answer {
  if (presentSession(deps, request) !== undefined) return redirect(302, '/');
  deps.log.info('login refused', { reason: 'state is not of this browser' });
  return errorPage(400, 'This login was not begun in this browser, or it is already over. Please start again.');
}

function presentSession({ sessions, cookieName }: CallbackDeps, request: AskedRequest): LiveSession | undefined {
  return readCookies(request.headers.cookie, cookieName)
    .map((token) => sessions.find(token))
    .find((session) => session !== undefined);
}

interface Finishing {
  readonly query: URLSearchParams;
  readonly flow: OpenedFlow & { readonly kind: 'open' };
}

async function finishLogin(deps: CallbackDeps, request: AskedRequest, { query, flow }: Finishing): Promise<string> {
  const metadata = deps.redeem.provider.requireMetadata();
  requireIssuer(query, metadata);
  const code = requireCode(query);
  const { claims, tokens } = await redeemCode(deps.redeem, {
    code,
    codeVerifier: flow.codeVerifier,
    nonce: flow.nonce,
  });
  const identity = identityOf(claims, deps.identityRules);
  const replaced = presentSession(deps, request);
  const { token, session } = await deps.sessions.create({
    ...identity,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, MAX_USER_AGENT_CHARACTERS),
    tokens: usefulTokens(tokens, { ...deps.redeem.settings, metadata }, deps.clock.now()),
    ...sessionNameOf(claims),
  });
  if (replaced !== undefined) await deps.sessions.replace(replaced, session);
  deps.log.info('logged in', { user: session.userId, session: session.id.slice(0, 12) });
  return renderCookie(
    { name: deps.cookieName, value: token, maxAgeSeconds: deps.maxAgeSeconds },
    deps.cookieAttributes,
  );
}

const MAX_SID_CHARACTERS = 255;

/** Back-Channel Logout §2.1. */
function sessionNameOf({ sid }: JwtClaims): { readonly sid?: string } {
  return typeof sid === 'string' && sid !== '' && sid.length <= MAX_SID_CHARACTERS ? { sid } : {};
}

/** RFC 9207: an answer of another provider than the one that was asked. */
function requireIssuer(query: URLSearchParams, { issuer, namesIssuerInAnswers }: ProviderMetadata): void {
  const named = query.getAll('iss');
  if (named.length === 0 && !namesIssuerInAnswers) return;
  if (named.length !== 1 || named[0] !== issuer) throw loginRefused(400, 'the answer is of another issuer');
}

/** RFC 6749 §4.1.2: exactly one code, or the provider's error, of which the person is told the kind. */
function requireCode(query: URLSearchParams): string {
  const failure = singleParameter(query, 'error');
  if (failure !== '') {
    const denied = failure === 'access_denied';
    const text = denied ? 'The login was cancelled or refused.' : 'The login service reported a problem.';
    throw loginRefused(denied ? 403 : 400, `the provider answered ${JSON.stringify(failure.slice(0, 60))}`, text);
  }
  const code = singleParameter(query, 'code');
  if (code === '' || code.length > MAX_CODE_CHARACTERS) throw loginRefused(400, 'the answer has no code');
  return code;
}

function refused({ log }: CallbackDeps, error: unknown, removal: readonly string[]): Answer {
  if (!isAppError(error)) throw error;
  log.info('login refused', { status: error.status, reason: describeError(error) });
  const text = error.public ?? 'The login could not be completed. Please log in again.';
  return errorPage(
    error.status,
    text,
    removal.flatMap((cookie) => ['set-cookie', cookie]),
  );
}
