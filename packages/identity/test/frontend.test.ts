/** What an operator may change about the pages, in a real browser: nothing is fetched from elsewhere, everything works by keyboard. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { authUrl, startTestIdentity, USERS } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const options = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' };

/** A red square of one pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

const folder = mkdtempSync(path.join(tmpdir(), 'web-'));
const web = path.join(folder, 'web');
const write = (file: string, content: string | Buffer): void => {
  mkdirSync(path.dirname(path.join(web, file)), { recursive: true });
  writeFileSync(path.join(web, file), content);
};

let browser: Browser | undefined;
let identity: TestIdentity;
before(async () => {
  write('themes/kubeflow/styles.css', ':root:root{--accent:#7a1fa2}</style><script>alert(1)</script>');
  write('themes/kubeflow/logo.png', PNG);
  write('themes/kubeflow/favicon.png', PNG);
  write('slots/header.html', '<p id="notice">{{ extra "notice" }} of {{ issuer }}{{ extra "missing" }}</p>');
  write('slots/footer.html', '<a href="https://help.example.com/">Help</a>');
  write('static/help.svg', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  write('static/page.html', '<script>alert(1)</script>');
  write('secret.png', PNG);
  symlinkSync('/etc', path.join(web, 'static', 'etc'));
  write('../elsewhere/private.css', 'p{}');
  symlinkSync(path.join(web, '../elsewhere'), path.join(web, 'static', 'away'));
  symlinkSync(path.join(web, '../elsewhere/private.css'), path.join(web, 'static', 'mounted.css'));
  const connectors =
    'connectors:\n- {type: mockPassword, id: pw, name: Directory, config: {username: a, password: b}}\n';
  identity = await startTestIdentity({
    config: `sessions: {}\n${USERS}${connectors}`,
    oauth2: 'skipApprovalScreen: false',
    more: `frontend: {dir: ${web}, theme: kubeflow, issuer: "K & Co", extra: {notice: "<b>Staging</b>"}}`,
  });
  if (options.skip === undefined) browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await identity.stop();
  rmSync(folder, { recursive: true });
});

async function open(t: TestContext, context: BrowserContextOptions = {}): Promise<{ page: Page; problems: string[] }> {
  const opened = await browser?.newContext(context);
  assert.ok(opened);
  t.after(() => opened.close());
  const page = await opened.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => problems.push(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(identity.origin) && !request.url().startsWith('data:')) problems.push(request.url());
  });
  return { page, problems };
}

/** For people who want to look: a picture a page, in the directory that the variable names. */
async function picture(page: Page, name: string): Promise<void> {
  const directory = process.env['SCREENSHOTS'];
  if (directory !== undefined) await page.screenshot({ path: path.join(directory, `${name}.png`), fullPage: true });
}

for (const colorScheme of ['light', 'dark'] as const) {
  test(`all pages of a login and a logout, by keyboard, on a phone in ${colorScheme} mode`, options, async (t) => {
    const phone = { viewport: { width: 360, height: 640 }, colorScheme };
    const { page, problems } = await open(t, phone);
    const look = async (name: string): Promise<void> => {
      await picture(page, `${name}-${colorScheme}`);
      const width = await page.evaluate('document.documentElement.scrollWidth');
      assert.ok(Number(width) <= 360, `${name} is ${String(width)} wide`);
      assert.equal(await page.locator('h1').count(), 1, name);
      assert.equal(await page.evaluate('document.documentElement.lang'), 'en');
    };
    const press = async (key: string): Promise<void> =>
      void (await Promise.all([page.waitForNavigation(), page.keyboard.press(key)]));
    await page.goto(identity.origin + authUrl({}, '/dex/auth'));
    await look('choose');
    assert.equal(await page.textContent('#notice'), '<b>Staging</b> of K & Co');
    assert.equal(await page.evaluate("document.querySelector('.logo').naturalWidth"), 1);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await press('Enter');
    await look('login');
    await page.keyboard.type('admin@kubeflow.org');
    await page.keyboard.press('Tab');
    await page.keyboard.type('password');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate('document.activeElement.id'), 'remember');
    assert.equal(await page.isChecked('#remember'), true);
    await page.keyboard.press('Space');
    assert.equal(await page.isChecked('#remember'), false);
    await press('Enter');
    await look('approval');
    await page.goto(`${identity.origin}/dex/logout`);
    await look('logout');
    await page.keyboard.press('Tab');
    await press('Enter');
    await look('logged-out');
    await page.goto(`${identity.origin}/dex/device?user_code=BCDF-GHJK`);
    await look('device');
    await page.goto(`${identity.origin}/dex/auth/local?client_id=nobody`);
    await look('error');
    assert.deepEqual(
      problems.filter((text) => !/status of 4\d\d/.test(text)),
      [],
    );
  });
}

