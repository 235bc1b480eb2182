import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Secret } from '@kfctl/core';
import { ASSERTION_HEADER, createAssertions } from '@kfctl/oidc';
import { Client, PAGE, PROGRAM } from './client.ts';
import { startApplication } from '../../packages/testkit/src/front-door/application.ts';
import type { Application, Seen } from '../../packages/testkit/src/front-door/application.ts';
import { Cleanup } from '../../packages/testkit/src/front-door/cleanup.ts';
import type { DataPlane } from '../../packages/testkit/src/front-door/data-plane.ts';
import { envoy2019, envoyGrpc, envoyToday } from '../../packages/testkit/src/front-door/envoy.ts';
import { nginx } from '../../packages/testkit/src/front-door/nginx.ts';
import {
  ASSERTION_KEY,
  startAuthService,
  startIdentity,
  USER,
} from '../../packages/testkit/src/front-door/platform.ts';
import type { AuthServiceProcess } from '../../packages/testkit/src/front-door/platform.ts';
import { freePort } from '../../packages/testkit/src/front-door/programs.ts';
import { traefik } from '../../packages/testkit/src/front-door/traefik.ts';
import { gateway2019, gatewayToday } from './our-gateway.ts';

/** All that an application could take for who somebody is, whatever dialect of header names it speaks. */
function identities({ rawHeaders }: Seen): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 && /^kubeflow[-_.]?(userid|groups)/i.test(name)
      ? [`${name.toLowerCase()}: ${rawHeaders[index + 1]}`]
      : [],
  );
}

/** What the dashboard asks of every request: that the AuthService said so of this very one. */
function isProven({ url, method, rawHeaders }: Seen): boolean {
  const valueOf = (wanted: string): string =>
    rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === wanted).join(', ');
  const { isGenuine } = createAssertions([new Secret(ASSERTION_KEY)]);
  const [path = ''] = url.split('?');
  const claim = { method, path, userId: valueOf('kubeflow-userid'), groups: valueOf('kubeflow-groups') };
  return isGenuine(valueOf(ASSERTION_HEADER), claim, Date.now());
}

function cookiesOf({ rawHeaders }: Seen): string {
  return rawHeaders.filter((_, index) => rawHeaders[index - 1]?.toLowerCase() === 'cookie').join('; ');
}

/** Ways to say that one is somebody else. */
const FORGERIES: readonly Record<string, string | string[]>[] = [
  { 'kubeflow-userid': 'root@example.com', 'kubeflow-groups': 'admins' },
  { 'KubeFlow-UserID': 'root@example.com', 'KUBEFLOW-GROUPS': 'admins' },
  { kubeflow_userid: 'root@example.com', kubeflow_groups: 'admins' },
  { Kubeflow_Userid: 'root@example.com', 'kubeflow-userid': 'root@example.com' },
  { 'kubeflow-userid': ['root@example.com', 'eve@example.com'] },
  { 'kubeflow-userid': 'root@example.com, eve@example.com' },
  { connection: 'close, kubeflow-userid', 'kubeflow-userid': 'root@example.com' },
  { 'x-envoy-auth-headers-to-remove': 'kubeflow-userid', 'kubeflow-userid': 'root@example.com' },
];

let identity = 0;
const shared = new Cleanup();
before(async () => void (identity = await startIdentity(shared)));
after(() => shared.run());

describe('the front door', { concurrency: 3 }, () => {
  for (const plane of [gatewayToday, gateway2019, envoyToday, envoyGrpc, envoy2019, nginx, traefik]) {
    describe(`behind ${plane.name}`, { skip: plane.skip, concurrency: 1 }, () => suite(plane));
  }
});

