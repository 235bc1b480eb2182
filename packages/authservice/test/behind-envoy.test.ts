import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import { freePort, handshake, startUpstream, untilListening } from './upstream.ts';

const ENVOY = process.env['KFCTL_ENVOY'] ?? 'envoy';
const skip = spawnSync(ENVOY, ['--version']).error === undefined ? false : 'no envoy on this machine (set KFCTL_ENVOY)';

const exact = (name: string): object => ({ exact: name });

/** What Istio makes of extensionProviders.envoyExtAuthzHttp in the manifests. */
function httpFilter(): object {
  return {
    http_service: {
      server_uri: { uri: 'http://authservice', cluster: 'authservice', timeout: '5s' },
      authorization_response: {
        allowed_upstream_headers: { patterns: ['kubeflow-userid', 'kubeflow-groups', 'cookie'].map(exact) },
        allowed_client_headers: {
          patterns: ['content-type', 'location', 'set-cookie', 'www-authenticate', 'cache-control'].map(exact),
        },
      },
    },
    allowed_headers: {
      patterns: [
        'authorization',
        'cookie',
        'accept',
        'origin',
        'referer',
        'upgrade',
        'content-type',
        'x-auth-token',
        'x-requested-with',
        'sec-fetch-mode',
        'sec-fetch-dest',
        'sec-fetch-site',
      ].map(exact),
    },
  };
}

const grpcFilter = (): object => ({
  grpc_service: { envoy_grpc: { cluster_name: 'authservice-grpc' }, timeout: '5s' },
});

interface Ports {
  readonly envoy: number;
  readonly authservice: number;
  readonly grpc: number;
  readonly upstream: number;
}

function envoyConfig(ports: Ports, filter: object): object {
  const cluster = (name: string, port: number, http2 = false): object => ({
    name,
    type: 'STATIC',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] },
      ],
    },
    ...(http2
      ? {
          typed_extension_protocol_options: {
            'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
              '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        }
      : {}),
  });
  return {
    static_resources: {
      listeners: [
        {
          name: 'gateway',
          address: { socket_address: { address: '127.0.0.1', port_value: ports.envoy } },
          filter_chains: [
            {
              filters: [
                {
                  name: 'envoy.filters.network.http_connection_manager',
                  typed_config: {
                    '@type':
                      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
                    stat_prefix: 'gateway',
                    upgrade_configs: [{ upgrade_type: 'websocket' }],
                    normalize_path: true,
                    merge_slashes: true,
                    path_with_escaped_slashes_action: 'REJECT_REQUEST',
                    common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' },
                    route_config: {
                      virtual_hosts: [
                        {
                          name: 'all',
                          domains: ['*'],
                          routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }],
                        },
                      ],
                    },
                    http_filters: [
                      {
                        name: 'envoy.filters.http.ext_authz',
                        typed_config: {
                          '@type': 'type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz',
                          transport_api_version: 'V3',
                          failure_mode_allow: false,
                          status_on_error: { code: 503 },
                          ...filter,
                        },
                      },
                      {
                        name: 'envoy.filters.http.router',
                        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        cluster('upstream', ports.upstream),
        cluster('authservice', ports.authservice),
        cluster('authservice-grpc', ports.grpc, true),
      ],
    },
  };
}

async function startEnvoy(t: TestContext, ports: Ports, filter: object): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'authservice-envoy-'));
  const file = path.join(directory, 'envoy.json');
  await writeFile(file, JSON.stringify(envoyConfig(ports, filter)));
  const flags = ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'error'];
  const child = spawn(ENVOY, flags, { stdio: 'ignore', cwd: directory });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  });
  await untilListening(ports.envoy);
}

for (const [name, filter] of [
  ['HTTP', httpFilter()],
  ['gRPC', grpcFilter()],
] as const) {
  test(
    `behind Envoy's ext_authz over ${name}: login, identity, WebSocket, 401 for programs, logout`,
    { skip },
    async (t) => {
      const provider = await startHostileProvider(t);
      const service = await startService(t, { OIDC_PROVIDER: provider.issuer, GRPC_PORT: String(await freePort()) });
      await untilReady(service);
      const upstream = await startUpstream(t);
      const envoy = await freePort();
      await startEnvoy(
        t,
        { envoy, authservice: service.port, grpc: service.grpcPort ?? 0, upstream: upstream.port },
        filter,
      );
      const browser = new Browser(envoy);
      const forged = { 'kubeflow-userid': 'root@example.com', 'kubeflow-groups': 'admins' };

      for (const headers of [
        { accept: 'application/json' },
        { 'sec-fetch-mode': 'cors' },
        { accept: 'application/json', ...forged },
      ] as Record<string, string>[]) {
        const answer = await send({ port: envoy, path: '/pipeline/', headers });
        assert.equal(answer.status, 401, JSON.stringify(headers));
        assert.equal(answer.headers['www-authenticate'], 'Bearer realm="kubeflow"');
      }
      assert.equal((await send({ port: envoy, path: '/pipeline/', method: 'OPTIONS' })).status, 401);
      assert.match(await handshake(envoy, '/jupyter/ws', {}), / 401 /);
      assert.equal(upstream.seen.length, 0);

      assert.equal((await send({ port: envoy, path: '/dex/auth', headers: forged })).status, 200);
      assert.equal(upstream.seen.at(-1)?.headers['kubeflow-userid'], undefined);
      assert.equal(upstream.seen.at(-1)?.headers['kubeflow-groups'], undefined);

      const back = await loginAt(provider, browser);
      assert.equal(back.status, 302, back.body);
      assert.equal(back.headers.location, '/page');
      assert.equal(back.cookies.length, 2);
      const page = await browser.fetch(`${PUBLIC_ORIGIN}/page?x=1`, { headers: forged });
      assert.equal(page.body, 'upstream');
      const seen = upstream.seen.at(-1);
      assert.equal(seen?.url, '/page?x=1');
      assert.equal(seen.headers['kubeflow-userid'], 'eve@example.com');
      assert.equal(seen.headers['kubeflow-groups'], undefined);
      assert.equal(seen.headers.cookie, undefined);

      const cookie = `_xsrf=1; authservice_session=${browser.cookie('authservice_session')}; theme=dark`;
      assert.match(await handshake(envoy, '/jupyter/ws', { cookie }), / 101 /);
      assert.equal(upstream.seen.at(-1)?.headers['kubeflow-userid'], 'eve@example.com');
      assert.equal(upstream.seen.at(-1)?.headers.cookie, '_xsrf=1; theme=dark');

      const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, {
        method: 'POST',
        headers: {
          accept: 'application/json',
          'sec-fetch-mode': 'cors',
          origin: PUBLIC_ORIGIN,
          'sec-fetch-site': 'same-origin',
        },
      });
      assert.equal(logout.status, 201);
      assert.deepEqual(JSON.parse(logout.body), { afterLogoutURL: '/' });
      assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 302);
      await service.stop();
      assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 503);
    },
  );
}
