/** Owns the answer to an authorization request out of a session, asking the connector again where that needs nobody. */
import { describeError } from '@kfctl/core';
import type { HttpRequest, HttpResponse } from '@kfctl/http';
import type { AuthorizeParameters } from '../authorize/parameters.ts';
import type { PendingRequest } from '../authorize/pending-request.ts';
import { redirectWithError } from '../authorize/respond.ts';
import { connectorScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client } from '../clients/find-client.ts';
import type { Authenticated, Connector, LoginOutcome } from '../connectors/connector.ts';
import { finishLogin, needsApproval } from '../login/finish-login.ts';
import type { ProviderDeps } from '../provider.ts';
import type { LoginSession } from '../storage/records.ts';
import type { FoundSession, LoginSessions } from './login-sessions.ts';
import { findReasonAgainstReuse } from './reuse-rules.ts';

export interface SilentQuestion {
  readonly request: HttpRequest;
  readonly parameters: AuthorizeParameters;
  readonly client: Client;
  readonly connector: Connector;
  readonly pending: PendingRequest;
}

/** Undefined when the person has to log in. With `oauth2.strictPromptNone`, `prompt=none` never ends in a page. */
export async function answerFromSession(
  deps: ProviderDeps,
  question: SilentQuestion,
): Promise<HttpResponse | undefined> {
  const { pending, parameters } = question;
  const silent = deps.config.oauth2.strictPromptNone && splitScopes(parameters.prompt).includes('none');
  const refuse = (error: string, description: string): HttpResponse =>
    redirectWithError(deps.log, { request: question.request, ...pending, problem: { error, description } });
  const usable = await usableSession(deps, question);
  if (usable === undefined) return silent ? refuse('login_required', 'The person has to log in.') : undefined;
  if (silent && needsApproval(pending, deps.config))
    return refuse('interaction_required', 'The person has to grant access.');
  const { sessions, found, who } = usable;
  const cookies = await sessions.touch(question.request, found, changeOf(found.record, who, pending.clientId));
  const { record } = found;
  const response = await finishLogin(deps, pending, {
    ...who,
    authTimeMs: record.authTimeMs,
    sid: record.sid ?? '',
  });
  return withCookies(response, cookies);
}

interface UsableSession {
  readonly sessions: LoginSessions;
  readonly found: FoundSession;
  readonly who: Authenticated;
}

async function usableSession(deps: ProviderDeps, question: SilentQuestion): Promise<UsableSession | undefined> {
  const { sessions, clock, log } = deps;
  const { request, pending, connector } = question;
  const found = await sessions?.find(request);
  if (sessions === undefined || found === undefined) return undefined;
  const rest = { nowMs: clock.now(), settings: sessions.settings, connectorId: pending.connectorId };
  const reason = await findReasonAgainstReuse({ ...deps, ...question, ...rest, session: found.record });
  const logged = { connector: pending.connectorId, client: pending.clientId };
  if (reason !== undefined) {
    log.debug('session not used', { ...logged, reason });
    return undefined;
  }
  const outcome = await askAgain(connector, found.record, pending).catch((error: unknown) => ({
    kind: 'denied' as const,
    reason: describeError(error),
  }));
  if (outcome.kind === 'authenticated') return { sessions, found, who: outcome };
  log.info('session not used', { ...logged, reason: outcome.reason });
  return undefined;
}

/** Directories can be asked without the person: whoever was removed or disabled there has no session any more. */
async function askAgain(
  { password, refresh }: Connector,
  session: LoginSession,
  { scopes }: PendingRequest,
): Promise<LoginOutcome> {
  const { claims: identity, connectorData: data } = session;
  const known = { identity, ...(data === '' ? {} : { connectorData: Buffer.from(data, 'base64') }) };
  if (password === undefined || refresh === undefined) return { kind: 'authenticated', ...known };
  const { groups, offlineAccess } = connectorScopes(scopes);
  return await refresh.refresh(known, { groups: groups || session.groups, offlineAccess });
}

function changeOf(record: LoginSession, who: Authenticated, clientId: string): Partial<LoginSession> {
  const known = record.clients.includes(clientId);
  const same = JSON.stringify(record.claims) === JSON.stringify(who.identity);
  return {
    ...(known ? {} : { clients: [...record.clients, clientId] }),
    ...(same ? {} : { claims: who.identity }),
  };
}

export function withCookies(response: HttpResponse, cookies: readonly string[]): HttpResponse {
  if (cookies.length === 0) return response;
  return { ...response, headers: { ...response.headers, 'set-cookie': [...cookies] } };
}
