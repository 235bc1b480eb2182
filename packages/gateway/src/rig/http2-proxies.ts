/** Owns real proxies that the gateway speaks HTTP/2 to, in front of servers of tests: Envoy and nginx. Imported by tests only. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CleansUp } from '../../../testkit/src/front-door/cleanup.ts';
import { envoyProgram, noEnvoy } from '../../../testkit/src/front-door/envoy.ts';
import {
  freePort,
  startProgram,
  temporaryDirectory,
  untilListening,
} from '../../../testkit/src/front-door/programs.ts';

export interface Behind {
  /** gRPC over plain HTTP/2. */
  readonly grpc: number;
  /** HTTP/1.1. */
  readonly web: number;
}

/** Files of a certificate, and of the authority that clients must have theirs from. */
export interface ProxyTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientAuthority: string;
}

export interface Http2Proxy {
  readonly name: string;
  /** Why it cannot be tried here. */
  readonly skip: string | false;
  /** Its port; HTTP/2 over plain TCP, or over TLS with client certificates. */
  start(cleanup: CleansUp, behind: Behind, tls?: ProxyTls): Promise<number>;
}

const withSbin = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };
const hasNginx = spawnSync('nginx', ['-v'], { env: withSbin }).error === undefined;

export const nginxProxy: Http2Proxy = {
  name: 'nginx',
  skip: hasNginx ? false : 'no nginx on this machine (Debian: nginx-light)',
  async start(cleanup, behind, tls) {
    const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
    const file = path.join(directory, 'nginx.conf');
    await writeFile(file, renderNginx({ directory, port, behind, tls }));
    const program = startProgram(cleanup, ['nginx', '-p', directory, '-c', file, '-e', path.join(directory, 'log')]);
    await untilListening(port, program);
    return port;
  },
};

interface Nginx {
  readonly directory: string;
  readonly port: number;
  readonly behind: Behind;
  readonly tls: ProxyTls | undefined;
}

/** `http2` stands with `listen`: so older versions take it too. */
function renderNginx({ directory, port, behind, tls }: Nginx): string {
  const secure = tls
    ? `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};
    ssl_client_certificate ${tls.clientAuthority}; ssl_verify_client on;`
    : '';
  return `daemon off; master_process off; pid ${directory}/pid;
events { worker_connections 128; }
http {
  access_log off;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  client_max_body_size 0;
  server {
    listen 127.0.0.1:${port}${tls ? ' ssl' : ''} http2;
    ${secure}
    location /nginx.Echo/ { grpc_pass grpc://127.0.0.1:${behind.grpc}; }
    location / { proxy_pass http://127.0.0.1:${behind.web}; proxy_http_version 1.1; proxy_request_buffering off; }
  }
}
`;
}

export const envoyProxy: Http2Proxy = {
  name: 'envoy',
  skip: noEnvoy,
  async start(cleanup, behind, tls) {
    const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
    const file = path.join(directory, 'envoy.json');
    await writeFile(file, JSON.stringify(envoyBootstrap({ port, behind, tls, codec: 'HTTP2', filters: [] })));
    return runEnvoy(cleanup, file, port);
  },
};

/** What Istio's gateways have before their routes: HTTP/1.1 or HTTP/2 from clients, grpc-web translated. */
export const envoyGrpcWeb: Http2Proxy = {
  name: 'envoy, grpc_web',
  skip: noEnvoy,
  async start(cleanup, behind) {
    const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
    const file = path.join(directory, 'envoy.json');
    const filter = {
      name: 'envoy.filters.http.grpc_web',
      typed_config: { '@type': `${TYPE}.filters.http.grpc_web.v3.GrpcWeb` },
    };
    await writeFile(file, JSON.stringify(envoyBootstrap({ port, behind, codec: 'AUTO', filters: [filter] })));
    return runEnvoy(cleanup, file, port);
  },
};

export interface RetriedRoute {
  readonly prefix: string;
  /** As Istio's pilot renders a VirtualService's retries. */
  readonly retryPolicy: object;
}

/** An Envoy whose routes lead to one HTTP/1.1 server, each with its own policy of retries. */
export async function startRetryingEnvoy(
  cleanup: CleansUp,
  web: number,
  routes: readonly RetriedRoute[],
): Promise<number> {
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(directory, 'envoy.json');
  const rendered = routes.map(({ prefix, retryPolicy }) => ({
    match: { prefix },
    route: { cluster: 'web', timeout: '0s', retry_policy: retryPolicy },
  }));
  const bootstrap = envoyBootstrap({ port, behind: { grpc: 1, web }, codec: 'AUTO', filters: [], routes: rendered });
  await writeFile(file, JSON.stringify(bootstrap));
  return runEnvoy(cleanup, file, port);
}

async function runEnvoy(cleanup: CleansUp, file: string, port: number): Promise<number> {
  const flags = ['--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'error'];
  const program = startProgram(cleanup, [envoyProgram, '-c', file, ...flags]);
  await untilListening(port, program);
  return port;
}

const TYPE = 'type.googleapis.com/envoy.extensions';
const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });

interface EnvoySettings {
  readonly port: number;
  readonly behind: Behind;
  readonly tls?: ProxyTls | undefined;
  readonly codec: 'HTTP2' | 'AUTO';
  /** Before the router. */
  readonly filters: readonly object[];
  /** Before the usual ones. */
  readonly routes?: readonly object[];
}

function envoyBootstrap({ port, behind, tls, codec, filters: before, routes = [] }: EnvoySettings): object {
  const manager = {
    '@type': `${TYPE}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    stat_prefix: 'peer',
    codec_type: codec,
    route_config: {
      virtual_hosts: [
        {
          name: 'all',
          domains: ['*'],
          routes: [
            ...routes,
            ...['/envoy.Echo/', '/web.Echo/'].map((prefix) => ({
              match: { prefix },
              route: { cluster: 'grpc', timeout: '0s' },
            })),
            { match: { prefix: '/' }, route: { cluster: 'web', timeout: '0s' } },
          ],
        },
      ],
    },
    http_filters: [
      ...before,
      { name: 'envoy.filters.http.router', typed_config: { '@type': `${TYPE}.filters.http.router.v3.Router` } },
    ],
  };
  const filters = [{ name: 'envoy.filters.network.http_connection_manager', typed_config: manager }];
  const chain = tls === undefined ? { filters } : { filters, transport_socket: envoyTls(tls) };
  return {
    static_resources: {
      listeners: [{ name: 'peer', address: address(port), filter_chains: [chain] }],
      clusters: [envoyCluster('grpc', behind.grpc), envoyCluster('web', behind.web)],
    },
  };
}

function envoyTls({ certificate, key, clientAuthority }: ProxyTls): object {
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': `${TYPE}.transport_sockets.tls.v3.DownstreamTlsContext`,
      require_client_certificate: true,
      common_tls_context: {
        alpn_protocols: ['h2'],
        tls_certificates: [{ certificate_chain: { filename: certificate }, private_key: { filename: key } }],
        validation_context: { trusted_ca: { filename: clientAuthority } },
      },
    },
  };
}

function envoyCluster(name: string, port: number): object {
  const protocol = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const http2 = { '@type': `type.googleapis.com/${protocol}`, explicit_http_config: { http2_protocol_options: {} } };
  const endpoints = [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }];
  const options = name === 'grpc' ? { typed_extension_protocol_options: { [protocol]: http2 } } : {};
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints }, ...options };
}
