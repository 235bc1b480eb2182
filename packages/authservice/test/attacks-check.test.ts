import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSessionTokens } from '@kfctl/oidc';
import { Secret, systemRandom } from '@kfctl/core';
import { Browser } from './browser.ts';
import { CLIENT_ID, PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { RawResponse, ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

describe('requests that try to pass the check', () => {
  const cleanUp: (() => unknown)[] = [];
  let service: ServiceUnderTest;
  let provider: HostileProvider;
  let session = '';
  let otherSession = '';

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startHostileProvider(context);
    service = await startService(context, { OIDC_PROVIDER: provider.issuer, SKIP_AUTH_URI: '/dex /public' });
    await untilReady(service);
    const login = async (): Promise<string> => {
      const browser = new Browser(service.port);
      await loginAt(provider, browser);
      return browser.cookie('authservice_session') ?? '';
    };
    session = await login();
    otherSession = await login();
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });

  const ask = (
    path: string,
    headers: Readonly<Record<string, string | string[]>> = {},
    method = 'GET',
  ): Promise<RawResponse> => send({ port: service.port, path, method, headers });
  const cookie = (value: string): Record<string, string> => ({ cookie: `authservice_session=${value}` });

  test('with a session every method passes as the same person, and no other identity with it', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']) {
      const { status, headers } = await ask(
        '/pipeline/',
        { ...cookie(session), 'kubeflow-userid': 'root@example.com' },
        method,
      );
      assert.equal(status, 200, method);
      assert.equal(headers['kubeflow-userid'], 'eve@example.com');
      assert.match(
        String(headers['x-envoy-auth-headers-to-remove']),
        /kubeflow_userid,kubeflow_groups,kubeflow_assertion,kubeflow-groups/,
      );
    }
  });

  test('without a session no method passes, OPTIONS with any Origin included', async () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'GET', 'QUERY']) {
      for (const more of [
        {},
        { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
        { 'x-http-method-override': 'OPTIONS' },
        { 'user-agent': 'kube-probe/1.32' },
      ]) {
        const { status, headers } = await ask('/pipeline/', more, method);
        assert.ok(status === 401 || (status === 302 && (method === 'GET' || method === 'HEAD')), `${method} ${status}`);
        assert.equal(headers['kubeflow-userid'], undefined);
        assert.equal(headers['access-control-allow-origin'], undefined);
        if (status === 401) assert.equal(headers['www-authenticate'], 'Bearer realm="kubeflow"');
      }
    }
  });

  test('requests of programs get 401, never a login page', async () => {
    for (const headers of [
      { accept: 'application/json' },
      { 'x-requested-with': 'XMLHttpRequest' },
      { 'sec-fetch-mode': 'cors', accept: '*/*' },
      { upgrade: 'websocket', 'sec-websocket-key': 'x', 'sec-fetch-mode': 'websocket' },
      { connection: 'Upgrade', upgrade: 'websocket' },
      { 'content-type': 'application/grpc' },
      { authorization: `Bearer ${'x'.repeat(59)}` },
    ] as Record<string, string>[]) {
      const answer = await ask('/jupyter/api/kernels', headers);
      assert.equal(answer.status, 401, JSON.stringify(headers));
      assert.equal(answer.headers.location, undefined);
      assert.deepEqual(answer.cookies, []);
    }
  });

  test('exempt paths pass as nobody, whatever the client claims', async () => {
    for (const headers of [{}, { 'kubeflow-userid': 'root@example.com' }, cookie(session)] as Record<
      string,
      string
    >[]) {
      const { status, headers: answered } = await ask('/dex/auth?x=1', headers);
      assert.equal(status, 200);
      assert.equal(answered['kubeflow-userid'], undefined);
      assert.equal(
        answered['x-envoy-auth-headers-to-remove'],
        'kubeflow-userid,kubeflow-groups,kubeflow-assertion,kubeflow_userid,kubeflow_groups,kubeflow_assertion',
      );
    }
  });

  test('no spelling of a path reaches beyond an exempt one', async () => {
    for (const path of [
      '/dexter',
      '/DEX/auth',
      '/dex/../pipeline/',
      '/dex/..',
      '/dex/%2e%2e/pipeline/',
      '/dex/%2E%2E%2Fpipeline',
      '/dex/..%2fpipeline',
      '/dex/..%5cpipeline',
      '/dex/..\\pipeline',
      '/dex/..;/pipeline',
      '/dex;x/../pipeline',
      '/dex/.;/../pipeline',
      '/dex//../pipeline',
      '//dex/auth',
      '/./dex/auth',
      '/dex/%00',
      '/dex/%c0%ae%c0%ae/pipeline',
      '/dex/%252e%252e/pipeline',
      '/dex%2f..%2fpipeline',
      '/%64ex/auth',
      '/dex./auth',
      '/pipeline?/dex/',
      '/pipeline#/dex/',
      '/dex/a%23/../../pipeline',
      '?/dex/auth',
      'dex/auth',
      'http://kubeflow.test/dex/auth',
      '//kubeflow.test/dex/auth',
      '*',
      '/public%20',
      '/public/..%00/',
    ]) {
      const { status } = await ask(path);
      assert.ok(status === 302 || status === 400, `${path} got ${status}`);
      if (!path.startsWith('/')) continue;
      const verdict = await ask(`/authservice/verify${path}`);
      assert.ok(verdict.status === 401 || verdict.status === 400, `verify ${path} got ${verdict.status}`);
    }
  });

  test('our own routes are exact: what resembles one is checked like any path', async () => {
    for (const path of [
      '/logout/',
      '/logout/x',
      '/logoutx',
      '/login/oidc/',
      '/login/oidc/../../pipeline',
      '/authservice/verifyx',
      '/authservice',
      '/authservice/',
      '/authservice/x',
      '/authservice/../pipeline',
      '/authservice/logout/../../pipeline',
      '/authservice/logout;x',
      '/authservice/%6cogout',
      '/authservice%2flogout',
      '//logout',
      '/logout%00',
      '/logout%23',
      '/login/oidc;x?code=c&state=s',
      '/login%2foidc?code=c&state=s',
      '/login//oidc?code=c&state=s',
      '/authservice//verify/dex/auth',
      '/authservice/./verify/dex/auth',
      '/authservice/backchannel-logout/',
      '/AUTHSERVICE/verify/dex/auth',
    ]) {
      assert.equal((await ask(path)).status, 302, path);
    }
    for (const path of [
      '/authservice/verify/',
      '/authservice/verify/x',
      '/authservice/verify/../../pipeline',
      '/authservice/verify',
    ]) {
      for (const method of ['GET', 'POST', 'OPTIONS', 'DELETE'])
        assert.equal((await ask(path, {}, method)).status, 401, path);
    }
  });

  test('headers about the original request change nothing', async () => {
    for (const name of [
      'x-forwarded-uri',
      'x-original-url',
      'x-original-uri',
      'x-rewrite-url',
      'x-envoy-original-path',
      'x-forwarded-prefix',
    ]) {
      assert.equal((await ask('/pipeline/', { [name]: '/dex/auth' })).status, 302, name);
    }
    assert.equal(
      (await ask('/pipeline/', { 'x-forwarded-method': 'OPTIONS', 'x-forwarded-for': '127.0.0.1' })).status,
      302,
    );
  });

  test('a session that is none does not pass', async () => {
    const foreign = createSessionTokens({ secrets: [new Secret('f'.repeat(44))], random: systemRandom }).create();
    const genuine = createSessionTokens({ secrets: [new Secret('k'.repeat(44))], random: systemRandom }).create();
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: provider.issuer, aud: CLIENT_ID, sub: 's', email: 'eve@example.com', exp: now + 60 };
    const idToken = provider.answers.idToken(claims);
    assert.equal((await ask('/', { authorization: `Bearer ${idToken}` })).status, 200);
    const flipped = `${session.startsWith('A') ? 'B' : 'A'}${session.slice(1)}`;
    for (const value of [
      '',
      'x',
      foreign,
      genuine,
      flipped,
      `${session}x`,
      session.slice(0, -1),
      session.toUpperCase(),
      `"${session}"`,
      encodeURIComponent(`${session}=`),
      '../../etc',
      '__proto__',
      'constructor',
      // Another token of this very person, which is good as a bearer.
      idToken,
    ]) {
      assert.equal((await ask('/', cookie(value))).status, 302, value);
      if (value !== idToken) assert.equal((await ask('/', { authorization: `Bearer ${value}` })).status, 401, value);
      assert.notEqual((await ask('/', { 'x-auth-token': value })).status, 200, value);
    }
  });

  test('credentials of another scheme are not taken for ours', async () => {
    const basic = Buffer.from(`${session}:x`).toString('base64');
    for (const authorization of [
      `Basic ${basic}`,
      `Basic ${session}`,
      `Digest ${session}`,
      `Bearer ${session} x`,
      'Bearer',
    ])
      assert.equal((await ask('/', { authorization })).status, 401, authorization);
    // They are the application's own and change nothing about the session beside them.
    const both = await ask('/', { ...cookie(session), authorization: `Basic ${basic}` });
    assert.equal(both.headers['kubeflow-userid'], 'eve@example.com');
  });

  test('two sessions at once are none', async () => {
    const both = { cookie: `authservice_session=${session}; authservice_session=${otherSession}` };
    assert.equal((await ask('/', both)).status, 302);
    const twice = { cookie: `authservice_session=${session}; authservice_session=${session}` };
    assert.equal((await ask('/', twice)).status, 200);
    const planted = { cookie: `authservice_session=planted; authservice_session=${session}` };
    assert.equal((await ask('/', planted)).headers['kubeflow-userid'], 'eve@example.com');
  });

  test('the session never reaches an upstream', async () => {
    const alone = await ask('/', cookie(session));
    assert.match(String(alone.headers['x-envoy-auth-headers-to-remove']), /(^|,)cookie(,|$)/);
    const among = await ask('/', {
      cookie: `_xsrf=1; authservice_session=${session}; as_flow_x=y; __Host-as_flow_z=y; theme=dark`,
    });
    assert.equal(among.headers['cookie'], '_xsrf=1; theme=dark');
    assert.doesNotMatch(String(among.headers['x-envoy-auth-headers-to-remove']), /(^|,)cookie(,|$)/);
    for (const headers of [{ authorization: `Bearer ${session}` }, { 'x-auth-token': session }] as Record<
      string,
      string
    >[]) {
      const { status, headers: answered } = await ask('/', headers);
      assert.equal(status, 200);
      assert.match(String(answered['x-envoy-auth-headers-to-remove']), /authorization,x-auth-token/);
    }
    const own = await ask('/', { ...cookie(session), authorization: 'Bearer of-the-application' });
    assert.doesNotMatch(String(own.headers['x-envoy-auth-headers-to-remove']), /authorization/);
  });

  test('verify answers yes or no', async () => {
    const yes = await ask('/authservice/verify/pipeline/', cookie(session));
    assert.equal(yes.status, 204);
    assert.equal(yes.headers['kubeflow-userid'], 'eve@example.com');
    const no = await ask('/authservice/verify/pipeline/', { accept: 'application/json' });
    assert.equal(no.status, 401);
    assert.deepEqual(no.cookies, []);
    assert.equal(no.headers.location, undefined);
    // Nobody was named who states the method: no login is begun.
    const page = await ask('/authservice/verify/pipeline/?x=1', { 'x-original-method': 'GET' });
    assert.equal(page.status, 401);
    assert.deepEqual(page.cookies, []);
    assert.equal((await ask('/authservice/verify/dex/auth')).status, 204);
    assert.equal((await ask('/authservice/verify/dex/../x')).status, 401);
  });

  test('oversized cookies and many headers are refused or judged, never passed', async () => {
    const big = `x=${'y'.repeat(60_000)}`;
    assert.equal((await ask('/', { cookie: big })).status, 302);
    assert.equal((await ask('/', { cookie: `${big}; authservice_session=${session}` })).status, 200);
    assert.equal((await ask('/', { cookie: `x=${'y'.repeat(120_000)}` })).status, 431);
  });

  test('a body is not taken for a second request', async () => {
    const socket = connect(service.port, '127.0.0.1');
    socket.write(`POST /pipeline HTTP/1.1\r\nhost: x\r\ncontent-length: 30\r\n\r\nGET /dex/auth HTTP/1.1\r\n`);
    let text = '';
    socket.on('data', (chunk) => (text += chunk.toString()));
    await once(socket, 'close');
    assert.match(text, /^HTTP\/1\.1 401/);
    assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
  });

  test('requests that contradict themselves are refused', async () => {
    for (const request of [
      'GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcde',
      'GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n',
      `GET / HTTP/1.1\r\nhost: x\r\ncookie : authservice_session=${session}\r\n\r\n`,
      'GET /dex/auth\u0000 HTTP/1.1\r\nhost: x\r\n\r\n',
      'options /pipeline HTTP/1.1\r\nhost: x\r\n\r\n',
      'get /pipeline HTTP/1.1\r\nhost: x\r\n\r\n',
      'GET /pipeline HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n',
      'GET  /pipeline HTTP/1.1\r\nhost: x\r\n\r\n',
    ]) {
      const socket = connect(service.port, '127.0.0.1');
      socket.end(request);
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', () => undefined);
      await once(socket, 'close');
      assert.doesNotMatch(text, /^HTTP\/1\.1 2/, JSON.stringify(request));
    }
  });

  test('unauthenticated requests leave nothing behind, however many', async () => {
    const browser = new Browser(service.port);
    for (let index = 0; index < 300; index += 1) await browser.fetch(`${PUBLIC_ORIGIN}/page-${index}`);
    assert.equal(browser.cookieNames().length, 110);
    const line = browser
      .cookieNames()
      .map((name) => `${name}=${browser.cookie(name)}`)
      .join('; ');
    assert.ok(line.length < 8_000, `${line.length} characters`);
    const database = new DatabaseSync(service.env['SESSION_STORE_PATH'] ?? '', { readOnly: true });
    const kept = database.prepare('SELECT count(*) AS sessions FROM session').get();
    database.close();
    assert.equal(kept?.['sessions'], 2);
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`, { headers: { 'sec-fetch-mode': 'cors' } })).status, 401);
  });
});
