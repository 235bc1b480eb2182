/**
 * Owns `/logout` (OpenID Connect RP-Initiated Logout 1.0). It ends the login session, if there is one, and
 * sends the browser back where the client wants it, if that is where it may be sent.
 *
 *   /logout ──(asked, or vouched for)──► session gone ──► clients told ──► upstream ──► /logout/callback ──► client
 */
import { readForm } from '@kfctl/http';
import type { HttpHandler, HttpRequest } from '@kfctl/http';
import { audiencesOf, encodeSubject } from '@kfctl/oidc';
import { redirectTo, withParameters } from '../authorize/respond.ts';
import type { Client } from '../clients/find-client.ts';
import { pageError } from '../pages/error-page.ts';
import { confirmLogoutPage, loggedOutPage } from '../pages/logout-pages.ts';
import { requireSameSite } from '../login/same-site.ts';
import type { ProviderDeps } from '../provider.ts';
import { withCookies } from '../session/answer-from-session.ts';
import { tellOfEnd } from '../session/end-session.ts';
import type { EndedSession } from '../session/login-sessions.ts';
import { verifyHint } from '../token/verify-own-token.ts';
import { findUpstreamLogout } from './upstream-logout.ts';

type Deps = ProviderDeps;

export function createLogoutEndpoint(deps: Deps): HttpHandler {
  return async (request) => {
    const parameters = await collect(request);
    const asking = await findAsking(deps, parameters);
    const target = parameters.get('post_logout_redirect_uri') ?? '';
    // §3: only to a registered place of a client that is known, exactly as registered.
    if (target !== '' && asking?.client?.postLogoutRedirectUris.includes(target) !== true) {
      throw pageError(400, 'Unregistered post_logout_redirect_uri.');
    }
    const ended = await endSession(deps, request, { parameters, subject: asking?.subject });
    if (ended === undefined) {
      const asked = { path: request.path, parameters, inAddress: request.method === 'GET' };
      return deps.render(confirmLogoutPage(asked), request.path);
    }
    const state = parameters.get('state');
    const location =
      state === null || target === '' ? target : withParameters(target, new URLSearchParams({ state }), 'query');
    const { session, cookies } = ended;
    const upstream = session === undefined ? undefined : await findUpstreamLogout(deps, session, location);
    const next = upstream ?? location;
    return withCookies(next === '' ? deps.render(loggedOutPage(), request.path) : redirectTo(next, 302), cookies);
  };
}

interface Wish {
  readonly parameters: URLSearchParams;
  /** Whom the client's hint names. */
  readonly subject: string | undefined;
}

/** Undefined when the person must be asked, because anybody can send a browser here (§2). */
async function endSession(
  deps: Deps,
  request: HttpRequest,
  { parameters, subject }: Wish,
): Promise<EndedSession | undefined> {
  const { sessions, log } = deps;
  const found = await sessions?.find(request);
  if (sessions === undefined || found === undefined) return { cookies: [], session: undefined };
  const { claims, connectorId } = found.record;
  const confirmed = request.method === 'POST' && parameters.get('logout') === 'yes';
  if (confirmed) requireSameSite(request);
  if (!confirmed && subject !== encodeSubject({ userId: claims.userId, connectorId })) return undefined;
  log.info('logged out', { connector: connectorId, user: claims.userId });
  const ended = await sessions.end(request);
  if (ended.session !== undefined) await tellOfEnd(deps, ended.session);
  return ended;
}

async function collect(request: HttpRequest): Promise<URLSearchParams> {
  if (request.method === 'GET') return request.query;
  if (request.method === 'POST') {
    // The form of a page template has no fields: what it would say is in its address.
    const form = await readForm(request);
    return form.size > 0 ? form : request.query;
  }
  throw pageError(400, 'Unsupported request method.');
}

interface Asking {
  readonly client: Client | undefined;
  readonly subject: string | undefined;
}

/** §2: the hint names the client; an expired one will do. client_id must agree with it. */
async function findAsking(deps: Deps, parameters: URLSearchParams): Promise<Asking | undefined> {
  const hint = parameters.get('id_token_hint') ?? '';
  const named = parameters.get('client_id') ?? '';
  if (hint === '') return undefined;
  const verdict = verifyHint({ ...deps, nowMs: deps.clock.now() }, hint);
  if (verdict.kind === 'invalid') throw pageError(400, 'Invalid id_token_hint.', { message: verdict.reason });
  const azp = verdict.claims['azp'];
  const clientId = typeof azp === 'string' ? azp : (audiencesOf(verdict.claims)[0] ?? '');
  if (named !== '' && named !== clientId) throw pageError(400, 'client_id does not match id_token_hint.');
  const { sub } = verdict.claims;
  return { client: await deps.findClient(clientId), subject: typeof sub === 'string' ? sub : undefined };
}
