/** Owns the return from an upstream provider: `/callback` and `/callback/{connector}`, by redirect or by form. */
import { describeError, readForm } from '@kfctl/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/core';
import { openPending } from '../authorize/pending-request.ts';
import type { CarriedRequest } from '../authorize/pending-request.ts';
import { connectorScopes } from '../authorize/scopes.ts';
import type { Connector, LoginOutcome } from '../connectors/connector.ts';
import { pageError } from '../pages/error-page.ts';
import type { ProviderDeps } from '../provider.ts';
import { withCookies } from '../session/answer-from-session.ts';
import { finishLogin } from './finish-login.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

const FAILED = 'Authentication failed. Please contact your administrator or try again later.';
const STATE_FIELDS: Readonly<Record<string, string>> = { GET: 'state', POST: 'RelayState' };

export function createCallbackEndpoint(deps: ProviderDeps): HttpHandler {
  const { keys, clock, connectors } = deps;
  return async (request) => {
    const stateField = STATE_FIELDS[request.method];
    if (stateField === undefined) throw pageError(400, 'Method not supported');
    const answer = request.method === 'POST' ? await readForm(request) : request.query;
    const opened = await openPending({ keys, nowMs: clock.now() }, answer.get(stateField), 'callback');
    const { pending } = opened;
    const named = request.params['connector'];
    if (named !== undefined && named !== pending.connectorId)
      throw pageError(400, 'Requested resource does not exist.');
    const connector = await connectors.open(pending.connectorId);
    const finish = connector === undefined ? undefined : finisherOf(connector, { request, answer, opened });
    if (finish === undefined) throw pageError(400, 'Invalid request');
    const outcome = await finish().catch((cause: unknown) => {
      const message = `connector ${pending.connectorId} failed: ${describeError(cause)}`;
      throw pageError(500, FAILED, { message, cause });
    });
    return await conclude(deps, request, { opened, outcome });
  };
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
}

async function conclude(
  deps: ProviderDeps,
  request: HttpRequest,
  { opened: { pending }, outcome }: Conclusion,
): Promise<HttpResponse> {
  const logged = { id: request.id, connector: pending.connectorId };
  if (outcome.kind === 'denied') {
    deps.log.info('login refused', { ...logged, reason: outcome.reason });
    throw pageError(403, FAILED, { message: outcome.reason });
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
  const cookies = (await deps.sessions?.start(request, login)) ?? [];
  return withCookies(await finishLogin(deps, pending, outcome), cookies);
}

/** True for the first caller, of any number and on any replica. */
async function spend({ storage }: ProviderDeps, proof: string, expiresAt: number): Promise<boolean> {
  return await storage.create('spentProof', createHash('sha256').update(proof).digest('hex'), { expiresAt });
}

// Identity headers are believed on the authproxy connector's own path only, which a proxy guards.
function withoutRemoteUser(headers: HttpRequest['headers']): HttpRequest['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith('x-remote-')));
}