test('files of the directory that nobody may see, or that could run, are not served', async () => {
  for (const file of [
    'static/../secret.png',
    'static/..%2fsecret.png',
    'static/%2e%2e%2fsecret.png',
    'static/etc',
    'static/etc%2fpasswd',
    'static/etc/passwd',
    'static/away/private.css',
    'static/page.html',
    'static/.hidden.png',
    'theme/../../secret.png',
    'theme/missing.png',
  ]) {
    assert.equal((await identity.fetch(`/dex/${file}`)).status, 404, file);
  }
  assert.equal((await identity.fetch('/dex/static/mounted.css')).status, 200, 'as ConfigMaps are mounted');
  const svg = await identity.fetch('/dex/static/help.svg');
  assert.equal(svg.status, 200);
  assert.match(svg.headers.get('content-security-policy') ?? '', /default-src 'none'.*sandbox/);
  assert.equal(svg.headers.get('x-content-type-options'), 'nosniff');
  assert.equal((await identity.fetch('/dex/theme/logo.png')).headers.get('content-type'), 'image/png');
});

test('a style sheet cannot end the style element', async () => {
  const html = await (await identity.fetch(authUrl({}, '/dex/auth'))).text();
  assert.equal(html.split('</style').length, 2);
});

test('Dex’s names for its themes, and a directory that is not there, are no mistake', async (t) => {
  for (const theme of ['coreos', 'tectonic', 'light']) {
    const other = await startTestIdentity({ more: `frontend: {theme: ${theme}, dir: /nowhere/web}` });
    t.after(() => other.stop());
    const html = await (await other.fetch('/dex')).text();
    assert.match(html, /data-theme="light"/);
    assert.ok(other.log.some((line) => line.includes('frontend.dir is not there')));
  }
});

test('a directory of old, whose only theme is coreos, shows it', async (t) => {
  const old = mkdtempSync(path.join(tmpdir(), 'web-'));
  t.after(() => rmSync(old, { recursive: true }));
  mkdirSync(path.join(old, 'themes/coreos'), { recursive: true });
  writeFileSync(path.join(old, 'themes/coreos/styles.css'), 'p { color: red }');
  for (const theme of ['', 'coreos', 'tectonic', 'light']) {
    const other = await startTestIdentity({ more: `frontend: {theme: "${theme}", dir: ${old}}` });
    t.after(() => other.stop());
    assert.match(await (await other.fetch('/dex')).text(), /p \{ color: red \}/, theme);
    assert.equal((await other.fetch('/dex/theme/styles.css')).status, 200, theme);
  }
});

test('a logo with an address of its own is allowed in the policy, and nothing else', async (t) => {
  const other = await startTestIdentity({ more: 'frontend: {logoURL: "https://cdn.example.com/logo.png"}' });
  t.after(() => other.stop());
  const page = await other.fetch('/dex');
  assert.match(page.headers.get('content-security-policy') ?? '', /img-src data: https:\/\/cdn\.example\.com 'self';/);
  assert.match(await page.text(), /<img class="logo" src="https:\/\/cdn\.example\.com\/logo\.png" alt="">/);
});
