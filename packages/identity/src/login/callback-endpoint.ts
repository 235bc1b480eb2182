/** Owns the return from an upstream provider: `/callback` and `/callback/{connector}`, by redirect or by form. */
import { describeError } from '@kfctl/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { openPending } from '../authorize/pending-request.ts';
import type { CarriedRequest } from '../authorize/pending-request.ts';
import { connectorScopes } from '../authorize/scopes.ts';
import type { Connector, LoginOutcome } from '../connectors/connector.ts';
import { outsiderError, pageError } from '../pages/error-page.ts';
import { forwardPage } from '../pages/login-pages.ts';
import type { ProviderDeps } from '../provider.ts';
import { withCookies } from '../session/answer-from-session.ts';
import { beginSession } from '../session/end-session.ts';
import { finishLogin } from './finish-login.ts';
import { createFormReader } from './posted-form.ts';
import { openRelay, SENT_AGAIN } from './relay-state.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

const FAILED = 'Authentication failed. Please contact your administrator or try again later.';

export function createCallbackEndpoint(deps: ProviderDeps): HttpHandler {
  const withPostedForm = createFormReader();
  return async (request) => {
    if (request.method === 'GET') {
      const state = request.query.get('state');
      return await finishAnswer(deps, request, { answer: request.query, state, forget: [] });
    }
    if (request.method !== 'POST') throw pageError(400, 'Method not supported');
    return await withPostedForm(request, (form) => finishForm(deps, request, form));
  };
}

/** The pending request is in a cookie, which over plain http comes only with forms of our own: the form is then sent once more, by us. */
async function finishForm(deps: ProviderDeps, request: HttpRequest, answer: URLSearchParams): Promise<HttpResponse> {
  const relayed = openRelay(deps, request, answer);
  if (relayed.kind === 'found') {
    return await finishAnswer(deps, request, { answer, state: relayed.sealed, forget: relayed.cookies });
  }
  if (!relayed.sendAgain) throw pageError(400, 'User session error.', { message: 'the browser lost its cookie' });
  const kept = ['SAMLResponse', 'RelayState'].map((name) => [name, answer.get(name) ?? ''] as const);
  return deps.render(
    forwardPage({ action: request.path, fields: { ...Object.fromEntries(kept), [SENT_AGAIN]: 'yes' } }),
    request.path,
  );
}

interface UpstreamAnswer {
  readonly answer: URLSearchParams;
  readonly state: string | null;
  /** Cookies that are of no more use. */
  readonly forget: readonly string[];
}

async function finishAnswer(
  deps: ProviderDeps,
  request: HttpRequest,
  { answer, state, forget }: UpstreamAnswer,
): Promise<HttpResponse> {
  const { keys, clock, connectors } = deps;
  const opened = await openPending({ keys, nowMs: clock.now() }, state, 'callback');
  const { pending } = opened;
  const named = request.params['connector'];
  if (named !== undefined && named !== pending.connectorId) throw pageError(400, 'Requested resource does not exist.');
  const connector = await connectors.open(pending.connectorId);
  const finish = connector === undefined ? undefined : finisherOf(connector, { request, answer, opened });
  if (finish === undefined) throw pageError(400, 'Invalid request');
  const outcome = await finish().catch((cause: unknown) => {
    const message = `connector ${pending.connectorId} failed: ${describeError(cause)}`;
    throw pageError(500, FAILED, { message, cause });
  });
  return await conclude(deps, request, { opened, outcome, forget });
}

interface Answer {
  readonly request: HttpRequest;
  readonly answer: URLSearchParams;
  readonly opened: CarriedRequest;
}

/** How the connector takes this answer; undefined when it takes none of this method. */
function finisherOf(
  { callback, posted }: Connector,
  { request, answer, opened }: Answer,
): (() => Promise<LoginOutcome>) | undefined {
  const { carried, pending } = opened;
  const scopes = connectorScopes(pending.scopes);
  if (request.method === 'POST') {
    return posted === undefined ? undefined : async () => await posted.finish({ form: answer, carried, scopes });
  }
  if (callback === undefined) return undefined;
  const ownPath = request.params['connector'] !== undefined;
  const headers = ownPath ? request.headers : withoutRemoteUser(request.headers);
  return async () => await callback.finish({ query: answer, headers, ownPath, carried, scopes });
}

interface Conclusion {
  readonly opened: CarriedRequest;
  readonly outcome: LoginOutcome;
  readonly forget: readonly string[];
}

async function conclude(
  deps: ProviderDeps,
  request: HttpRequest,
  { opened: { pending }, outcome, forget }: Conclusion,
): Promise<HttpResponse> {
  const logged = { id: request.id, connector: pending.connectorId };
  if (outcome.kind === 'denied') {
    deps.log.info('login refused', { ...logged, reason: outcome.reason });
    throw outcome.outsider === true
      ? outsiderError(outcome.reason)
      : pageError(403, FAILED, { message: outcome.reason });
  }
  const { once } = outcome;
  // The state dies with the pending request; until then an answer that was sent again must be recognised.
  const first = once === undefined || (await spend(deps, `${pending.connectorId}\n${once}`, pending.expiresAt));
  if (!first) {
    deps.log.warn('login refused', { ...logged, reason: 'the answer of the upstream was used before' });
    throw pageError(400, 'User session has expired.');
  }
  const { groups, offlineAccess: offline } = connectorScopes(pending.scopes);
  const { clientId, connectorId, browser } = pending;
  const persistent = deps.sessions?.settings.rememberMeCheckedByDefault ?? false;
  const login = { clientId, connectorId, browser, who: outcome, groups, offline, persistent };
  const { sid, cookies } = await beginSession(deps, request, login);
  return withCookies(await finishLogin(deps, pending, { ...outcome, sid }), [...cookies, ...forget]);
}

/** True for the first caller, of any number and on any replica. */
async function spend({ storage }: ProviderDeps, proof: string, expiresAt: number): Promise<boolean> {
  return await storage.create('spentProof', createHash('sha256').update(proof).digest('hex'), { expiresAt });
}

// Identity headers are believed on the authproxy connector's own path only, which a proxy guards.
function withoutRemoteUser(headers: HttpRequest['headers']): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-remote-')));
}
