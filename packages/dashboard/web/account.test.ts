/** The page of sessions and tokens in a real browser, against a real AuthService. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Browser, Page, Route } from 'playwright-core';
import { Browser as Jar } from '../../authservice/test/browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from '../../authservice/test/harness.ts';
import { loginAt, startHostileProvider } from '../../authservice/test/hostile-provider.ts';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { createPages } from '../src/pages/page-routes.ts';
import { startFixture } from '../test/dashboard-fixture.ts';

const USER = 'eve@example.com';

let browser: Browser;
before(async () => void (browser = await launchChromium()));
after(() => browser.close());

interface Opened {
  readonly page: Page;
  /** Whether the AuthService lets somebody in with these headers. */
  letsIn(headers: Record<string, string>): Promise<boolean>;
  readonly otherCookie: string;
}

/** The page of somebody who is logged in here and in one other browser. */
async function open(t: TestContext, { isAdmin = false }: { readonly isAdmin?: boolean } = {}): Promise<Opened> {
  const provider = await startHostileProvider(t);
  const env = isAdmin ? { ADMINISTRATORS: USER } : {};
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, ...env });
  await untilReady(service);
  const login = async (): Promise<string> => {
    const jar = new Jar(service.port);
    await loginAt(provider, jar);
    return `authservice_session=${jar.cookie('authservice_session')}`;
  };
  const [cookie, otherCookie] = [await login(), await login()];
  const pages = createPages(path.join(import.meta.dirname, 'dist'));
  const bindings = [{ user: USER, namespace: 'eve', role: 'admin' as const }];
  const { base, kfam } = await startFixture(t, { bindings, pages, env: { IDENTITY_ASSERTION: 'off' } });
  if (isAdmin) kfam.admins.add(USER);
  const context = await browser.newContext({ extraHTTPHeaders: { 'kubeflow-userid': USER } });
  t.after(() => context.close());
  const page = await context.newPage();
  // What a gateway does with the AuthService's own paths.
  await page.route(`${base}/authservice/**`, async (route: Route) => {
    const request = route.request();
    const { pathname, search } = new URL(request.url());
    const body = request.postData();
    const { host } = new URL(PUBLIC_ORIGIN);
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const headers = { host, cookie, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json', ...length };
    const asked = { port: service.port, path: pathname + search, method: request.method(), headers };
    const answer = await send({ ...asked, ...(body === null ? {} : { body }) });
    const contentType = answer.headers['content-type'];
    await route.fulfill({
      status: answer.status,
      body: answer.body,
      ...(contentType === undefined ? {} : { contentType }),
    });
  });
  await page.goto(`${base}/`);
  await page.getByRole('link', { name: 'Sessions and tokens' }).click();
  await page.getByRole('heading', { name: 'Sessions and tokens' }).waitFor();
  const letsIn = async (headers: Record<string, string>): Promise<boolean> =>
    (await send({ port: service.port, path: '/', headers: { ...headers, accept: 'application/json' } })).status === 200;
  return { page, letsIn, otherCookie };
}

test('a person sees where they are logged in, and ends a session elsewhere', async (t) => {
  const { page, letsIn, otherCookie } = await open(t);
  const mine = page.getByRole('region', { name: 'Your sessions' });
  await mine.getByText('This browser').waitFor();
  assert.equal(await mine.locator('tbody tr').count(), 2);
  assert.equal(await letsIn({ cookie: otherCookie }), true);
  assert.equal(await page.getByRole('region', { name: 'Everybody’s sessions' }).count(), 0);
  await mine.getByRole('button', { name: /^End the session of / }).click();
  await mine.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
  assert.equal(await letsIn({ cookie: otherCookie }), false);
  await mine.getByText('This browser').waitFor();
});

test('a person makes a token that is limited, sees it once, and deletes it', async (t) => {
  const { page, letsIn } = await open(t);
  const tokens = page.getByRole('region', { name: 'API tokens' });
  await tokens.getByText('You have no tokens.').waitFor();
  await tokens.getByLabel('Name').fill('nightly');
  await tokens.getByLabel('Only below these paths').fill('../x');
  await tokens.getByRole('button', { name: 'Make a token' }).click();
  await tokens
    .getByRole('alert')
    .getByText(/paths must be plain paths/)
    .waitFor();
  await tokens.getByLabel('Only below these paths').fill('');
  await tokens.getByLabel('Ends after').selectOption('7');
  await tokens.getByRole('button', { name: 'Make a token' }).click();
  const shown = tokens.getByLabel(/^Your new token/);
  await shown.waitFor();
  const headers = { authorization: `Bearer ${await shown.inputValue()}` };
  assert.equal(await letsIn(headers), true);
  const row = tokens.getByRole('row', { name: /nightly/ });
  assert.match((await row.textContent()) ?? '', /Reading/);
  await tokens.getByRole('button', { name: 'Done' }).click();
  assert.equal(await shown.count(), 0);
  await tokens.getByRole('button', { name: 'Delete the token nightly' }).click();
  await tokens.getByText('You have no tokens.').waitFor();
  assert.equal(await letsIn(headers), false);
});

test('an administrator sees and ends everybody’s sessions', async (t) => {
  const { page, letsIn, otherCookie } = await open(t, { isAdmin: true });
  const all = page.getByRole('region', { name: 'Everybody’s sessions' });
  await all.getByText('This browser').waitFor();
  await all.getByRole('button', { name: `End the session of ${USER} in TestBrowser` }).click();
  await all.locator('tbody tr').nth(1).waitFor({ state: 'detached' });
  assert.equal(await letsIn({ cookie: otherCookie }), false);
});
