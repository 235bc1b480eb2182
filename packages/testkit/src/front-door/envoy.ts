/** Owns a real Envoy as a data plane, configured as Istio renders either form, or asking over gRPC. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Backends, DataPlane } from './data-plane.ts';
import { CHECK_HEADERS, DENY_HEADERS, UPSTREAM_HEADERS } from './ext-authz-headers.ts';
import { freePort, startProgram, temporaryDirectory, untilListening } from './programs.ts';
import type { CleansUp } from './cleanup.ts';

const script = path.join(import.meta.dirname, '../../../../scripts/front-door-program.sh');
const found = spawnSync('bash', [script, 'envoy'], { encoding: 'utf8' });
export const envoyProgram: string = found.stdout.trim();
export const noEnvoy: string | false = found.status === 0 ? false : found.stderr.trim() || 'no envoy';

const TYPE = 'type.googleapis.com/envoy.extensions.filters';
const patterns = (names: readonly string[]): object => ({ patterns: names.map((exact) => ({ exact })) });

/** Where the AuthService answers by itself: requests that are routed to it, of which it need not be asked first. */
const OWN_PATHS = [{ path: '/login/oidc' }, { path: '/logout' }, { prefix: '/authservice/' }] as const;

/** AuthorizationPolicy CUSTOM with `notPaths: [/dex/*, /login/oidc, /authservice/*]`, asking over HTTP. */
export function filtersToday(): readonly object[] {
  return askAboutMarked({
    http_service: {
      server_uri: { uri: 'http://authservice', cluster: 'authservice', timeout: '5s' },
      authorization_response: {
        allowed_upstream_headers: patterns(UPSTREAM_HEADERS),
        allowed_client_headers: patterns(DENY_HEADERS),
      },
    },
    allowed_headers: patterns(CHECK_HEADERS),
  });
}

/** The same policy with `envoyExtAuthzGrpc`. */
export function filtersGrpc(): readonly object[] {
  return askAboutMarked({ grpc_service: { envoy_grpc: { cluster_name: 'grpc' }, timeout: '5s' } });
}

/** As Istio renders such a policy: an RBAC filter marks what matches, ext_authz asks about the marked. */
function askAboutMarked(how: object): readonly object[] {
  const unasked = [{ prefix: '/dex/' }, { exact: '/login/oidc' }, { prefix: '/authservice/' }];
  const rules = unasked.map((path) => ({ not_rule: { url_path: { path } } }));
  const policy = { permissions: [{ and_rules: { rules } }], principals: [{ any: true }] };
  return [
    {
      name: 'envoy.filters.http.rbac',
      typed_config: {
        '@type': `${TYPE}.http.rbac.v3.RBAC`,
        shadow_rules: { action: 'DENY', policies: { 'istio-ext-authz-ns[istio-system]-policy[authservice]': policy } },
        shadow_rules_stat_prefix: 'istio_ext_authz_',
      },
    },
    extAuthz({
      status_on_error: { code: 503 },
      filter_enabled_metadata: {
        filter: 'envoy.filters.http.rbac',
        path: [{ key: 'istio_ext_authz_shadow_effective_policy_id' }],
        value: { string_match: { prefix: 'istio-ext-authz' } },
      },
      ...how,
    }),
  ];
}

/** The filter of Kubeflow 0.7 to 1.6, in today's names of its fields; `copied`: what it takes of the answer. */
export function filters2019(copied: readonly string[] = ['kubeflow-userid']): readonly object[] {
  return [
    extAuthz({
      status_on_error: { code: 504 },
      http_service: {
        server_uri: { uri: 'http://authservice', cluster: 'authservice', timeout: '10s' },
        authorization_response: { allowed_upstream_headers: patterns(copied) },
      },
      allowed_headers: patterns(['cookie', 'x-auth-token']),
    }),
  ];
}

function extAuthz(more: object): object {
  const config = { '@type': `${TYPE}.http.ext_authz.v3.ExtAuthz`, transport_api_version: 'V3' };
  return { name: 'envoy.filters.http.ext_authz', typed_config: { ...config, failure_mode_allow: false, ...more } };
}

const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });

function cluster(name: string, port: number): object {
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }];
  const protocol = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const http2 = { '@type': `type.googleapis.com/${protocol}`, explicit_http_config: { http2_protocol_options: {} } };
  const options = name === 'grpc' ? { typed_extension_protocol_options: { [protocol]: http2 } } : {};
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints }, ...options };
}

function bootstrap(port: number, backends: Backends, filters: readonly object[]): object {
  const router = {
    name: 'envoy.filters.http.router',
    typed_config: { '@type': `${TYPE}.http.router.v3.Router` },
  };
  const routes = [
    { match: { prefix: '/dex/' }, route: { cluster: 'identity' } },
    ...OWN_PATHS.map((match) => ({ match, route: { cluster: 'authservice' } })),
    { match: { prefix: '/' }, route: { cluster: 'application' } },
  ];
  const manager = {
    '@type': `${TYPE}.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'gateway',
    upgrade_configs: [{ upgrade_type: 'websocket' }],
    normalize_path: true,
    merge_slashes: true,
    path_with_escaped_slashes_action: 'REJECT_REQUEST',
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [...filters, router],
  };
  const filter = { name: 'envoy.filters.network.http_connection_manager', typed_config: manager };
  return {
    static_resources: {
      listeners: [{ name: 'gateway', address: address(port), filter_chains: [{ filters: [filter] }] }],
      clusters: Object.entries(backends).map(([name, backend]: [string, number]) => cluster(name, backend)),
    },
  };
}

export async function startEnvoy(cleanup: CleansUp, backends: Backends, filters: readonly object[]): Promise<number> {
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(directory, 'envoy.json');
  await writeFile(file, JSON.stringify(bootstrap(port, backends, filters)));
  const flags = ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'error'];
  const program = startProgram(cleanup, [envoyProgram, '-c', file, ...flags]);
  await untilListening(port, program);
  return port;
}

export const envoyToday: DataPlane = {
  name: 'Envoy, extensionProviders',
  skip: noEnvoy,
  tls: false,
  tellsProgramsFromPages: true,
  hidesSession: true,
  provesIdentity: true,
  reachesAccount: true,
  start: (cleanup, backends) => startEnvoy(cleanup, backends, filtersToday()),
};

export const envoyGrpc: DataPlane = {
  ...envoyToday,
  name: 'Envoy, asking over gRPC',
  asksOverGrpc: true,
  start: (cleanup, backends) => startEnvoy(cleanup, backends, filtersGrpc()),
};

export const envoy2019: DataPlane = {
  name: 'Envoy, EnvoyFilter of 2019',
  skip: noEnvoy,
  tls: false,
  tellsProgramsFromPages: false,
  hidesSession: false,
  provesIdentity: false,
  reachesAccount: false,
  start: (cleanup, backends) => startEnvoy(cleanup, backends, filters2019()),
};
