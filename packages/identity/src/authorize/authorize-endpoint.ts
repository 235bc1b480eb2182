/**
 * Owns the start of a login.
 *
 *   /auth ──(which connector?)──► /auth/{connector} ──(rules kept?)──► /auth/{connector}/login?state=…   password
 *                                       │                        └──► upstream?state=…                  callback
 *                                       └──(no)──► page, or redirect to the client with an error
 */
import type { AppError } from '@kfctl/core';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import type { Client } from '../clients/find-client.ts';
import type { GrantType } from '../config/config.ts';
import { DEVICE_GRANT } from '../config/oauth2-section.ts';
import { acceptsConnector, servesGrant } from '../connectors/allowed.ts';
import type { ConnectorInfo } from '../connectors/connector-set.ts';
import type { CallbackBegin, Connector } from '../connectors/connector.ts';
import { startRelay } from '../login/relay-state.ts';
import { pageError } from '../pages/error-page.ts';
import { chooseConnectorPage, forwardPage } from '../pages/login-pages.ts';
import type { ProviderDeps } from '../provider.ts';
import { answerFromSession, withCookies } from '../session/answer-from-session.ts';
import { wantsLogin } from '../session/reuse-rules.ts';
import { collectParameters, encodeParameters, readParameters } from './parameters.ts';
import type { AuthorizeParameters } from './parameters.ts';
import { sealCarried, sealPending } from './pending-request.ts';
import type { PendingRequest } from './pending-request.ts';
import { DEVICE_CALLBACK, isRedirectAllowed } from './redirect-uri.ts';
import { redirectTo, redirectWithError } from './respond.ts';
import { findBrokenRule } from './rules.ts';
import { connectorScopes, splitScopes } from './scopes.ts';

/** `/auth`: passes on to the only or the named connector, or offers the choice. */
export function createChooseConnectorEndpoint(deps: ProviderDeps): HttpHandler {
  const { config, connectors, findClient, render, sessions } = deps;
  return async (request) => {
    const raw = await collectParameters(request);
    const parameters = readParameters(raw);
    const client = requireKnown(await findClient(parameters.clientId), {
      ...parameters,
      status: 400,
      text: 'Invalid client_id provided.',
    });
    const query = encodeParameters(raw);
    const hrefOf = ({ id }: ConnectorInfo): string => `${config.basePath}/auth/${encodeURIComponent(id)}?${query}`;
    if (parameters.connectorId !== '') {
      const named = connectors.find(parameters.connectorId);
      if (named === undefined) throw pageError(400, 'Connector ID does not match a valid Connector');
      return redirectTo(hrefOf(named), 302);
    }
    const grant = grantOf(parameters, config.basePath);
    const offered = connectors.list.filter((one) => servesGrant(one, grant) && acceptsConnector(client, one.id));
    const known = wantsLogin(parameters) ? undefined : (await sessions?.find(request))?.record.connectorId;
    const used = offered.find(({ id }) => id === known);
    if (used !== undefined && !config.oauth2.alwaysShowLoginScreen) return redirectTo(hrefOf(used), 302);
    const [only] = offered;
    if (only === undefined) throw pageError(400, 'No way to log in is open to this application.');
    if (offered.length === 1 && !config.oauth2.alwaysShowLoginScreen) return redirectTo(hrefOf(only), 302);
    return render(
      chooseConnectorPage(
        offered.map((item) => ({ id: item.id, name: item.name, type: item.type, href: hrefOf(item) })),
      ),
      request.path,
    );
  };
}

/** `/auth/{connector}`: judges the request, then starts the login. Nothing is stored. */
export function createAuthorizeEndpoint(deps: ProviderDeps): HttpHandler {
  const { config, connectors, findClient } = deps;
  return async (request) => {
    const raw = await collectParameters(request);
    const parameters = readParameters(raw);
    const connectorId = request.params['connector'] ?? '';
    const client = requireKnown(await findClient(parameters.clientId), {
      ...parameters,
      status: 404,
      text: 'Invalid client_id.',
    });
    if (!isRedirectAllowed(client, parameters.redirectUri, config.basePath))
      throw unregisteredRedirect(client, parameters);
    const named = connectors.find(connectorId);
    if (named === undefined) throw pageError(400, 'Requested resource does not exist.');
    const served = servesGrant(named, grantOf(parameters, config.basePath));
    const draft = { parameters, client, connectorId, servesGrant: served, oauth2: config.oauth2, findClient };
    const problem = await findBrokenRule(draft);
    if (problem !== undefined) return redirectWithError(deps.log, { ...parameters, request, problem });
    const connector = await connectors.open(connectorId);
    if (connector === undefined) throw pageError(400, 'Connector failed to initialize.');
    const pending = toPending(parameters, connectorId, deps);
    const silent = await answerFromSession(deps, { request, parameters, client, connector, pending });
    if (silent !== undefined) return silent;
    const bound = deps.sessions?.bind(request);
    const back = connectors.list.length > 1 ? `${config.basePath}/auth?${backQuery(raw)}` : '';
    const start = { back, pending: bound === undefined ? pending : { ...pending, browser: bound.browser } };
    const reauthenticate = wantsLogin(parameters) || parameters.maxAge !== '';
    const started = await startLogin(deps, connector, { ...start, request, reauthenticate });
    return withCookies(started.response, [...(bound?.cookies ?? []), ...started.cookies]);
  };
}

