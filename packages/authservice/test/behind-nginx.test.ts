import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApplication } from '../../testkit/src/front-door/application.ts';
import { handshake } from '../../testkit/src/front-door/handshake.ts';
import { nginx } from '../../testkit/src/front-door/nginx.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

const { skip } = nginx;

test('behind nginx: login, identity, WebSocket, 401 for programs, logout', { skip }, async (t) => {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, VERIFY_METHOD_HEADER: 'x-original-method' });
  await untilReady(service);
  const application = await startApplication(t);
  const backends = { identity: application.port, authservice: service.port, application: application.port };
  const port = await nginx.start(t, backends);
  const browser = new Browser(port);

  for (const headers of [
    { accept: 'application/json' },
    { upgrade: 'websocket', connection: 'upgrade' },
    { 'kubeflow-userid': 'root', accept: 'application/json' },
  ] as Record<string, string>[]) {
    const { status } = await send({ port, path: '/pipeline/', headers });
    assert.equal(status, 401, JSON.stringify(headers));
  }
  assert.equal((await send({ port, path: '/pipeline/', method: 'OPTIONS' })).status, 401);
  assert.equal((await send({ port, path: '/pipeline/', method: 'POST', body: 'x' })).status, 401);
  assert.equal(application.seen.length, 0);

  provider.answers.claims = { groups: ['a'] };
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
  assert.equal(page.body, 'application');
  const [seen] = application.seen;
  assert.equal(seen?.url, '/page?x=1');
  assert.equal(seen.headers['kubeflow-userid'], 'eve@example.com');
  assert.equal(seen.headers['kubeflow-groups'], 'a');
  assert.equal(seen.headers['kubeflow_userid'], undefined);
  assert.equal(seen.headers.cookie, undefined);

  const cookie = `authservice_session=${browser.cookie('authservice_session')}`;
  assert.match(await handshake(port, '/jupyter/ws', { cookie }), /^HTTP\/1\.1 101/);
  assert.equal(application.seen.at(-1)?.headers['kubeflow-userid'], 'eve@example.com');

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
