/** The login page in a real browser, against the real provider. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { authUrl, startTestIdentity } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const options = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' };

let browser: Browser;
let identity: TestIdentity;
before(async () => {
  if (options.skip !== undefined) return;
  [browser, identity] = [await launchChromium(), await startTestIdentity()];
});
after(async () => {
  await browser?.close();
  await identity?.stop();
});

interface Opened {
  readonly page: Page;
  /** Errors of the page and requests to anywhere else. */
  readonly problems: string[];
}

async function open(t: TestContext, context: BrowserContextOptions = {}): Promise<Opened> {
  const opened = await browser.newContext(context);
  t.after(() => opened.close());
  const page = await opened.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(identity.origin)) problems.push(request.url());
  });
  await page.goto(identity.origin + authUrl());
  return { page, problems };
}

const focused = (page: Page): Promise<string> => page.evaluate('document.activeElement.id');

test('a person logs in with the keyboard alone', options, async (t) => {
  const { page, problems } = await open(t);
  assert.equal(await focused(page), 'login');
  await page.keyboard.type('admin@kubeflow.org');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'password');
  await page.keyboard.press('Tab');
  assert.equal(await focused(page), 'submit-login');
  assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.type('password');
  await Promise.all([page.waitForURL(/\/login\/oidc\?code=/), page.keyboard.press('Enter')]);
  assert.deepEqual(problems, []);
});

test('a wrong password keeps the name, says so, and goes on at the password', options, async (t) => {
  const { page, problems } = await open(t);
  const name = `zoë"'><b>@example.com`;
  await page.fill('#login', name);
  await page.fill('#password', 'wrong');
  const [response] = await Promise.all([
    page.waitForResponse((one) => one.request().method() === 'POST'),
    page.click('#submit-login'),
  ]);
  assert.equal(response.status(), 401);
  await page.waitForSelector('[role=alert]');
  assert.equal(await page.inputValue('#login'), name);
  assert.equal(await page.inputValue('#password'), '');
  assert.equal(await focused(page), 'password');
  assert.match((await page.textContent('[role=alert]')) ?? '', /Invalid Email Address and password/);
  assert.equal(await page.getAttribute('#password', 'aria-describedby'), 'login-error');
  assert.deepEqual(problems, []);
});

test('fits a phone, with targets for thumbs', options, async (t) => {
  const { page } = await open(t, { viewport: { width: 320, height: 568 }, isMobile: true, hasTouch: true });
  const width = await page.evaluate('document.documentElement.scrollWidth');
  assert.ok(Number(width) <= 320, `${String(width)}`);
  for (const id of ['#login', '#password', '#submit-login']) {
    const box = await page.locator(id).boundingBox();
    assert.ok(box !== null && box.height >= 40 && box.x >= 0 && box.x + box.width <= 320, id);
  }
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`can be read in ${colorScheme} mode`, options, async (t) => {
    const { page } = await open(t, { colorScheme });
    const colors = (selector: string): Promise<[string, string]> =>
      page.evaluate(
        `[getComputedStyle(document.querySelector('${selector}')).color, getComputedStyle(document.querySelector('${selector}')).backgroundColor]`,
      );
    const [, card] = await colors('main');
    assert.equal(brightness(card) < 0.5, colorScheme === 'dark');
    const [heading] = await colors('h1');
    assert.ok(contrast(heading, card) >= 4.5);
    assert.ok(contrast(...(await colors('#submit-login'))) >= 4.5);
    assert.ok(contrast(...(await colors('#login'))) >= 4.5);
  });
}

/** WCAG 2.2: relative luminance of `rgb(r, g, b)`. */
function brightness(color: string): number {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? []).map((part) => {
    const share = Number(part) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(left: string, right: string): number {
  const [low = 0, high = 0] = [brightness(left), brightness(right)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}
