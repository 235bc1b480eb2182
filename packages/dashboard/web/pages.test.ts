/** The built pages in a real browser, against the real server and an access management stub. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { startFixture } from '../test/dashboard-fixture.ts';
import type { Fixture, FixtureOptions } from '../test/dashboard-fixture.ts';
import { createPages } from '../src/pages/page-routes.ts';

const DIST = path.join(import.meta.dirname, 'dist');
const ANN = 'ann@x.org';
const BINDINGS = [
  { user: ANN, namespace: 'ann', role: 'admin' as const },
  { user: 'ben@x.org', namespace: 'ben', role: 'admin' as const },
  { user: ANN, namespace: 'ben', role: 'edit' as const },
];
/** Set to a directory to keep pictures of every page. */
const PICTURES = process.env['KFCTL_TEST_PICTURES'];

let browser: Browser;
before(async () => {
  browser = await launchChromium();
});
after(() => browser.close());

interface Opened extends Fixture {
  readonly page: Page;
  readonly problems: string[];
}

async function open(
  t: TestContext,
  url: string,
  options: FixtureOptions & { context?: BrowserContextOptions } = {},
): Promise<Opened> {
  const fixture = await startFixture(t, {
    bindings: BINDINGS.map((one) => ({ ...one })),
    pages: createPages(DIST),
    ...options,
    // A browser has no assertion of each request; the gateway that would ask for one is not here.
    env: { IDENTITY_ASSERTION: 'off', ...options.env },
  });
  const context = await browser.newContext({ ...options.context, extraHTTPHeaders: { 'kubeflow-userid': ANN } });
  t.after(() => context.close());
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(fixture.base) && !request.url().startsWith('data:'))
      problems.push(`external request ${request.url()}`);
  });
  await page.goto(fixture.base + url);
  return { ...fixture, page, problems };
}

async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: path.join(PICTURES, `${name}.png`) });
}

test('the first page shows who is logged in, their namespaces and the platform’s health', async (t) => {
  const { page, problems } = await open(t, '/', { context: { viewport: { width: 1280, height: 800 } } });
  await page.getByRole('heading', { name: 'Welcome, ann' }).waitFor();
  assert.equal(await page.locator('#user').textContent(), ANN);
  assert.deepEqual(await page.locator('#namespaces .workspace-name').allTextContents(), ['ann', 'ben']);
  await page.getByText('2 of 3 components need attention.').waitFor();
  assert.equal(await page.getByLabel('Namespace').inputValue(), 'ann');
  await picture(page, 'home-light');
  assert.deepEqual(problems, []);
});

test('the chosen namespace is in the address and remembered', async (t) => {
  const { page, base } = await open(t, '/');
  await page.getByLabel('Namespace').selectOption('ben');
  await page.waitForURL('**/?ns=ben');
  await page.goto(`${base}/activity`);
  await page.getByText('Recent events in ben').waitFor();
});

test('works by keyboard alone', async (t) => {
  const { page } = await open(t, '/');
  await page.getByRole('heading', { name: 'Welcome, ann' }).waitFor();
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to content');
  const reached = new Set<string>();
  for (let step = 0; step < 14; step += 1) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || ''));
  }
  for (const name of ['logout', 'Home', 'Activity', 'Contributors', 'Notebooks'])
    assert.ok([...reached].includes(name), name);
});

test('fits a phone and has a dark side', async (t) => {
  const { page, problems } = await open(t, '/', {
    context: { viewport: { width: 375, height: 740 }, colorScheme: 'dark' },
  });
  await page.getByRole('heading', { name: 'Welcome, ann' }).waitFor();
  await page.locator('.component').first().waitFor();
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  assert.equal(overflow, 0);
  await picture(page, 'home-phone-dark');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('link', { name: 'Contributors' }).click();
  await page.getByRole('heading', { name: 'Contributors' }).waitFor();
  assert.deepEqual(problems, []);
});

test('every control has a name and text has contrast', async (t) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page } = await open(t, '/', { context: { colorScheme } });
    await page.locator('.component').first().waitFor();
    const nameless = await page.locator('button, a, input, select').evaluateAll((controls) =>
      controls
        .filter((control) => {
          const labels = 'labels' in control ? (control.labels as NodeListOf<Element> | null) : null;
          return (
            (control.getAttribute('aria-label') ?? control.textContent ?? '').trim() === '' &&
            (labels?.length ?? 0) === 0
          );
        })
        .map((control) => control.outerHTML),
    );
    assert.deepEqual(nameless, []);
    const ratios = await page.evaluate(contrastRatios, ['--text', '--muted', '--accent', '--good', '--warn', '--bad']);
    for (const [token, ratio] of Object.entries(ratios))
      assert.ok(ratio >= 4.5, `${token} on surface in ${colorScheme}: ${ratio}`);
  }
});

