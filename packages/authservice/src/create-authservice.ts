/** Owns the table of what the AuthService answers: its own few paths, and for every other path the check. */
import { systemRandom } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { createIdentityHeaders, createLoginFlows, createPathMatcher, createSessionPass } from '@kfctl/oidc';
import type { HeaderEdits, LoginFlows, SessionPass } from '@kfctl/oidc';
import { createAccountApi } from './account/account-api.ts';
import { allowAnswer, createRenderEdits, provenAnswer, verifiedAnswer } from './check/allow-answer.ts';
import { createAuthenticate } from './check/authenticate.ts';
import type { AuthenticateDeps } from './check/authenticate.ts';
import { createAuthorize } from './check/authorize.ts';
import { createCheckEndpoint, createForwardAuthEndpoint, cutQuery } from './check/check-endpoint.ts';
import { createExternalAuthorizer } from './check/external-authorizer.ts';
import { createVerifyEndpoint } from './check/verify-endpoint.ts';
import type { Config } from './config/config.ts';
import { createCallbackEndpoint } from './login/callback-endpoint.ts';
import { createStartLogin, LOGIN_LIFETIME_MS } from './login/start-login.ts';
import { createBackchannelEndpoint } from './logout/backchannel-endpoint.ts';
import { createLoggedOutEndpoint, createLogoutEndpoint } from './logout/logout-endpoint.ts';
import { createProviderLogout } from './logout/provider-logout.ts';
import type { ProviderHttp } from './provider/provider-http.ts';
import type { Provider } from './provider/provider.ts';
import type { Answer, Endpoint } from './server/answer.ts';
import { createRefresh } from './session/refresh.ts';
import type { Sessions } from './session/sessions.ts';
import { createStrictValidation } from './session/strict-validation.ts';

export interface AuthServiceDeps {
  readonly config: Config;
  readonly provider: Provider;
  readonly http: ProviderHttp;
  readonly sessions: Sessions;
  readonly bearer: AuthenticateDeps['bearer'];
  readonly clock: Clock;
  readonly log: Logger;
}

interface Routes {
  /** By the whole path. */
  readonly exact: ReadonlyMap<string, Endpoint>;
  /** By what a path begins with. */
  readonly below: readonly (readonly [prefix: string, endpoint: Endpoint])[];
  /** Answers the commonest of checks at once. */
  readonly pass: SessionPass<Answer>;
  readonly otherwise: Endpoint;
}

/** One endpoint that tells its own routes from checks. Own routes are exact: `/logout/` or `/x/../logout` is a path like any other. */
export function createAuthService(deps: AuthServiceDeps): Endpoint {
  const { exact, below, pass, otherwise } = createRoutes(deps);
  return (request) => {
    const { method = '', url = '', headers } = request;
    const path = cutQuery(url);
    const own = exact.get(path) ?? below.find(([prefix]) => path.startsWith(prefix))?.[1];
    if (own !== undefined) return own(request);
    return pass({ method, path, headers }) ?? otherwise(request);
  };
}

function openFlows({ encryptionKeys, cookieAttributes: { secure } }: Config): LoginFlows {
  return createLoginFlows({ secrets: encryptionKeys, lifetimeMs: LOGIN_LIFETIME_MS, random: systemRandom, secure });
}

function createRoutes(deps: AuthServiceDeps): Routes {
  const { config, provider, http, sessions, bearer, clock, log } = deps;
  const { cookieName, cookieAttributes, urlPrefix, identityRules, maxAgeSeconds } = config;
  const flows = openFlows(config);
  const redeem = { provider, http, clock, log, settings: config };
  const rules = { cookieName, isExempt: createPathMatcher(config.exemptPaths), tokenHeader: config.sessionHeader };
  const refresh = createRefresh({ sessions, redeem, identityRules, clock, log });
  const validate = config.strictValidation ? createStrictValidation({ sessions, provider, http, log }) : undefined;
  const { sessionHeader, bearerHeader } = config;
  const authenticate = createAuthenticate({ sessions, rules, refresh, validate, bearerHeader, bearer });
  const tokenHeaders = [sessionHeader, bearerHeader].filter((name): name is string => name !== undefined);
  const identityHeaders = createIdentityHeaders({ ...config, tokenHeaders }, clock);
  const { externalAuthorizerUrl: url } = config;
  const external = url === undefined ? undefined : createExternalAuthorizer({ url, http, clock });
  const authorize = createAuthorize(config.allowedGroups, external);
  const startLogin = createStartLogin({ flows, provider, clock, cookieAttributes, settings: config });
  const renderEdits = createRenderEdits(config);
  const allow = (edits: HeaderEdits): Answer => allowAnswer(renderEdits(edits));
  const check = { authenticate, authorize, identityHeaders, allow, startLogin };
  const passing = { find: sessions.find, rules, identityHeaders, allowedGroups: config.allowedGroups, now: clock.now };
  const pass = createSessionPass(passing, allow, provenAnswer);
  const callback = { flows, sessions, redeem, identityRules, cookieName, cookieAttributes, maxAgeSeconds, clock, log };
  const providerLogout = createProviderLogout({ provider, http, sessions, log, settings: config });
  const logout = createLogoutEndpoint({ sessions, providerLogout, rules, cookieAttributes, log });
  const verify = createVerifyEndpoint(check, { base: config.verifyPath, methodHeader: config.verifyMethodHeader });
  const { administrators, apiTokenMaxAgeMs: maxTokenAgeMs } = config;
  const account = { authenticate, sessions, identityHeaders, renderEdits, administrators, maxTokenAgeMs, log };
  return {
    exact: new Map([
      [config.callbackPath, createCallbackEndpoint(callback)],
      ['/logout', logout],
      [`${urlPrefix}/logout`, logout],
      [`${urlPrefix}/backchannel-logout`, createBackchannelEndpoint({ ...redeem, sessions })],
      [`${urlPrefix}/site/after_logout`, createLoggedOutEndpoint()],
      [config.verifyPath, verify],
      ...(config.forwardAuth
        ? [[`${urlPrefix}/forward-auth`, createForwardAuthEndpoint({ ...check, allow: verifiedAnswer })] as const]
        : []),
    ]),
    below: [
      [`${config.verifyPath}/`, verify],
      [`${urlPrefix}/api/`, createAccountApi(account, `${urlPrefix}/api/`)],
    ],
    pass: external === undefined && validate === undefined ? pass : () => undefined,
    otherwise: createCheckEndpoint(check),
  };
}
