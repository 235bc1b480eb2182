/** Owns the page where a name and a password are given: `GET|POST /auth/{connector}/login?state=&back=`. */
import { describeError, isAppError } from '@kfctl/core';
import { readForm } from '@kfctl/http';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { openPending } from '../authorize/pending-request.ts';
import type { PendingRequest } from '../authorize/pending-request.ts';
import { leavesOrigin } from '../authorize/redirect-uri.ts';
import { connectorScopes } from '../authorize/scopes.ts';
import type { ConnectorScopes, PasswordCredentials, PasswordLogin } from '../connectors/connector.ts';
import { IDENTITY_ERRORS } from '../errors.ts';
import { pageError } from '../pages/error-page.ts';
import { passwordPage } from '../pages/login-pages.ts';
import type { ProviderDeps } from '../provider.ts';
import { withCookies } from '../session/answer-from-session.ts';
import { beginSession } from '../session/end-session.ts';
import { clientAddress } from './client-address.ts';
import { safeBackLink } from './back-link.ts';
import { requireSameSite } from './same-site.ts';
import { finishLogin } from './finish-login.ts';

interface LoginStep {
  readonly pending: PendingRequest;
  readonly password: PasswordLogin;
  /** Shows the form, again or for the first time. */
  form(shown: Shown): HttpResponse;
}

interface Shown {
  readonly status: number;
  readonly username: string;
  readonly error?: string;
  /** As the person left it. */
  readonly remember?: boolean;
}

export function createLoginEndpoint(deps: ProviderDeps): HttpHandler {
  return async (request) => {
    const step = await openStep(deps, request);
    if (request.method === 'GET' || request.method === 'HEAD') {
      return step.form({ status: 200, username: step.pending.loginHint });
    }
    if (request.method !== 'POST') throw pageError(400, 'Unsupported request method.');
    requireSameSite(request);
    return await judgePassword(deps, request, step);
  };
}

async function openStep(deps: ProviderDeps, request: HttpRequest): Promise<LoginStep> {
  const { config, connectors, keys, clock, render } = deps;
  const { pending } = await openPending({ keys, nowMs: clock.now() }, request.query.get('state'), 'login');
  // A request that was judged for one connector is no pass for another.
  if (pending.connectorId !== request.params['connector']) throw pageError(400, 'Requested resource does not exist.');
  const password = (await connectors.open(pending.connectorId))?.password;
  if (password === undefined) throw pageError(400, 'Connector failed to initialize.');
  const back = safeBackLink(request.query.get('back') ?? '', config.basePath);
  // Nothing else of the address: a password that came in it by mistake must not come back.
  const query = new URLSearchParams({ back, state: request.query.get('state') ?? '' });
  const action = `${request.path}?${query.toString()}`;
  const frame = { action, prompt: password.prompt, back, leavesOrigin: leavesOrigin(pending.redirectUri) };
  const remember = deps.sessions === undefined ? {} : { remember: deps.sessions.settings.rememberMeCheckedByDefault };
  return {
    pending,
    password,
    form: (shown) => render(passwordPage({ ...frame, ...remember, ...shown }), request.path),
  };
}

async function judgePassword(deps: ProviderDeps, request: HttpRequest, step: LoginStep): Promise<HttpResponse> {
  const form = await readForm(request);
  const username = (form.get('login') ?? '').slice(0, 1000);
  const address = clientAddress(request, deps.config.web.clientRemoteIP);
  const attempt = { connectorId: step.pending.connectorId, username, address };
  const scopes = askedScopes(deps, step);
  const persistent = (form.get('remember') ?? form.get('remember_me')) === 'true';
  const outcome = await deps.throttle.inTurn(attempt, async () => {
    const waitSeconds = deps.throttle.waitSeconds(attempt);
    if (waitSeconds > 0) return { kind: 'throttled' as const, waitSeconds };
    const judged = await askConnector(step, { username, password: form.get('password') ?? '' }, scopes);
    if (judged.kind === 'denied') deps.throttle.failed(attempt);
    else deps.throttle.succeeded(attempt);
    return judged;
  });
  if (outcome.kind === 'throttled') return tooManyAttempts(deps, step, { username, waitSeconds: outcome.waitSeconds });
  if (outcome.kind === 'authenticated') {
    const { clientId, connectorId, browser } = step.pending;
    const { groups, offlineAccess: offline } = scopes;
    const login = { clientId, connectorId, browser, who: outcome, groups, offline, persistent };
    const { sid, cookies } = await beginSession(deps, request, login);
    return withCookies(await finishLogin(deps, step.pending, { ...outcome, sid }), cookies);
  }
  const { connectorId: connector, clientId: client } = step.pending;
  const from = address ?? request.remoteAddress;
  deps.log.info('login refused', { id: request.id, connector, client, from, reason: outcome.reason });
  const remember = deps.sessions === undefined ? {} : { remember: persistent };
  return step.form({ status: 401, username, error: `Invalid ${step.password.prompt} and password.`, ...remember });
}

/** A session serves later requests too, which may ask for more than this one; a directory tells all at once. */
function askedScopes({ sessions }: ProviderDeps, { pending }: LoginStep): ConnectorScopes {
  return sessions === undefined ? connectorScopes(pending.scopes) : { groups: true, offlineAccess: true };
}

async function askConnector(
  { password, pending }: LoginStep,
  credentials: PasswordCredentials,
  scopes: ConnectorScopes,
): ReturnType<PasswordLogin['login']> {
  try {
    return await password.login(credentials, scopes);
  } catch (cause) {
    if (isAppError(cause) && cause.code === IDENTITY_ERRORS.busy) throw cause;
    throw pageError(500, 'Login error. Please contact your administrator or try again later.', {
      message: `connector ${pending.connectorId} failed: ${describeError(cause)}`,
      cause,
    });
  }
}

function tooManyAttempts(
  { log }: ProviderDeps,
  step: LoginStep,
  { username, waitSeconds }: { readonly username: string; readonly waitSeconds: number },
): HttpResponse {
  log.warn('login attempts throttled', { connector: step.pending.connectorId, waitSeconds });
  const error = `Too many attempts. Please wait ${waitSeconds} s and try again.`;
  const response = step.form({ status: 429, username, error });
  return { ...response, headers: { ...response.headers, 'retry-after': String(waitSeconds) } };
}