/** Runs in the page: the WCAG contrast of each token on the surface colour. */
function contrastRatios(tokens: readonly string[]): Record<string, number> {
  const luminance = (token: string): number => {
    const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const element = document.createElement('i');
    element.style.color = `var(${token})`;
    document.body.append(element);
    if (probe === null) return 0;
    probe.fillStyle = getComputedStyle(element).color;
    probe.fillRect(0, 0, 1, 1);
    element.remove();
    const [r = 0, g = 0, b = 0] = [...probe.getImageData(0, 0, 1, 1).data].map((part) => {
      const share = part / 255;
      return share <= 0.040_45 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const surface = luminance('--surface');
  return Object.fromEntries(
    tokens.map((token) => {
      const [high, low] = [luminance(token), surface].toSorted((a, b) => b - a);
      return [token, ((high ?? 0) + 0.05) / ((low ?? 0) + 0.05)];
    }),
  );
}

test('a person without a workspace makes one', async (t) => {
  const { page, kfam } = await open(t, '/', { bindings: [] });
  await page.getByRole('heading', { name: 'Create your workspace' }).waitFor();
  await picture(page, 'register');
  const field = page.getByLabel('Namespace name');
  assert.equal(await field.inputValue(), 'ann');
  await field.fill('Not Good');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByRole('alert').waitFor();
  assert.deepEqual(kfam.bindings, []);
  await field.fill('kubeflow');
  await page.getByRole('button', { name: 'Create workspace' }).click();
  await page.getByText('is reserved for the platform').waitFor();
  await field.fill('ann-lab');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Welcome, ann' }).waitFor();
  assert.deepEqual(kfam.bindings, [{ user: ANN, namespace: 'ann-lab', role: 'admin' }]);
});

test('an owner lets somebody in and out again', async (t) => {
  const { page, kfam } = await open(t, '/manage-users');
  await page.getByLabel('E-mail address of a new contributor to ann').fill('new@x.org');
  await page.getByRole('button', { name: 'Add' }).click();
  await page.getByText('new@x.org').waitFor();
  await picture(page, 'contributors');
  assert.ok(kfam.bindings.some(({ user, role }) => user === 'new@x.org' && role === 'edit'));
  await page.getByRole('button', { name: 'Remove new@x.org' }).click();
  await page.getByText('Nobody else works here.').waitFor();
});

test('logging out posts to the AuthService and follows its answer', async (t) => {
  const { page, base } = await open(t, '/');
  let method = '';
  await page.route(`${base}/logout`, (route) => {
    method = route.request().method();
    return route.fulfill({ status: 201, json: { afterLogoutURL: '/activity' } });
  });
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL('**/activity');
  assert.equal(method, 'POST');
});

test('a session that ended is said, with the way back', async (t) => {
  const { page, kfam } = await open(t, '/');
  await page.getByRole('heading', { name: 'Welcome, ann' }).waitFor();
  kfam.failure = { status: 401, text: 'no' };
  await page.reload();
  await page.getByText('Your session has ended.').waitFor();
  assert.equal(await page.getByRole('link', { name: 'Log in again' }).getAttribute('href'), '/');
});

test('a framed application is told the namespace, and only by our own origin', async (t) => {
  const { page, base } = await open(t, '/');
  const app = `<script src="/dashboard_lib.bundle.js"></script><p id="ns">none</p><script>
    centraldashboard.CentralDashboardEventHandler.init((handler, framed) => {
      handler.onNamespaceSelected = (ns) => { document.getElementById('ns').textContent = ns + ' ' + framed; };
    });
    dispatchEvent(new MessageEvent('message', { origin: 'https://evil.example', data: { type: 'namespace-selected', value: 'evil' } }));
  </script>`;
  await page.route(`${base}/jupyter/`, (route) => route.fulfill({ contentType: 'text/html', body: app }));
  await page.goto(`${base}/_/jupyter/?ns=ben`);
  await page.frameLocator('iframe').getByText('ben true').waitFor();
});
