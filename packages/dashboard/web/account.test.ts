/** The page of sessions and tokens in a real browser, against a real AuthService. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Browser, Page, Route } from 'playwright-core';
import { Browser as Jar } from '../../authservice/test/browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from '../../authservice/test/harness.ts';
import { loginAt, startHostileProvider } from '../../authservice/test/hostile-provider.ts';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { createPages } from '../src/pages/page-routes.ts';
import { startFixture } from '../test/dashboard-fixture.ts';

const USER = 'eve@example.com';
const run = promisify(execFile);

let browser: Browser;
before(async () => void (browser = await launchChromium()));
after(() => browser.close());

interface Opened {
  readonly page: Page;
  /** Whether the AuthService lets somebody in with these headers. */
  letsIn(headers: Record<string, string>): Promise<boolean>;
  readonly otherCookie: string;
  readonly port: number;
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
  return { page, letsIn, otherCookie, port: service.port };
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
  // The button is gone: whoever cannot see the page is told, and goes on from here.
  await mine.getByRole('status').getByText(`The session of ${USER} in TestBrowser has ended.`).waitFor();
  assert.equal(await focused(page), 'Your sessions');
});

const focused = (page: Page): Promise<string> =>
  page
    .evaluate(() => document.activeElement?.getAttribute('id') ?? '')
    .then(async (id) => {
      const element = page.locator(`[id="${id}"]`);
      return id === '' ? '' : ((await element.textContent()) || id).trim();
    });

test('by keyboard: a token is made, copied, used with curl, deleted', async (t) => {
  const { page, port } = await open(t);
  const { origin } = new URL(page.url());
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin });
  const tokens = page.getByRole('region', { name: 'API tokens' });
  await tokens.getByLabel('Name').focus();
  await page.keyboard.type('nightly');
  await page.keyboard.press('Enter');
  const shown = tokens.getByLabel(/^Your new token/);
  await shown.waitFor();
  assert.equal(await focused(page), 'made-token');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await tokens.getByText('Copied.').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, await shown.inputValue());
  // As a header file: what is on a command line, others on the machine can read.
  const curl = async (): Promise<string> => {
    const args = ['-s', '-o', '/dev/null', '-w', '%{http_code} %header{kubeflow-userid}', '-H', '@-'];
    const running = run('curl', [...args, `http://127.0.0.1:${port}/pipeline/`]);
    running.child.stdin?.end(`Authorization: Bearer ${copied}\n`);
    return (await running).stdout;
  };
  assert.equal(await curl(), `200 ${USER}`);
  await tokens.getByRole('button', { name: 'Done' }).press('Enter');
  await tokens.getByRole('button', { name: 'Delete the token nightly' }).press('Enter');
  await tokens.getByText('You have no tokens.').waitFor();
  await tokens.getByRole('status').getByText('The token nightly is deleted.').waitFor();
  assert.equal(await focused(page), 'API tokens');
  assert.equal(await curl(), '401 ');
});

test('on a narrow screen rows stand by themselves, and nothing lies outside', async (t) => {
  const { page } = await open(t, { isAdmin: true });
  await page.setViewportSize({ width: 320, height: 640 });
  const tokens = page.getByRole('region', { name: 'API tokens' });
  await tokens.getByLabel('Name').fill('nightly pipeline of the fraud detection team');
  await tokens.getByLabel('Only below these paths').fill('/pipeline /notebook/team/fraud-detection-model-of-this-year');
  await tokens.getByRole('button', { name: 'Make a token' }).click();
  const row = tokens.getByRole('row', { name: /nightly/ });
  await row.waitFor();
  assert.deepEqual(await row.getByRole('cell').count(), 5);
  const room = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  assert.equal(room, 0);
  for (const name of [/^Delete the token/, /^End the session of/]) {
    const box = await page.getByRole('button', { name }).first().boundingBox();
    assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 320, String(name));
  }
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