// The redirect URI is not to be trusted before this: errors up to here are pages (RFC 6749 §4.1.2.1).
function unregisteredRedirect({ id, redirectUris }: Client, { redirectUri }: AuthorizeParameters): AppError {
  const known = redirectUris.length === 0 ? 'none is registered' : `registered: ${redirectUris.join(' ')}`;
  const message = `client ${id} has no redirect URI ${JSON.stringify(redirectUri)}; ${known}`;
  return pageError(400, 'Unregistered redirect_uri.', { message });
}

interface AskedClient {
  readonly clientId: string;
  readonly status: number;
  readonly text: string;
}

function requireKnown(client: Client | undefined, { clientId, status, text }: AskedClient): Client {
  if (client === undefined) throw pageError(status, text, { message: `unknown client ${JSON.stringify(clientId)}` });
  return client;
}

/** The grant that the request is the beginning of. */
function grantOf({ redirectUri, responseType }: AuthorizeParameters, basePath: string): GrantType {
  if (redirectUri === basePath + DEVICE_CALLBACK) return DEVICE_GRANT;
  const words = splitScopes(responseType);
  return words.length > 0 && !words.includes('code') ? 'implicit' : 'authorization_code';
}

// Back to the choice: without the connector that was chosen, or the choice would be skipped.
function backQuery(raw: URLSearchParams): string {
  const query = new URLSearchParams(raw);
  query.delete('connector_id');
  return encodeParameters(query);
}

function toPending(
  parameters: AuthorizeParameters,
  connectorId: string,
  { config, clock }: ProviderDeps,
): PendingRequest {
  const { codeChallenge, codeChallengeMethod } = parameters;
  return {
    clientId: parameters.clientId,
    responseTypes: splitScopes(parameters.responseType),
    scopes: splitScopes(parameters.scope),
    redirectUri: parameters.redirectUri,
    state: parameters.state,
    nonce: parameters.nonce,
    forceApprovalPrompt: parameters.approvalPrompt === 'force' || splitScopes(parameters.prompt).includes('consent'),
    codeChallenge,
    codeChallengeMethod: codeChallenge === '' ? '' : codeChallengeMethod === '' ? 'plain' : codeChallengeMethod,
    connectorId,
    loginHint: parameters.loginHint.slice(0, 320),
    expiresAt: clock.now() + config.expiry.authRequests,
  };
}

interface Start {
  readonly request: HttpRequest;
  readonly pending: PendingRequest;
  readonly back: string;
  /** Whoever logs in must prove it now, at the upstream too. */
  readonly reauthenticate: boolean;
}

interface Started {
  readonly response: HttpResponse;
  readonly cookies: readonly string[];
}

async function startLogin(
  deps: ProviderDeps,
  connector: Connector,
  { request, pending, back, reauthenticate }: Start,
): Promise<Started> {
  const { config, keys } = deps;
  if (connector.password !== undefined) {
    const query = new URLSearchParams({ back, state: sealPending(keys, pending) });
    const page = `${config.basePath}/auth/${encodeURIComponent(pending.connectorId)}/login?${query.toString()}`;
    return { response: redirectTo(page, 302), cookies: [] };
  }
  const { callback, posted } = connector;
  const question: CallbackBegin = {
    seal: (carried) => sealCarried(keys, { pending, carried }),
    scopes: connectorScopes(pending.scopes),
    loginHint: pending.loginHint === '' ? undefined : pending.loginHint,
    reauthenticate,
  };
  if (callback !== undefined) {
    return { response: redirectTo((await callback.begin(question)).location, 302), cookies: [] };
  }
  if (posted !== undefined) {
    const { action, fields, carried, returnTo } = await posted.begin(question);
    const relay = startRelay(deps, request, { sealed: question.seal(carried), returnTo });
    const form = forwardPage({ action, fields: { ...fields, RelayState: relay.relayState } });
    return { response: deps.render(form, request.path), cookies: relay.cookies };
  }
  throw pageError(500, 'Requested resource does not exist.');
}
