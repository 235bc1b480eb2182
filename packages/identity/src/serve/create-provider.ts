/** Owns the routes of the provider: all under the issuer's path, each with the edge that its errors leave by. */
import { createRouter, textResponse } from '@kfctl/http';
import type { HttpHandler, Route } from '@kfctl/http';
import { createApprovalEndpoint } from '../approval/approval-endpoint.ts';
import { createAuthorizeEndpoint, createChooseConnectorEndpoint } from '../authorize/authorize-endpoint.ts';
import { createDiscoveryEndpoint, createKeysEndpoint } from '../discovery/discovery-endpoint.ts';
import { createDeviceAuthorizationEndpoint } from '../device/device-authorization-endpoint.ts';
import {
  createDeviceCallbackEndpoint,
  createDevicePageEndpoint,
  createVerifyCodeEndpoint,
} from '../device/device-pages-endpoint.ts';
import type { Health } from '../health/health.ts';
import { createIntrospectionEndpoint } from '../introspection/introspection-endpoint.ts';
import { createCallbackEndpoint } from '../login/callback-endpoint.ts';
import { logRefusal } from '../log-refusal.ts';
import { createLoginEndpoint } from '../login/login-endpoint.ts';
import { createLogoutEndpoint } from '../logout/logout-endpoint.ts';
import { createLogoutCallbackEndpoint } from '../logout/upstream-logout.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createWebFilesEndpoint } from '../pages/web-files-endpoint.ts';
import { pageError } from '../pages/error-page.ts';
import { landingPage } from '../pages/login-pages.ts';
import { themeFolder } from '../pages/theme.ts';
import type { ProviderDeps } from '../provider.ts';
import { createRevocationEndpoint } from '../revocation/revocation-endpoint.ts';
import { createDeviceTokenEndpoint, createTokenEndpoint } from '../token/token-endpoint.ts';
import { createUserinfoEndpoint } from '../userinfo/userinfo-endpoint.ts';
import { createPreflight, withCors } from './cors.ts';
import { jsonEdge, pageEdge, withRouteLog } from './edges.ts';
import { withSecurityHeaders } from './security-headers.ts';

export interface Observers {
  readonly health: Health;
  readonly metrics: Metrics;
}

/** Addresses that take GET and are read by scripts of other origins too; the others take every method and judge it themselves. */
const READ_BY_SCRIPTS = ['', '/.well-known/openid-configuration', '/keys', '/userinfo'] as const;

export function createProvider(deps: ProviderDeps, { health, metrics }: Observers): HttpHandler {
  const { config, log } = deps;
  const page = pageEdge(deps.render, log);
  const json = jsonEdge(log);
  const theme = themeFolder(config.frontend);
  const cors = (handler: HttpHandler): HttpHandler => withCors(handler, config.web);
  const shared = (handler: HttpHandler): HttpHandler => cors(json(handler));
  const routes: readonly (readonly [string, string, HttpHandler])[] = [
    ['GET', '', cors(page(createLandingEndpoint(deps)))],
    ['GET', '/.well-known/openid-configuration', shared(createDiscoveryEndpoint(deps))],
    ['GET', '/keys', shared(createKeysEndpoint(deps))],
    ['*', '/token', shared(createTokenEndpoint(deps))],
    ['*', '/token/introspect', shared(createIntrospectionEndpoint(deps))],
    ['*', '/token/revoke', shared(createRevocationEndpoint(deps))],
    ['GET', '/userinfo', shared(createUserinfoEndpoint(deps))],
    ['POST', '/userinfo', shared(createUserinfoEndpoint(deps))],
    ['*', '/auth', page(createChooseConnectorEndpoint(deps))],
    ['*', '/auth/:connector', page(createAuthorizeEndpoint(deps))],
    ['*', '/auth/:connector/login', page(createLoginEndpoint(deps))],
    ['*', '/callback', page(createCallbackEndpoint(deps))],
    ['*', '/callback/:connector', page(createCallbackEndpoint(deps))],
    ['*', '/approval', page(createApprovalEndpoint(deps))],
    ['*', '/device/code', json(createDeviceAuthorizationEndpoint(deps))],
    ['*', '/device/token', json(createDeviceTokenEndpoint(deps))],
    ['GET', '/device', page(createDevicePageEndpoint(deps))],
    ['POST', '/device/auth/verify_code', page(createVerifyCodeEndpoint(deps))],
    ['GET', '/device/callback', page(createDeviceCallbackEndpoint(deps))],
    ['*', '/logout', page(createLogoutEndpoint(deps))],
    ['*', '/logout/callback', page(createLogoutCallbackEndpoint(deps))],
    ['GET', '/healthz', page(createHealthEndpoint(health))],
    ['GET', '/static/*file', page(createWebFilesEndpoint(config.frontend, { folder: 'static', log }))],
    ['GET', '/theme/*file', page(createWebFilesEndpoint(config.frontend, { folder: theme, log }))],
    ['GET', '/robots.txt', () => textResponse(200, 'User-agent: *\nDisallow: /\n')],
  ];
  const preflights = config.web.allowedOrigins.length === 0 ? [] : READ_BY_SCRIPTS;
  const asked = preflights.map((path) => ['OPTIONS', path, createPreflight(config.web)] as const);
  const router = createRouter(
    [...routes, ...asked].map(([method, path, handler]) =>
      toRoute(config.basePath, method, { path, handler: metrics.observe(path, handler) }),
    ),
    (request) => {
      logRefusal(log, request, { status: 404, reason: 'no such path' });
      return textResponse(404, 'not found\n');
    },
  );
  return withSecurityHeaders(withRouteLog(router, log), config.web.headers);
}

function toRoute(basePath: string, method: string, { path, handler }: { path: string; handler: HttpHandler }): Route {
  // Without a path in the issuer the landing page is the root.
  return { method, path: `${basePath}${path}` === '' ? '/' : `${basePath}${path}`, handler };
}

function createLandingEndpoint({ config, render }: ProviderDeps): HttpHandler {
  return ({ path }) => render(landingPage(`${config.basePath}/.well-known/openid-configuration`), path);
}

function createHealthEndpoint(health: Health): HttpHandler {
  return async () => {
    if ((await health.problem()) !== undefined) throw pageError(500, 'Health check failed.');
    return textResponse(200, 'Health check passed\n');
  };
}
