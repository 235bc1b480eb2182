/** Owns the nginx that a gateway is measured against: one process, keep-alive to its upstreams, no log. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { freePort, startProgram, temporaryDirectory, untilListening } from '../../testkit/src/front-door/programs.ts';
import { testCredential } from '../src/rig/objects.ts';

export interface Nginx {
  readonly pid: number;
  /** Plain HTTP. */
  readonly port: number;
  readonly tlsPort: number;
}

/** A server of 1 KiB. */
export function startApplication(cleanup: Cleanup): Promise<Nginx> {
  const big = 'location = /big { root BIG; }';
  return start(cleanup, '', `location / { return 200 "${'x'.repeat(1_024)}"; } ${big}`);
}

/** A proxy, with auth_request where there is an AuthService. */
export function startProxy(cleanup: Cleanup, application: number, authservice?: number): Promise<Nginx> {
  const keepAlive = 'proxy_http_version 1.1; proxy_set_header connection "";';
  const upstream = (name: string, port: number): string =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 64; keepalive_requests 1000000; }\n`;
  const check = `
    location = /_check {
      internal; ${keepAlive}
      proxy_pass http://authservice/authservice/verify$request_uri;
      proxy_pass_request_body off; proxy_set_header content-length ""; proxy_set_header x-original-method $request_method;
    }`;
  const ask = `auth_request /_check;
      auth_request_set $auth_user $upstream_http_kubeflow_userid;
      auth_request_set $auth_cookie $upstream_http_cookie;
      proxy_set_header kubeflow-userid $auth_user; proxy_set_header cookie $auth_cookie;`;
  const upstreams =
    upstream('application', application) + (authservice === undefined ? '' : upstream('authservice', authservice));
  const location = `location / { ${authservice === undefined ? '' : ask} ${keepAlive} proxy_pass http://application; }`;
  return start(cleanup, upstreams, (authservice === undefined ? '' : check) + location);
}

async function start(cleanup: Cleanup, upstreams: string, locations: string): Promise<Nginx> {
  const [port, tlsPort, directory] = [await freePort(), await freePort(), await temporaryDirectory(cleanup)];
  await writeFile(path.join(directory, 'big'), Buffer.alloc(1_048_576, 'x'));
  const { data = {} } = await testCredential('gateway.example.com');
  for (const name of ['tls.crt', 'tls.key'])
    await writeFile(path.join(directory, name), Buffer.from(data[name] ?? '', 'base64'));
  const file = path.join(directory, 'nginx.conf');
  await writeFile(
    file,
    `daemon off; master_process off; pid ${directory}/pid;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  ${upstreams}
  server {
    listen 127.0.0.1:${port}; listen 127.0.0.1:${tlsPort} ssl http2;
    ssl_certificate ${directory}/tls.crt; ssl_certificate_key ${directory}/tls.key;
    ${locations.replace('BIG', directory)}
  }
}
`,
  );
  const program = startProgram(cleanup, ['nginx', '-p', directory, '-c', file, '-e', path.join(directory, 'log')]);
  await untilListening(port, program);
  return { pid: program.pid, port, tlsPort };
}
