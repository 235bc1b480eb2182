import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { CLIENT_SECRET, PASSWORD, startIdentity, USER } from '../../testkit/src/front-door/platform.ts';
import type { IdentityOptions } from '../../testkit/src/front-door/platform.ts';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';

interface Bed {
  readonly browser: Browser;
  readonly service: ServiceUnderTest;
  logIn(): Promise<void>;
}

/** The AuthService in front of our own identity provider, both below one origin. */
async function setUp(
  t: TestContext,
  identity: IdentityOptions = {},
  settings: Record<string, string> = {},
): Promise<Bed> {
  const identityPort = await startIdentity(t, identity);
  const service = await startService(t, {
    OIDC_PROVIDER: `http://127.0.0.1:${identityPort}/dex`,
    OIDC_AUTH_URL: '/dex/auth',
    REDIRECT_URL: '/login/oidc',
    CLIENT_SECRET,
    ...settings,
  });
  await untilReady(service);
  const browser = new Browser(service.port, { '/dex/': identityPort });
  const logIn = async (): Promise<void> => {
    const form = await browser.open(`${PUBLIC_ORIGIN}/`);
    await browser.open(await browser.untilCallback(await browser.submitLogin(form, USER, PASSWORD)));
  };
  return { browser, service, logIn };
}

const SESSIONS = 'sessions: {absoluteLifetime: 24h, validIfNotUsedFor: 1h}\n';

test('our own identity provider behind the same origin, with paths only', async (t) => {
  const { browser } = await setUp(t);
  const start = await browser.fetch(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.match(
    start.headers.location ?? '',
    /^\/dex\/auth\?client_id=kubeflow-authservice-oidc&redirect_uri=%2Flogin%2Foidc&response_type=code&scope=openid\+profile\+email\+groups&state=/,
  );
  const form = await browser.open(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(form.status, 200);
  const refused = await browser.submitLogin(form, USER, 'wrong');
  assert.doesNotMatch(refused.headers.location ?? '', /login\/oidc/);
  const callback = await browser.untilCallback(await browser.submitLogin(form, USER, PASSWORD));
  const page = await browser.open(callback);
  assert.equal(page.url, `${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(page.status, 200);
  assert.equal(page.headers['kubeflow-userid'], USER);
});

test('a script that follows redirects logs in, and shows the cookie in any of three ways', async (t) => {
  const { browser, service } = await setUp(t);
  // What pipeline clients send: nothing that tells a page from data.
  const script = { accept: '*/*', 'sec-fetch-mode': '', 'sec-fetch-dest': '', 'user-agent': 'python-requests/2.31' };
  const follow = async (first: Visited): Promise<Visited> => {
    let visited = first;
    for (let hops = 0; visited.status >= 300 && visited.status < 400 && hops < 10; hops += 1) {
      const next = new URL(visited.headers.location ?? '', visited.url).href;
      visited = await browser.fetch(next, { headers: script });
    }
    return visited;
  };
  const form = await follow(await browser.fetch(`${PUBLIC_ORIGIN}/pipeline/`, { headers: script }));
  const [, action = ''] = /<form[^>]*action="([^"]*)"/.exec(form.body) ?? [];
  const posted = await browser.fetch(new URL(action.replaceAll('&amp;', '&'), form.url).href, {
    method: 'POST',
    headers: { ...script, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ login: USER, password: PASSWORD }).toString(),
  });
  const end = await follow(posted);
  assert.equal(end.url, `${PUBLIC_ORIGIN}/pipeline/`);
  const token = browser.cookie('authservice_session') ?? '';
  const ways: Record<string, string>[] = [
    { cookie: `authservice_session=${token}` },
    { 'x-auth-token': token },
    { authorization: `Bearer ${token}` },
  ];
  for (const headers of ways) {
    const answer = await send({ port: service.port, path: '/pipeline/apis/v2beta1/runs', headers });
    assert.equal(answer.headers['kubeflow-userid'], USER, Object.keys(headers).join());
  }
});

for (const [fact, settings, client] of [
  ['and leads back to a login form', {}, ''],
  ['and leads where that is named', { AFTER_LOGOUT_URL: '/_/' }, ', postLogoutRedirectURIs: [/_/]'],
] as const)
  test(`a logout ends the login session of the provider too, ${fact}`, async (t) => {
    // As the manifests have it: where browsers find the provider's page is discovered.
    const { browser, logIn } = await setUp(t, { sections: SESSIONS, client }, settings);
    await logIn();
    // Without our session the provider's logs in again at once: what a logout here alone would lead to.
    browser.forget('authservice_session');
    assert.equal((await browser.open(`${PUBLIC_ORIGIN}/`)).headers['kubeflow-userid'], USER);
    const logout = await browser.fetch(`${PUBLIC_ORIGIN}/logout`, {
      method: 'POST',
      headers: { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' },
    });
    const { afterLogoutURL } = JSON.parse(logout.body) as { readonly afterLogoutURL: string };
    assert.match((await browser.open(new URL(afterLogoutURL, PUBLIC_ORIGIN).href)).url, /\/dex\/auth\/local/);
    const again = await browser.open(`${PUBLIC_ORIGIN}/`);
    assert.match(again.url, /\/dex\/auth\/local/);
    assert.match(again.body, /<form/);
  });

interface Relay {
  readonly client: string;
  /** The statuses that the provider was answered with. */
  readonly answers: number[];
  /** 503 to so many, as of a pod that starts. */
  down: number;
  target: number;
}

/** The provider is started first and has to know where to tell. */
async function startRelay(t: TestContext): Promise<Relay> {
  const relay = { client: '', answers: [] as number[], down: 0, target: 0 };
  const server = createServer((incoming, outgoing) => {
    const answer = (status: number): void => {
      relay.answers.push(status);
      outgoing.writeHead(status).end();
    };
    if (relay.down > relay.answers.length) return void incoming.resume().on('end', () => answer(503));
    const { headers, method } = incoming;
    const there = { port: relay.target, path: '/authservice/backchannel-logout', method, headers };
    incoming.pipe(request(there, ({ statusCode = 0 }) => answer(statusCode)));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return Object.assign(relay, { client: `, backchannelLogoutURI: "http://127.0.0.1:${port}/"` });
}

async function logOutThere(browser: Browser): Promise<void> {
  const logout = await browser.fetch(`${PUBLIC_ORIGIN}/dex/logout`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    body: 'logout=yes',
  });
  assert.equal(logout.status, 200, logout.body);
}

test('a logout at the provider ends our session too', async (t) => {
  const relay = await startRelay(t);
  const { browser, service, logIn } = await setUp(t, { sections: SESSIONS, client: relay.client });
  relay.target = service.port;
  await logIn();
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 200);
  await logOutThere(browser);
  assert.deepEqual(relay.answers, [204]);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 302);
});

test('a logout at the provider reaches us though we were down just then', async (t) => {
  const relay = await startRelay(t);
  const { browser, service, logIn } = await setUp(t, { sections: SESSIONS, client: relay.client });
  Object.assign(relay, { target: service.port, down: 1 });
  await logIn();
  await logOutThere(browser);
  assert.deepEqual(relay.answers, [503]);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 200);
  while ((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status !== 302) await delay(100);
  assert.deepEqual(relay.answers, [503, 204]);
});
