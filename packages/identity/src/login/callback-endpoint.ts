/** Owns the return from an upstream provider: `/callback` and `/callback/{connector}`. */
import { describeError } from '@kfctl/core';
import type { HttpHandler, HttpRequest } from '@kfctl/core';
import { openPending } from '../authorize/pending-request.ts';
import type { CarriedRequest } from '../authorize/pending-request.ts';
import { connectorScopes } from '../authorize/scopes.ts';
import type { CallbackLogin, LoginOutcome } from '../connectors/connector.ts';
import { pageError } from '../pages/error-page.ts';
import type { ProviderDeps } from '../provider.ts';
import { finishLogin } from './finish-login.ts';

const FAILED = 'Authentication failed. Please contact your administrator or try again later.';

export function createCallbackEndpoint(deps: ProviderDeps): HttpHandler {
  const { keys, clock, connectors, log } = deps;
  return async (request) => {
    if (request.method !== 'GET') throw pageError(400, 'Method not supported');
    const opened = await openPending({ keys, nowMs: clock.now() }, request.query.get('state'), 'callback');
    const { pending } = opened;
    const named = request.params['connector'];
    if (named !== undefined && named !== pending.connectorId)
      throw pageError(400, 'Requested resource does not exist.');
    const callback = (await connectors.open(pending.connectorId))?.callback;
    if (callback === undefined) throw pageError(400, 'Invalid request');
    const outcome = await finish(callback, request, opened);
    if (outcome.kind === 'authenticated') return await finishLogin(deps, pending, outcome);
    log.info('login refused', { id: request.id, connector: pending.connectorId, reason: outcome.reason });
    throw pageError(403, FAILED, { message: outcome.reason });
  };
}

async function finish(
  callback: CallbackLogin,
  { query, headers, params }: HttpRequest,
  { carried, pending }: CarriedRequest,
): Promise<LoginOutcome> {
  const ownPath = params['connector'] !== undefined;
  try {
    return await callback.finish({
      query,
      headers: ownPath ? headers : withoutRemoteUser(headers),
      ownPath,
      carried,
      scopes: connectorScopes(pending.scopes),
    });
  } catch (cause) {
    const message = `connector ${pending.connectorId} failed: ${describeError(cause)}`;
    throw pageError(500, FAILED, { message, cause });
  }
}

// Identity headers are believed on the authproxy connector's own path only, which a proxy guards.
function withoutRemoteUser(headers: HttpRequest['headers']): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-remote-')));
}
