/** Owns the table of what the AuthService answers: its own few paths, and for every other path the check. */
import { systemRandom } from '@kfctl/core';
import type { Clock, Logger } from '@kfctl/core';
import { createLoginFlows, createPathMatcher } from '@kfctl/oidc';
import { createCheckEndpoint, pathOf } from './check/check-endpoint.ts';
import { createIdentityHeaders } from './check/identity-headers.ts';
import { createVerifyEndpoint } from './check/verify-endpoint.ts';
import type { Config } from './config/config.ts';
import { createCallbackEndpoint } from './login/callback-endpoint.ts';
import { createStartLogin, LOGIN_LIFETIME_MS } from './login/start-login.ts';
import { createLogoutEndpoint } from './logout/logout-endpoint.ts';
import { createProviderLogout } from './logout/provider-logout.ts';
import type { ProviderHttp } from './provider/provider-http.ts';
import type { Provider } from './provider/provider.ts';
import type { Endpoint } from './server/answer.ts';
import type { Sessions } from './session/sessions.ts';

export interface AuthServiceDeps {
  readonly config: Config;
  readonly provider: Provider;
  readonly http: ProviderHttp;
  readonly sessions: Sessions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One endpoint that tells its own routes from checks. Own routes are exact: `/logout/` or `/x/../logout` is a path like any other. */
export function createAuthService(deps: AuthServiceDeps): Endpoint {
  const { config, provider, http, sessions, clock, log } = deps;
  const { cookieName, cookieAttributes, urlPrefix } = config;
  const flows = createLoginFlows({
    secrets: config.encryptionKeys,
    lifetimeMs: LOGIN_LIFETIME_MS,
    random: systemRandom,
  });
  const check = {
    sessions,
    rules: { cookieName, isExempt: createPathMatcher(config.exemptPaths) },
    identityHeaders: createIdentityHeaders(config),
    startLogin: createStartLogin({ flows, provider, clock, cookieAttributes, settings: config }),
  };
  const redeem = { provider, http, clock, log, settings: config };
  const { maxAgeSeconds, identityRules } = config;
  const callback = { flows, sessions, redeem, identityRules, cookieName, cookieAttributes, maxAgeSeconds, clock, log };
  const providerLogout = createProviderLogout({ provider, http, sessions, log, settings: config });
  const logout = createLogoutEndpoint({ sessions, providerLogout, cookieName, cookieAttributes, log });
  const verify = createVerifyEndpoint(check, `${urlPrefix}/verify`);
  const routes = new Map<string, Endpoint>([
    [config.callbackPath, createCallbackEndpoint(callback)],
    ['/logout', logout],
    [`${urlPrefix}/logout`, logout],
    [`${urlPrefix}/verify`, verify],
  ]);
  const checkEndpoint = createCheckEndpoint(check);
  const verifyBelow = `${urlPrefix}/verify/`;
  return (request) => {
    const path = pathOf(request);
    const route = routes.get(path) ?? (path.startsWith(verifyBelow) ? verify : checkEndpoint);
    return route(request);
  };
}
