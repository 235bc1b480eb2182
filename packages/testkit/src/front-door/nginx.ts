/** Owns a real nginx with auth_request as a data plane: the configuration of `docs/guides/behind-envoy-nginx-traefik.md`. */
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Backends, DataPlane } from './data-plane.ts';
import { freePort, startProgram, temporaryDirectory, untilListening } from './programs.ts';
import type { CleansUp } from './cleanup.ts';

const installed = spawnSync('nginx', ['-v'], { env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` } });

export const nginx: DataPlane = {
  name: 'nginx, auth_request',
  skip: installed.error === undefined ? false : 'no nginx on this machine (Debian: nginx-light)',
  tls: false,
  tellsProgramsFromPages: true,
  hidesSession: true,
  provesIdentity: true,
  reachesAccount: true,
  start,
};

async function start(cleanup: CleansUp, backends: Backends): Promise<number> {
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(directory, 'nginx.conf');
  await writeFile(file, render(directory, port, backends));
  const program = startProgram(cleanup, ['nginx', '-p', directory, '-c', file, '-e', path.join(directory, 'log')]);
  await untilListening(port, program);
  return port;
}

function render(directory: string, port: number, backends: Backends): string {
  const authservice = `http://127.0.0.1:${backends.authservice}`;
  return `daemon off; master_process off; pid ${directory}/pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  underscores_in_headers off;
  absolute_redirect off;
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${port};
    location = /_check {
      internal;
      proxy_pass ${authservice}/authservice/verify$request_uri;
      proxy_pass_request_body off;
      proxy_set_header content-length "";
      proxy_set_header host $http_host;
      proxy_set_header upgrade $http_upgrade;
      proxy_set_header x-original-method $request_method;
    }
    location = /login/oidc { proxy_pass ${authservice}; proxy_set_header host $http_host; }
    location = /logout { proxy_pass ${authservice}; proxy_set_header host $http_host; }
    location /authservice/ { proxy_pass ${authservice}; proxy_set_header host $http_host; }
    location /dex/ { proxy_pass http://127.0.0.1:${backends.identity}; proxy_set_header host $http_host; }
    location @login {
      add_header set-cookie $auth_set_cookie always;
      if ($auth_location) { return 302 $auth_location; }
      return 401;
    }
    location / {
      auth_request /_check;
      auth_request_set $auth_user $upstream_http_kubeflow_userid;
      auth_request_set $auth_groups $upstream_http_kubeflow_groups;
      auth_request_set $auth_assertion $upstream_http_kubeflow_assertion;
      auth_request_set $auth_cookie $upstream_http_cookie;
      auth_request_set $auth_authorization $upstream_http_authorization;
      auth_request_set $auth_token $upstream_http_x_auth_token;
      auth_request_set $auth_location $upstream_http_location;
      auth_request_set $auth_set_cookie $upstream_http_set_cookie;
      error_page 401 = @login;
      proxy_pass http://127.0.0.1:${backends.application};
      proxy_http_version 1.1;
      proxy_set_header upgrade $http_upgrade;
      proxy_set_header connection $connection_header;
      proxy_set_header kubeflow-userid $auth_user;
      proxy_set_header kubeflow-groups $auth_groups;
      proxy_set_header kubeflow-assertion $auth_assertion;
      proxy_set_header cookie $auth_cookie;
      proxy_set_header authorization $auth_authorization;
      proxy_set_header x-auth-token $auth_token;
    }
  }
}
`;
}
