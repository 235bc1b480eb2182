/**
 * Owns `/logout` (OpenID Connect RP-Initiated Logout 1.0). There is no session here that could outlive the client's own, so what
 * remains is to send the browser back where the client wants it, if that is where it may be sent.
 */
import { readForm } from '@kfctl/core';
import type { HttpHandler, HttpRequest } from '@kfctl/core';
import { audiencesOf, verifyJwt } from '@kfctl/oidc';
import { redirectTo, withParameters } from '../authorize/respond.ts';
import type { Client } from '../clients/find-client.ts';
import { pageError } from '../pages/error-page.ts';
import { loggedOutPage } from '../pages/login-pages.ts';
import type { ProviderDeps } from '../provider.ts';

type Deps = Pick<ProviderDeps, 'config' | 'keys' | 'findClient' | 'clock' | 'render'>;

export function createLogoutEndpoint(deps: Deps): HttpHandler {
  return async (request) => {
    const parameters = await collect(request);
    const client = await findAskingClient(deps, parameters);
    const target = parameters.get('post_logout_redirect_uri') ?? '';
    if (target === '') return deps.render(loggedOutPage());
    // §3: only to a registered place of a client that is known, exactly as registered.
    if (client?.postLogoutRedirectUris.includes(target) !== true) {
      throw pageError(400, 'Unregistered post_logout_redirect_uri.');
    }
    const state = parameters.get('state');
    return redirectTo(state === null ? target : withParameters(target, new URLSearchParams({ state }), 'query'));
  };
}

async function collect(request: HttpRequest): Promise<URLSearchParams> {
  if (request.method === 'GET') return request.query;
  if (request.method === 'POST') return await readForm(request);
  throw pageError(400, 'Unsupported request method.');
}

/** §2: the hint names the client; an expired one will do. client_id must agree with it. */
async function findAskingClient(deps: Deps, parameters: URLSearchParams): Promise<Client | undefined> {
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
  return await findClient(clientId);
}
