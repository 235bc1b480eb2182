import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import { freePort, handshake, startUpstream, untilListening } from './upstream.ts';

/** The configuration of the guide: identity from the check, the session taken off, a page sent to the login that its 401 names. */
function nginxConfig(directory: string, ports: { nginx: number; authservice: number; upstream: number }): string {
  const identity = `
      proxy_set_header kubeflow-userid $auth_user;
      proxy_set_header kubeflow-groups $auth_groups;
      proxy_set_header cookie $auth_cookie;`;
  return `daemon off; worker_processes 1; pid ${directory}/pid; error_log ${directory}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${directory}/b; proxy_temp_path ${directory}/p; fastcgi_temp_path ${directory}/f;
  uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  underscores_in_headers off;
  map $http_upgrade $connection_header { default upgrade; "" ""; }
  server {
    listen 127.0.0.1:${ports.nginx};
    location = /_check {
      internal;
      proxy_pass http://127.0.0.1:${ports.authservice}/authservice/verify$request_uri;
      proxy_pass_request_body off;
      proxy_set_header content-length "";
      proxy_set_header host $http_host;
      proxy_set_header upgrade $http_upgrade;
      proxy_set_header x-original-method $request_method;
    }
    location = /login/oidc { proxy_pass http://127.0.0.1:${ports.authservice}; proxy_set_header host $http_host; }
    location = /logout { proxy_pass http://127.0.0.1:${ports.authservice}; proxy_set_header host $http_host; }
    location @login {
      add_header set-cookie $auth_set_cookie always;
      if ($auth_location) { return 302 $auth_location; }
      return 401;
    }
    location / {
      auth_request /_check;
      auth_request_set $auth_user $upstream_http_kubeflow_userid;
      auth_request_set $auth_groups $upstream_http_kubeflow_groups;
      auth_request_set $auth_cookie $upstream_http_cookie;
      auth_request_set $auth_location $upstream_http_location;
      auth_request_set $auth_set_cookie $upstream_http_set_cookie;
      error_page 401 = @login;
      proxy_pass http://127.0.0.1:${ports.upstream};
      proxy_http_version 1.1;
      proxy_set_header upgrade $http_upgrade;
      proxy_set_header connection $connection_header;${identity}
    }
  }
}
`;
}

async function startNginx(t: TestContext, authservice: number, upstream: number): Promise<number> {
  const directory = await mkdtemp(path.join(tmpdir(), 'authservice-nginx-'));
  const nginx = await freePort();
  await writeFile(path.join(directory, 'nginx.conf'), nginxConfig(directory, { nginx, authservice, upstream }));
  const child = spawn('nginx', ['-p', directory, '-c', path.join(directory, 'nginx.conf')], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  t.after(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  });
  await untilListening(nginx);
  return nginx;
}

test('behind nginx: login, identity, WebSocket, 401 for programs, logout', async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, VERIFY_METHOD_HEADER: 'x-original-method' });
  await untilReady(service);
  const upstream = await startUpstream(t);
  const nginx = await startNginx(t, service.port, upstream.port);
  const browser = new Browser(nginx);

  for (const headers of [
    { accept: 'application/json' },
    { upgrade: 'websocket', connection: 'upgrade' },
    { 'kubeflow-userid': 'root', accept: 'application/json' },
  ] as Record<string, string>[]) {
    const { status } = await send({ port: nginx, path: '/pipeline/', headers });
    assert.equal(status, 401, JSON.stringify(headers));
  }
  assert.equal((await send({ port: nginx, path: '/pipeline/', method: 'OPTIONS' })).status, 401);
  assert.equal((await send({ port: nginx, path: '/pipeline/', method: 'POST', body: 'x' })).status, 401);
  assert.equal(upstream.seen.length, 0);

  const back = await loginAt(provider, browser);
  assert.equal(back.status, 302, back.body);
  assert.equal(back.headers.location, '/page');
  const page = await browser.fetch(`${PUBLIC_ORIGIN}/page?x=1`, {
    headers: {
      'kubeflow-userid': 'root@example.com',
      'kubeflow-groups': 'admins',
      Kubeflow_Userid: 'root@example.com',
    },
  });
  assert.equal(page.body, 'upstream');
  const [{ headers, url } = { headers: {} as IncomingHttpHeaders, url: '' }] = upstream.seen;
  assert.equal(url, '/page?x=1');
  assert.equal(headers['kubeflow-userid'], 'eve@example.com');
  assert.equal(headers['kubeflow-groups'], undefined);
  assert.equal(headers['kubeflow_userid'], undefined);
  assert.equal(headers.cookie, undefined);

  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  assert.match(await handshake(nginx, '/jupyter/ws', { cookie }), /^HTTP\/1\.1 101/);
  assert.equal(upstream.seen.at(-1)?.headers['kubeflow-userid'], 'eve@example.com');

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
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 302);
  await service.stop();
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 500);
});
