import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, startProvider, startService, untilReady } from './harness.ts';
import type { ProviderUnderTest, ServiceUnderTest } from './harness.ts';

describe('logins that go other ways than they began', () => {
  const cleanUp: (() => unknown)[] = [];
  let provider: ProviderUnderTest;
  let service: ServiceUnderTest;

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startProvider(context);
    for (const name of ['ann', 'bob']) provider.accounts.set(name, { email: `${name}@example.com` });
    service = await startService(context, { OIDC_PROVIDER: provider.issuer });
    await untilReady(service);
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });

  const openBrowser = (): Browser => new Browser(service.port);
  const whoIs = async (browser: Browser): Promise<unknown> =>
    (await browser.fetch(`${PUBLIC_ORIGIN}/`)).headers['kubeflow-userid'];

  test('an attacker cannot log a victim in as the attacker', async () => {
    const attacker = openBrowser();
    const victim = openBrowser();
    const callback = await attacker.loginUpToCallback('/', 'bob');
    const answer = await victim.fetch(callback);
    assert.equal(answer.status, 400);
    assert.equal(await whoIs(victim), undefined);
    // Nor with a flow of the victim's own that is under way.
    await victim.fetch(`${PUBLIC_ORIGIN}/`);
    assert.equal((await victim.fetch(callback)).status, 400);
    // The attempt did not use the attacker's flow up, which shows that the browser was what was missing.
    assert.equal((await attacker.fetch(callback)).status, 302);
  });

  test("a sibling host cannot plant the attacker's login", async () => {
    const attacker = openBrowser();
    const callback = await attacker.loginUpToCallback('/', 'bob');
    const name = attacker.cookieNames().find((candidate) => candidate.startsWith('__Host-as_flow_')) ?? '';
    // Browsers let no other host set a cookie of this prefix, whatever its case; this is what one can set.
    for (const planted of [
      name.replace('__Host-', ''),
      name.replace('__Host-', '__Secure-'),
      name.replace('__Host-', '__host-'),
    ]) {
      const headers = { cookie: `${planted}=${attacker.cookie(name)}` };
      assert.equal((await openBrowser().fetch(callback, { headers })).status, 400, planted);
    }
    assert.equal((await attacker.fetch(callback)).status, 302);
  });

  test("an attacker's code does not work in a victim's flow", async () => {
    const attacker = openBrowser();
    const victim = openBrowser();
    const stolen = new URL(await attacker.loginUpToCallback('/', 'bob'));
    const own = new URL(await victim.loginUpToCallback('/', 'ann'));
    own.searchParams.set('code', stolen.searchParams.get('code') ?? '');
    assert.equal((await victim.fetch(own.href)).status, 400);
    assert.equal(await whoIs(victim), undefined);
  });

  test('a callback works once', async () => {
    const browser = openBrowser();
    const callback = await browser.loginUpToCallback('/page', 'ann');
    const copy = openBrowser();
    for (const [host, jar] of browser.cookies) copy.cookies.set(host, new Map(jar));
    assert.equal((await browser.fetch(callback)).status, 302);
    // Loading the page again, logged in, leads to the platform.
    const again = await browser.fetch(callback);
    assert.equal(again.status, 302);
    assert.equal(again.headers.location, '/');
    // Whoever kept state and cookie meets the provider's refusal of a used code.
    assert.equal((await copy.fetch(callback)).status, 400);
    assert.equal(await whoIs(copy), undefined);
  });

  test('a planted second flow cookie does not choose', async () => {
    const browser = openBrowser();
    const callback = await browser.loginUpToCallback('/', 'ann');
    const name = browser.cookieNames().find((candidate) => candidate.startsWith('__Host-as_flow_')) ?? '';
    const answer = await browser.fetch(callback, {
      headers: { cookie: `${name}=${'A'.repeat(22)}; ${name}=${browser.cookie(name)}` },
    });
    assert.equal(answer.status, 400);
  });

  test('answers without state, with several, or with garbage are refused', async () => {
    const browser = openBrowser();
    const good = new URL(await browser.loginUpToCallback('/', 'ann'));
    const state = good.searchParams.get('state') ?? '';
    const code = good.searchParams.get('code') ?? '';
    for (const query of [
      '',
      'code=x',
      `code=${code}`,
      `state=&code=${code}`,
      `state=${state.slice(0, -2)}&code=${code}`,
      `state=${state}x&code=${code}`,
      `state=${state}&state=${state}&code=${code}`,
      `state=${state.split('.')[0]}.&code=${code}`,
      `state=${'A'.repeat(10_000)}&code=${code}`,
      'state=__proto__&code=x',
    ]) {
      const answer = await browser.fetch(`${PUBLIC_ORIGIN}/login/oidc?${query}`);
      assert.equal(answer.status, 400, query);
      assert.doesNotMatch(answer.body, /__proto__|AAAA/);
    }
    assert.equal((await browser.fetch(good.href, { method: 'POST', body: '' })).status, 405);
    assert.equal((await browser.fetch(good.href)).status, 302);
  });

  test('several codes are refused and use the flow up', async () => {
    const browser = openBrowser();
    const callback = await browser.loginUpToCallback('/', 'ann');
    assert.equal((await browser.fetch(`${callback}&code=other`)).status, 400);
    assert.equal((await browser.fetch(callback)).status, 400);
  });

  test('a hundred tabs at once all end logged in at their own page', async () => {
    const browser = openBrowser();
    const pages = Array.from({ length: 100 }, (_, index) => `/notebook/ns-${index}/?tab=${index}`);
    const starts = await Promise.all(pages.map((page) => browser.fetch(PUBLIC_ORIGIN + page)));
    const form = await browser.open(starts[0]?.headers.location ?? '');
    const first = await browser.untilCallback(await browser.submitLogin(form, 'ann'));
    const callbacks = await Promise.all(starts.slice(1).map((start) => browser.untilCallback(start)));
    const ends = await Promise.all([first, ...callbacks].map((callback) => browser.open(callback)));
    assert.deepEqual(
      ends.map(({ url, status }) => `${status} ${url}`),
      pages.map((page) => `200 ${PUBLIC_ORIGIN}${page}`),
    );
    assert.equal(
      ends.every(({ headers }) => headers['kubeflow-userid'] === 'ann@example.com'),
      true,
    );
    assert.deepEqual(browser.cookieNames(), ['authservice_session']);
  });

  test('a login gives a new session and ends the one before', async () => {
    const browser = openBrowser();
    await browser.login('/', 'ann');
    const before = browser.cookie('authservice_session') ?? '';
    const other = openBrowser();
    const callback = await other.loginUpToCallback('/', 'bob');
    // Bob logs in where Ann's session still is: hers ends at once.
    const answer = await other.fetch(callback, {
      headers: {
        cookie: [
          `authservice_session=${before}`,
          ...other.cookieNames().map((name) => `${name}=${other.cookie(name)}`),
        ].join('; '),
      },
    });
    assert.equal(answer.status, 302);
    assert.notEqual(other.cookie('authservice_session'), before);
    assert.equal(await whoIs(other), 'bob@example.com');
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).status, 302);
  });

  test('a session that a stranger chose is not taken over', async () => {
    const browser = openBrowser();
    const planted = 'P'.repeat(59);
    browser.cookies.set(new URL(PUBLIC_ORIGIN).host, new Map([['authservice_session', planted]]));
    await browser.login('/', 'ann');
    assert.notEqual(browser.cookie('authservice_session'), planted);
    const stranger = openBrowser();
    stranger.cookies.set(new URL(PUBLIC_ORIGIN).host, new Map([['authservice_session', planted]]));
    assert.equal(await whoIs(stranger), undefined);
  });

  test('a login never leads to another site', async () => {
    for (const path of [
      '//evil.example/',
      '/%09/evil.example',
      '/\\evil.example',
      '/.//evil.example',
      '/%5cevil.example',
      '/%2f%2fevil.example',
      '/;@evil.example//',
    ]) {
      const browser = openBrowser();
      const start = await browser.fetch(PUBLIC_ORIGIN, { headers: { host: 'kubeflow.test' } });
      assert.equal(start.status, 302);
      const raw = await import('./harness.ts').then(({ send }) => send({ port: service.port, path }));
      assert.equal(raw.status, 302, path);
      const [pair = ''] = raw.cookies[0]?.split(';') ?? [];
      const [name = '', value = ''] = pair.split('=');
      browser.cookies.get('kubeflow.test')?.set(name, value);
      const form = await browser.open(raw.headers.location ?? '');
      const callback = await browser.untilCallback(await browser.submitLogin(form, 'ann'));
      assert.equal((await browser.fetch(callback)).headers.location, '/', path);
    }
  });
});
