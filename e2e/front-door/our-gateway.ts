/** Owns our gateway as a data plane, with either form of the objects that put the AuthService before it. */
import type { UnknownObject } from '@kfctl/kube';
import { policy, to, virtualService } from '../../packages/gateway/src/rig/objects.ts';
import { startRig } from '../../packages/gateway/src/rig/rig.ts';
import type { Rig } from '../../packages/gateway/src/rig/rig.ts';
import type { CleansUp } from '../../packages/testkit/src/front-door/cleanup.ts';
import type { Backends, DataPlane } from '../../packages/testkit/src/front-door/data-plane.ts';
import {
  CHECK_HEADERS,
  DENY_HEADERS,
  UPSTREAM_HEADERS,
} from '../../packages/testkit/src/front-door/ext-authz-headers.ts';

const AUTHSERVICE = 'authservice.istio-system.svc.cluster.local';
/** As the manifests' VirtualService has them. */
const OWN_PATHS = [{ exact: '/login/oidc' }, { exact: '/logout' }, { prefix: '/authservice/' }];

export const gatewayToday: DataPlane = {
  name: 'our gateway, extensionProviders',
  skip: false,
  tls: true,
  tellsProgramsFromPages: true,
  hidesSession: true,
  provesIdentity: true,
  reachesAccount: true,
  start: (cleanup, backends) => start(cleanup, backends, requireByPolicy),
};

export const gateway2019: DataPlane = {
  name: 'our gateway, EnvoyFilter of 2019',
  skip: false,
  tls: true,
  tellsProgramsFromPages: false,
  hidesSession: false,
  provesIdentity: false,
  reachesAccount: false,
  start: (cleanup, backends) => start(cleanup, backends, ({ sources }) => sources.envoyFilters.put(filter2019())),
};

async function start(cleanup: CleansUp, backends: Backends, requireAuth: (rig: Rig) => void): Promise<number> {
  const rig = await startRig();
  cleanup.after(() => rig.close());
  rig.addService('dex', backends.identity);
  rig.addService('application', backends.application);
  rig.addService('authservice', backends.authservice, 'istio-system');
  rig.sources.virtualServices.put(
    virtualService('platform', [
      { match: [{ uri: { prefix: '/dex/' } }], ...to('dex') },
      {
        match: OWN_PATHS.map((uri) => ({ uri })),
        route: [{ destination: { host: AUTHSERVICE, port: { number: 80 } } }],
      },
      to('application'),
    ]),
  );
  requireAuth(rig);
  await rig.settle();
  return rig.tlsPort();
}

function requireByPolicy({ sources }: Rig): void {
  const provider = {
    name: 'authservice',
    envoyExtAuthzHttp: {
      service: AUTHSERVICE,
      port: 80,
      timeout: '5s',
      statusOnError: '503',
      includeRequestHeadersInCheck: CHECK_HEADERS,
      headersToUpstreamOnAllow: UPSTREAM_HEADERS,
      headersToDownstreamOnDeny: DENY_HEADERS,
    },
  };
  sources.configMaps.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio', namespace: 'istio-system' },
    data: { mesh: JSON.stringify({ extensionProviders: [provider] }) },
  });
  sources.authorizationPolicies.put(
    policy('authservice', {
      selector: { matchLabels: { istio: 'ingressgateway' } },
      action: 'CUSTOM',
      provider: { name: 'authservice' },
      rules: [{ to: [{ operation: { notPaths: ['/dex/*', '/login/oidc', '/authservice/*'] } }] }],
    }),
  );
}

function filter2019(): UnknownObject {
  const httpService = {
    serverUri: { uri: `http://${AUTHSERVICE}`, cluster: `outbound|80||${AUTHSERVICE}`, timeout: '10s' },
    authorizationRequest: { allowedHeaders: { patterns: [{ exact: 'cookie' }, { exact: 'x-auth-token' }] } },
    authorizationResponse: { allowedUpstreamHeaders: { patterns: [{ exact: 'kubeflow-userid' }] } },
  };
  const filter = {
    filterName: 'envoy.ext_authz',
    filterType: 'HTTP',
    insertPosition: { index: 'FIRST' },
    listenerMatch: { listenerType: 'GATEWAY', portNumber: 443 },
    filterConfig: { httpService, statusOnError: { code: 'GatewayTimeout' } },
  };
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'authn-filter', namespace: 'istio-system' },
    spec: { workloadLabels: { istio: 'ingressgateway' }, filters: [filter] },
  };
}
