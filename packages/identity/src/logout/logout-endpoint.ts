/**
 * Owns `/logout` (OpenID Connect RP-Initiated Logout 1.0). It ends the login session, if there is one, and
 * sends the browser back where the client wants it, if that is where it may be sent.
 */
import { readForm } from '@kfctl/core';
import type { HttpHandler, HttpRequest } from '@kfctl/core';
import { audiencesOf, encodeSubject, verifyJwt } from '@kfctl/oidc';
import { redirectTo, withParameters } from '../authorize/respond.ts';
import type { Client } from '../clients/find-client.ts';
import { pageError } from '../pages/error-page.ts';
import { confirmLogoutPage, loggedOutPage } from '../pages/logout-pages.ts';
import { requireSameSite } from '../login/same-site.ts';
import type { ProviderDeps } from '../provider.ts';
import { withCookies } from '../session/answer-from-session.ts';

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
    if (ended === undefined) return deps.render(confirmLogoutPage(request.path, parameters));
    if (target === '') return withCookies(deps.render(loggedOutPage()), ended);
    const state = parameters.get('state');
    const location = state === null ? target : withParameters(target, new URLSearchParams({ state }), 'query');
    return withCookies(redirectTo(location), ended);
  };
}

interface Wish {
  readonly parameters: URLSearchParams;
  /** Whom the client's hint names. */
  readonly subject: string | undefined;
}

/** The cookies to set; undefined when the person must be asked, because anybody can send a browser here (§2). */
async function endSession(
  { sessions, log }: Deps,
  request: HttpRequest,
  { parameters, subject }: Wish,
): Promise<readonly string[] | undefined> {
  const found = await sessions?.find(request);
  if (sessions === undefined || found === undefined) return [];
  const { claims, connectorId } = found.record;
  const confirmed = request.method === 'POST' && parameters.get('logout') === 'yes';
  if (confirmed) requireSameSite(request);
  if (!confirmed && subject !== encodeSubject({ userId: claims.userId, connectorId })) return undefined;
  log.info('logged out', { connector: connectorId, user: claims.userId });
  return await sessions.end(request);
}

async function collect(request: HttpRequest): Promise<URLSearchParams> {
  if (request.method === 'GET') return request.query;
  if (request.method === 'POST') return await readForm(request);
  throw pageError(400, 'Unsupported request method.');
}

interface Asking {
  readonly client: Client | undefined;
  readonly subject: string | undefined;
}

/** §2: the hint names the client; an expired one will do. client_id must agree with it. */
async function findAsking(deps: Deps, parameters: URLSearchParams): Promise<Asking | undefined> {
  const { keys, config, clock, findClient } = deps;
  const hint = parameters.get('id_token_hint') ?? '';
  const named = parameters.get('client_id') ?? '';
  if (hint === '') return undefined;
  const expected = {
    keys: keys.current().verificationKeys,
    issuer: config.issuer,
    nowMs: clock.now(),
    acceptExpired: true,
  };
  const verdict = verifyJwt(hint, expected);
  if (verdict.kind === 'invalid') throw pageError(400, 'Invalid id_token_hint.', { message: verdict.reason });
  const azp = verdict.claims['azp'];
  const clientId = typeof azp === 'string' ? azp : (audiencesOf(verdict.claims)[0] ?? '');
  if (named !== '' && named !== clientId) throw pageError(400, 'client_id does not match id_token_hint.');
  const { sub } = verdict.claims;
  return { client: await findClient(clientId), subject: typeof sub === 'string' ? sub : undefined };
}