function suite(plane: DataPlane): void {
  const cleanup = new Cleanup();
  let authservice: AuthServiceProcess;
  let application: Application;
  let port = 0;
  const newClient = (): Client => new Client({ port, tls: plane.tls });
  let client: Client;
  before(async () => {
    const grpc = plane.asksOverGrpc === true ? { grpc: await freePort() } : {};
    const settings = { ...plane.settings, ...(grpc.grpc === undefined ? {} : { GRPC_PORT: String(grpc.grpc) }) };
    [authservice, application] = await Promise.all([
      startAuthService(cleanup, identity, settings),
      startApplication(cleanup),
    ]);
    const backends = { identity, authservice: authservice.port, application: application.port, ...grpc };
    port = await plane.start(cleanup, backends);
    client = newClient();
  });
  after(() => cleanup.run());

  test('nobody gets nothing: pages are led to the login, programs are told 401', async () => {
    const stranger = newClient();
    const page = await stranger.ask('/pipeline/?x=1');
    assert.equal(page.status, 302);
    assert.match(page.headers.location ?? '', /^\/dex\/auth\?client_id=/);
    const program = await stranger.ask('/pipeline/', { headers: PROGRAM });
    assert.equal(program.status, plane.tellsProgramsFromPages ? 401 : 302);
    for (const method of ['OPTIONS', 'POST', 'DELETE', 'PROPFIND']) {
      assert.equal((await stranger.ask('/pipeline/', { method })).status, 401, method);
    }
    for (const forged of FORGERIES) {
      const { status } = await stranger.ask('/pipeline/', { headers: { ...PROGRAM, ...forged } });
      assert.ok(status >= 300 && status < 500, `${status} for ${JSON.stringify(forged)}`);
    }
    assert.equal((await stranger.webSocket('/jupyter/ws')).status, plane.tellsProgramsFromPages ? 401 : 302);
    for (const path of ['/dex/../pipeline/', '/dex/%2e%2e/pipeline/', '/open/..%2fpipeline/', '/dexter', '/openly']) {
      const { status } = await stranger.ask(path);
      assert.ok(status >= 300 && status < 500, `${status} for ${path}`);
    }
    assert.deepEqual(application.seen, []);
  });

  test('what a client says of where its request went means nothing', async () => {
    const lies = { 'x-forwarded-method': 'GET', 'x-forwarded-uri': '/open/', 'x-original-uri': '/open/' };
    const more = { 'x-original-url': '/open/', 'x-rewrite-url': '/open/', 'x-original-method': 'GET' };
    for (const path of ['/pipeline/', '/authservice/forward-auth', '/authservice/verify/open/']) {
      const { status } = await newClient().ask(path, { headers: { ...PROGRAM, ...lies, ...more } });
      assert.notEqual(status, 200, path);
    }
    assert.deepEqual(application.seen, []);
  });

  test('a path without login passes as nobody', async () => {
    for (const forged of FORGERIES) {
      const { status } = await newClient().ask('/open/', { headers: { ...PAGE, ...forged } });
      assert.ok(status === 200 || status === 400, String(status));
    }
    assert.deepEqual(application.seen.flatMap(identities), []);
  });

  test('a login ends at the page that was asked for', async () => {
    const page = await client.logIn('/pipeline/runs/?sort=a%20b&filter=%7B%7D');
    assert.equal(page.body, 'application');
    assert.equal(page.path, '/pipeline/runs/?sort=a%20b&filter=%7B%7D');
    const seen = application.seen.at(-1);
    assert.equal(seen?.url, '/pipeline/runs/?sort=a%20b&filter=%7B%7D');
    assert.deepEqual(identities(seen), [`kubeflow-userid: ${USER}`]);
  });

  test('what a client says of its identity never arrives', async () => {
    let passed = 0;
    for (const forged of FORGERIES) {
      const before = application.seen.length;
      const { status } = await client.ask('/app', { headers: { ...PROGRAM, ...forged } });
      if (status === 200) passed += 1;
      else assert.equal(status, 400);
      for (const seen of application.seen.slice(before)) {
        assert.deepEqual(identities(seen), [`kubeflow-userid: ${USER}`], JSON.stringify(forged));
      }
    }
    assert.ok(passed > 0);
  });

  test('with a session, WebSockets and OPTIONS arrive as somebody', async () => {
    assert.equal((await client.webSocket('/jupyter/ws')).status, 101);
    assert.deepEqual(identities(application.seen.at(-1) ?? fail()), [`kubeflow-userid: ${USER}`]);
    assert.equal((await client.ask('/app', { method: 'OPTIONS', headers: PROGRAM })).status, 200);
    assert.deepEqual(identities(application.seen.at(-1) ?? fail()), [`kubeflow-userid: ${USER}`]);
  });

  test(`each request is ${plane.provesIdentity ? 'proven' : 'not proven'} to be this person's`, async () => {
    const forged = { [ASSERTION_HEADER]: `v1.9999999999.${'A'.repeat(43)}` };
    const asks = [
      ['/api/x', {}],
      ['/api/y%20z/?q=1&r=%2F', { headers: { ...PAGE, ...forged } }],
      ['/api/x', { method: 'POST', headers: PROGRAM, body: '{}' }],
    ] as const;
    for (const [path, ask] of asks) {
      assert.equal((await client.ask(path, ask)).status, 200);
      assert.equal(isProven(application.seen.at(-1) ?? fail()), plane.provesIdentity, path);
    }
    await client.webSocket('/jupyter/ws');
    assert.equal(isProven(application.seen.at(-1) ?? fail()), plane.provesIdentity);
  });

  const cookieFact = plane.hidesSession ? 'the session stays at the door' : 'the session reaches applications';
  test(`${cookieFact}, other cookies pass`, async () => {
    const session = client.cookie('authservice_session') ?? '';
    assert.notEqual(session, '');
    await client.ask('/app', { headers: { ...PAGE, cookie: `theme=dark; authservice_session=${session}; _xsrf=1` } });
    const cookies = cookiesOf(application.seen.at(-1) ?? fail());
    assert.match(cookies, /theme=dark/);
    assert.match(cookies, /_xsrf=1/);
    assert.equal(cookies.includes(session), !plane.hidesSession);
  });

  const accountFact = plane.reachesAccount ? 'works until it is revoked, and stays at the door' : 'cannot be made';
  test(`an API token ${accountFact}`, async () => {
    const origin = `http${plane.tls ? 's' : ''}://gateway.example.com`;
    const headers = { ...PROGRAM, origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'ci' });
    const made = await client.ask('/authservice/api/tokens', { method: 'POST', headers, body });
    assert.equal(made.status, plane.reachesAccount ? 201 : 415, made.body);
    if (!plane.reachesAccount) return;
    const { id, token } = JSON.parse(made.body) as { readonly id: string; readonly token: string };
    const useToken = (more: Record<string, string>): ReturnType<Client['ask']> =>
      newClient().ask('/app', { headers: { accept: 'application/json', ...more } });
    for (const name of ['authorization', 'x-auth-token']) {
      assert.equal((await useToken({ [name]: `${name === 'authorization' ? 'Bearer ' : ''}${token}` })).status, 200);
      const seen = application.seen.at(-1) ?? fail();
      assert.deepEqual(identities(seen), [`kubeflow-userid: ${USER}`]);
      assert.equal(seen.rawHeaders.join('\n').includes(token), false, name);
    }
    // What is the application's own passes.
    await client.ask('/app', { headers: { ...PROGRAM, authorization: 'Bearer of-the-application' } });
    assert.equal(application.seen.at(-1)?.headers.authorization, 'Bearer of-the-application');
    const gone = await client.ask(`/authservice/api/tokens/${id}`, { method: 'DELETE', headers });
    assert.equal(gone.status, 204);
    assert.equal((await useToken({ authorization: `Bearer ${token}` })).status, 401);
  });

  test('a logout ends the session, also for who kept the cookie', async () => {
    const cookie = `authservice_session=${client.cookie('authservice_session')}`;
    const origin = `http${plane.tls ? 's' : ''}://gateway.example.com`;
    const headers = { ...PROGRAM, origin, 'sec-fetch-site': 'same-origin' };
    const logout = await client.ask('/logout', { method: 'POST', headers });
    assert.equal(logout.status, 201);
    // On to the provider's own logout, on the same origin.
    const { afterLogoutURL } = JSON.parse(logout.body) as { readonly afterLogoutURL: string };
    assert.match(afterLogoutURL, /^\/dex\/logout\?client_id=kubeflow-authservice-oidc&id_token_hint=/);
    const before = application.seen.length;
    assert.equal((await client.ask('/app')).status, 302);
    assert.equal((await client.ask('/app', { headers: { ...PAGE, cookie } })).status, 302);
    assert.equal(application.seen.length, before);
  });

  test('without the AuthService nobody passes, and it says 5xx', async () => {
    const page = await client.logIn('/app');
    assert.equal(page.body, 'application');
    await authservice.kill();
    const before = application.seen.length;
    for (const path of ['/app', '/open/', '/logout']) {
      for (const someone of [client, newClient()]) {
        const { status } = await someone.ask(path);
        assert.ok(status >= 500, `${status} for ${path}`);
      }
    }
    assert.equal(application.seen.length, before);
  });
}

function fail(): never {
  throw new assert.AssertionError({ message: 'the application got nothing' });
}
