/** Owns the dashboard's one table of routes: who may call what is read from here. */
import { createRouter, jsonResponse } from '@kfctl/http';
import type { Clock } from '@kfctl/core';
import type { HttpHandler, Route } from '@kfctl/http';
import type { KubeClient } from '@kfctl/kube';
import { createAssertions } from '@kfctl/oidc';
import type { AccessClient } from './access/access-client.ts';
import { namespaceRoutes } from './activity/namespace-routes.ts';
import type { Config } from './config.ts';
import { requireUser } from './identity/identify.ts';
import type { IdentityRules } from './identity/identify.ts';
import { requireSameOrigin } from './identity/same-origin.ts';
import { settingsRoutes } from './pages/settings-routes.ts';
import { healthRoutes } from './platform/health-routes.ts';
import { createPlatformInfo } from './platform/platform-info.ts';
import { workgroupRoutes } from './workgroup/workgroup-routes.ts';

export interface DashboardOptions {
  readonly config: Config;
  readonly client: Pick<KubeClient, 'get' | 'list'>;
  readonly access: AccessClient;
  readonly pages: HttpHandler;
  readonly clock: Clock;
  readonly version: string;
}

/** All routes: probes are open, everything else needs an identity, writes need our own origin. */
export function createDashboard(options: DashboardOptions): HttpHandler {
  const { config, client, access, clock } = options;
  const identity = identityRules(config, clock);
  const platformInfo = createPlatformInfo({ client, version: options.version, logoutUrl: config.logoutUrl });
  const routes: Route[] = [
    { method: 'GET', path: '/healthz', handler: () => jsonResponse(200, { status: 'ok' }) },
    ...workgroupRoutes({ access, identity, registrationFlow: config.registrationFlow, platformInfo }),
    ...namespaceRoutes({ client, access, identity }),
    ...healthRoutes({ client, identity, namespaces: config.platformNamespaces, clock }),
    ...settingsRoutes({ client, identity, namespace: config.namespace, configMap: config.configMap }),
    {
      method: 'GET',
      path: '/api/metrics',
      handler: requireUser(identity, () => jsonResponse(405, { error: 'Operation not supported' })),
    },
    {
      method: '*',
      path: '/api/*rest',
      handler: requireUser(identity, () => jsonResponse(404, { error: `Could not find the route you're looking for` })),
    },
  ];
  return requireSameOrigin(createRouter(routes, requireUser(identity, options.pages)));
}

function identityRules({ assertionKeys, ...config }: Config, clock: Clock): IdentityRules {
  const { userIdHeader, userIdPrefix, groupsHeader } = config;
  const headers = { userIdHeader, userIdPrefix, groupsHeader };
  if (assertionKeys === undefined) return { ...headers, isAsserted: () => true };
  const { isGenuine } = createAssertions(assertionKeys);
  return { ...headers, isAsserted: (assertion, request) => isGenuine(assertion, request, clock.now()) };
}
