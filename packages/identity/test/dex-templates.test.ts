/** A company's own directory of Dex page templates: a whole login by them in a real browser, and what happens where they are wrong. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { checkFile } from '../src/check/check-file.ts';
import { CookieBrowser } from './cookie-browser.ts';
import { authUrl, configText, locationOf, openLogin, startTestIdentity, USERS } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';
import { loadTemplatePages } from '../src/pages/template-pages.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const options = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' };

/** In the form that Dex's documentation describes: partials for the frame, one file a page, assets by `url`. */
const TEMPLATES: Readonly<Record<string, string>> = {
  'header.html': `{{- /* every page begins with it */ -}}
<!DOCTYPE html>
<html lang="de">
<head><meta charset="utf-8"><title>{{ issuer }}</title>
<link rel="stylesheet" href="{{ url .ReqPath "static/css/main.css" }}">
<link rel="stylesheet" href="{{ url .ReqPath "theme/styles.css" }}">
<link rel="icon" href="{{ url .ReqPath "theme/favicon.png" }}">
<script src="{{ url .ReqPath "static/site.js" }}" defer></script>
<style>#banner { background: url("{{ url .ReqPath "static/img/bg.png" }}") }</style>
</head>
<body data-path="{{ .ReqPath }}"><div id="banner"><img id="logo" src="{{ url .ReqPath logo }}" alt="{{ issuer }}"> {{ extra "notice" }}</div>
`,
  'footer.html': `<footer>Hilfe: 4711</footer><script>window.inline = {{ issuer }};</script></body></html>
`,
  'login.html': `{{ template "header.html" . }}
<h1>Anmelden</h1>{{ range $i, $c := .Connectors }}
<a class="way dex-btn-icon--{{ $c.Type }}" id="way-{{ $c.ID }}" href="{{ $c.URL }}" target="_self">{{ $i }}: {{ $c.Name }}</a>{{ end }}
{{ template "footer.html" . }}`,
  'password.html': `{{ template "header.html" . }}
<form method="post" action="{{ .PostURL }}">
<label for="login">{{ .UsernamePrompt }}</label>
<input id="login" name="login" type="text" placeholder="{{ .UsernamePrompt | lower }}" {{ if .Username }} value="{{ .Username }}" {{ else }} autofocus {{ end }}/>
<input id="password" name="password" type="password" autocomplete="current-password" {{ if .Invalid }} autofocus {{ end }}/>
{{ if .Invalid }}<p id="login-error">{{ .UsernamePrompt }} oder Kennwort stimmt nicht.</p>{{ end }}
{{ if .SessionsEnabled }}<input type="checkbox" id="remember_me" name="remember_me" value="true" {{ if .RememberMeChecked }}checked{{ end }}>{{ end }}
<button id="submit-login">Los</button></form>
{{ if .BackLink }}<a id="back" href="{{ .BackLink }}">Anders anmelden</a>{{ end }}
{{ template "footer.html" . }}`,
  'approval.html': `{{ template "header.html" . }}
<p id="who">{{ .User }}: {{ .Client }}</p><ul>{{ range $scope := .Scopes }}<li>{{ $scope }}</li>{{ end }}</ul>
<form method="post"><input type="hidden" name="req" value="{{ .AuthReqID }}"><input type="hidden" name="approval" value="approve"><button id="yes">Ja</button></form>
{{ template "footer.html" . }}`,
  'error.html': `{{ template "header.html" . }}<h2 id="type">{{ .ErrType }}</h2><p id="message">{{ .ErrMsg }}</p>{{ template "footer.html" . }}`,
  'oob.html': `{{ template "header.html" . }}<input id="code" value="{{ .Code }}">{{ template "footer.html" . }}`,
  'device.html': `{{ template "header.html" . }}<form method="post" action="{{ .PostURL }}"><input name="user_code" value="{{ .UserCode }}"></form>{{ if .Invalid }}<p id="login-error">Falsch</p>{{ end }}{{ template "footer.html" . }}`,
  'device_success.html': `{{ template "header.html" . }}<p id="done">{{ .ClientName }}</p>{{ template "footer.html" . }}`,
};

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC',
  'base64',
);

function webFolder(t: TestContext, changes: Readonly<Record<string, string | Buffer | undefined>> = {}): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'web-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const files: Record<string, string | Buffer | undefined> = {
    ...Object.fromEntries(Object.entries(TEMPLATES).map(([name, text]) => [`templates/${name}`, text])),
    'static/css/main.css': 'body { color: rgb(1, 2, 3) } #banner { font-family: Own }',
    'static/site.js': 'window.loaded = document.title;',
    // As large as a photograph: what follows the picture's end does not count.
    'static/img/bg.png': Buffer.concat([PNG, Buffer.alloc(2_000_000)]),
    'themes/corp/styles.css': 'body { background: rgb(4, 5, 6) }',
    'themes/corp/logo.png': PNG,
    'themes/corp/favicon.png': PNG,
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content === undefined) continue;
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

const CONNECTORS = `connectors:
- {type: mockPassword, id: pw, name: 'A "<b>Directory</b>" & Co', config: {username: a, password: b}}
`;

async function start(t: TestContext, dir: string, more = ''): Promise<TestIdentity> {
  const identity = await startTestIdentity({
    config: `${USERS}${CONNECTORS}`,
    oauth2: 'skipApprovalScreen: false',
    more: `frontend: {dir: ${dir}, theme: corp, issuer: "K & Co", extra: {notice: "<b>Staging</b>"}${more}}`,
  });
  t.after(() => identity.stop());
  return identity;
}

test('a whole login by a company’s templates, with its styles, pictures and scripts', options, async (t) => {
  const identity = await start(t, webFolder(t));
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('response', (response) => response.status() === 404 && problems.push(response.url()));

  await page.goto(identity.origin + authUrl({}, '/dex/auth'));
  assert.equal(await page.title(), 'K & Co');
  assert.equal(await page.textContent('#banner'), ' <b>Staging</b>');
  assert.equal(await page.textContent('#way-pw'), '0: A "<b>Directory</b>" & Co');
  assert.equal(await page.evaluate('getComputedStyle(document.body).color'), 'rgb(1, 2, 3)');
  assert.equal(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(4, 5, 6)');
  assert.equal(await page.evaluate('document.getElementById("logo").naturalWidth'), 1);
  assert.equal(await page.evaluate('window.loaded'), 'K & Co');
  assert.equal(await page.evaluate('window.inline'), 'K & Co');
  assert.equal(await page.getAttribute('body', 'data-path'), '/dex/auth');

  await page.click('#way-local');
  assert.match((await page.getAttribute('#back', 'href')) ?? '', /^\/dex\/auth\?/);
  assert.equal(await page.getAttribute('#login', 'placeholder'), 'email address');
  const hostile = '"><script>window.pwned=1</script>\'{{.}}';
  await page.fill('#login', hostile);
  await page.fill('#password', 'wrong');
  await page.click('#submit-login');
  assert.equal(await page.textContent('#login-error'), 'Email Address oder Kennwort stimmt nicht.');
  assert.equal(await page.inputValue('#login'), hostile);
  assert.equal(await page.evaluate('window.pwned'), undefined);
  await page.fill('#login', 'admin@kubeflow.org');
  await page.fill('#password', 'password');
  await page.click('#submit-login');

  assert.equal(await page.textContent('#who'), 'admin: The <b>App</b>');
  assert.deepEqual(await page.locator('li').allTextContents(), [
    'View basic profile information',
    'View your email address',
    'View your groups',
  ]);
  await Promise.all([page.waitForURL(/\/login\/oidc\?code=/), page.click('#yes')]);
  assert.deepEqual(
    problems.filter((text) => !/login\/oidc|status of 40[14]|favicon\.ico/.test(text)),
    [],
  );
});

test('error, device and code pages are the company’s too; hostile texts stay text', async (t) => {
  const identity = await start(t, webFolder(t));
  const error = await identity.fetch(authUrl({ redirect_uri: 'https://evil.example/"><script>x</script>' }));
  assert.equal(error.status, 400);
  const html = await error.text();
  assert.match(html, /<h2 id="type">Bad Request<\/h2>/);
  assert.doesNotMatch(html, /<script>x/);
  assert.match(
    await (await identity.fetch('/dex/device?user_code=BCDF-GHJK')).text(),
    /name="user_code" value="BCDF-GHJK"/,
  );
  const wrong = await identity.post('/dex/device/auth/verify_code', { user_code: '"><script>x</script>' });
  assert.equal(wrong.status, 400);
  const page = await wrong.text();
  assert.match(page, /id="login-error">Falsch/);
  assert.doesNotMatch(page, /<script>x/);
  const lost = await identity.fetch('/dex/nowhere');
  assert.equal(lost.status, 404);
});

test('who guesses too often is told to wait, not that the password is wrong', async (t) => {
  const identity = await start(t, webFolder(t));
  const place = await openLogin(identity);
  for (let count = 0; count < 20; count += 1) {
    const answer = await identity.post(place, { login: 'admin@kubeflow.org', password: `wrong ${String(count)}` });
    if (answer.status !== 429) continue;
    const html = await answer.text();
    assert.match(html, /<p id="message">Too many attempts\. Please wait/);
    assert.doesNotMatch(html, /login-error/);
    return;
  }
  assert.fail('never throttled');
});

test('where sessions are on the template’s own box decides whether the browser remembers', async (t) => {
  const identity = await startTestIdentity({
    config: `sessions: {rememberMeCheckedByDefault: false}\n${USERS}`,
    more: `frontend: {dir: ${webFolder(t)}}`,
  });
  t.after(() => identity.stop());
  for (const [more, kept] of [
    [{ remember_me: 'true' }, true],
    [{}, false],
  ] as const) {
    const person = new CookieBrowser(identity);
    const form = locationOf(await person.open(authUrl()));
    const place = form.pathname + form.search;
    assert.match(await (await person.open(place)).text(), /name="remember_me" value="true" >/);
    const fields = { login: 'admin@kubeflow.org', password: 'password', ...more };
    await person.open(place, { method: 'POST', body: new URLSearchParams(fields) });
    assert.equal(/Max-Age=[1-9]/.test(person.attributes.get('dex_session') ?? 'Max-Age=none'), kept);
  }
  const without = await start(t, webFolder(t));
  assert.doesNotMatch(await (await without.fetch(await openLogin(without))).text(), /remember_me/);
});

test('the logout page too: its empty form ends the session and leads where the client wants', async (t) => {
  const logout = `{{ if .ShowConfirmation }}<form method="post" action="{{ .ReqPath }}"><button>Ab</button></form>{{ else if .LoggedOut }}<p id="out">Fertig</p>{{ else }}<p>?</p>{{ end }}{{ if .BackURL }}<a href="{{ .BackURL }}">x</a>{{ end }}`;
  const dir = webFolder(t, { 'templates/logout.html': logout });
  const identity = await startTestIdentity({ config: `sessions: {}\n${USERS}`, more: `frontend: {dir: ${dir}}` });
  t.after(() => identity.stop());
  const person = new CookieBrowser(identity);
  // Somebody else's token: the client is known by it, the person is still asked.
  const other = new CookieBrowser(identity);
  const code = locationOf(await other.logIn({}, true, 'zoe@example.com')).searchParams.get('code') ?? '';
  const grant = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: '/login/oidc',
    client_id: 'app',
    client_secret: 's3cret',
  };
  const { id_token: hint } = (await (await identity.post('/dex/token', grant)).json()) as { id_token: string };
  for (const [query, then] of [
    ['', undefined],
    [`?id_token_hint=${hint}&post_logout_redirect_uri=/bye&state=a%26b`, '/bye?state=a%26b'],
  ] as const) {
    await person.logIn();
    const html = await (await person.open(`/dex/logout${query}`)).text();
    const action = /action="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? 'none';
    assert.match(action, /^\/dex\/logout\?.*logout=yes$/);
    const elsewhere = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } };
    assert.notEqual((await person.open(action, elsewhere)).status, 302);
    assert.notEqual(person.session, '', 'another site cannot press the button');
    assert.equal((await person.open(action)).status, 200, 'nor can a link');
    assert.notEqual(person.session, '');
    const answer = await person.open(action, { method: 'POST' });
    assert.equal(person.session, '');
    if (then === undefined) assert.match(await answer.text(), /id="out"/);
    else assert.equal(answer.headers.get('location'), then);
  }
});

test('scripts run by the nonce of the answer; scripts in attributes have to be allowed as a whole', async (t) => {
  const identity = await start(t, webFolder(t));
  const policies = await Promise.all(
    [1, 2].map(async () => {
      const answer = await identity.fetch(authUrl({}, '/dex/auth'));
      const policy = answer.headers.get('content-security-policy') ?? '';
      const nonce = /script-src 'nonce-([\w-]+)' 'strict-dynamic';/.exec(policy)?.[1] ?? 'none';
      assert.equal((await answer.text()).split(`nonce="${nonce}"`).length, 3);
      return policy;
    }),
  );
  assert.notEqual(policies[0], policies[1]);
  for (const part of ["object-src 'none'", "frame-ancestors 'none'", "form-action 'self'"])
    assert.ok(policies[0]?.includes(part), part);
  const loose = await start(t, webFolder(t, { 'templates/login.html': '<button onclick="x()">x</button>' }));
  const answer = await loose.fetch(authUrl({}, '/dex/auth'));
  assert.match(answer.headers.get('content-security-policy') ?? '', /script-src 'self' https: 'unsafe-inline';/);
});

for (const [what, changes, mistake] of [
  [
    'a function that is not there',
    { 'templates/password.html': '<p>\n{{ static "x" }}' },
    /password\.html:2:4: function \\?"static\\?" is not defined/,
  ],
  ['a field that is not there', { 'templates/password.html': '{{ .State }}' }, /password\.html:1:4: there is no field/],
  ['a missing end', { 'templates/password.html': '{{ if .Invalid }}' }, /password\.html:1:1: .*if.* has no/],
  [
    'a mistake only after a wrong password',
    { 'templates/password.html': '{{ if .Invalid }}{{ .Oops }}{{ end }}' },
    /password\.html:1:21: there is no field/,
  ],
  [
    'an attribute that is not closed',
    { 'templates/password.html': '<p title="{{ .Username }}' },
    /ends inside of a tag/,
  ],
  ['a missing partial', { 'templates/header.html': undefined }, /password\.html:1:1: there is no template/],
] as const) {
  test(`${what}: the built-in page is shown, the log and the check name file, line and column`, async (t) => {
    const dir = webFolder(t, changes);
    const identity = await start(t, dir);
    const place = await openLogin(identity);
    const html = await (await identity.fetch(place)).text();
    assert.match(html, /Log in to your account/);
    assert.match(
      identity.log.find((line) => line.includes('page template is wrong') && mistake.test(line)) ??
        identity.log.join(''),
      mistake,
    );
    // Nobody is kept out by it.
    const answer = await identity.post(place, { login: 'admin@kubeflow.org', password: 'password' });
    assert.equal(locationOf(answer).pathname, '/dex/approval');

    const file = path.join(dir, 'config.yaml');
    writeFileSync(file, configText({ more: `frontend: {dir: ${dir}}` }));
    let said = '';
    const write = (text: string): void => void (said += text);
    assert.equal(await checkFile(file, { env: {}, person: {}, write }), 1);
    assert.match(said, mistake);
    assert.match(said, /correct the templates named above/);
  });
}

test('a page that fails when it is shown falls back too', async (t) => {
  const text = '{{ if eq .Username "bob" }}{{ index .Username 99 }}{{ end }}<p id="own">{{ .Username }}</p>';
  const identity = await start(t, webFolder(t, { 'templates/password.html': text }));
  const place = await openLogin(identity);
  assert.match(await (await identity.fetch(place)).text(), /<p id="own">/);
  const answer = await identity.post(place, { login: 'bob', password: 'x' });
  assert.equal(answer.status, 401);
  assert.match(await answer.text(), /Log in to your account/);
  assert.ok(identity.log.some((line) => line.includes('a page template failed') && line.includes('password.html:1:')));
});

test('one page of its own is enough; the others are ours', async (t) => {
  const only = Object.fromEntries(Object.keys(TEMPLATES).map((name) => [`templates/${name}`, undefined]));
  const identity = await start(t, webFolder(t, { ...only, 'templates/error.html': '<p id="own">{{ .ErrMsg }}</p>' }));
  assert.match(await (await identity.fetch(authUrl({ client_id: 'nobody' }))).text(), /<p id="own">/);
  assert.match(await (await identity.fetch(await openLogin(identity))).text(), /Log in to your account/);
});

test('editors’ and mounts’ files are no templates, and a file that is none of Dex’s pages is no mistake', (t) => {
  const dir = webFolder(t, {
    'templates/.login.html.swp': '{{',
    'templates/..data/x.html': '{{',
    'templates/home.html': '{{ .LoggedIn }}',
  });
  const frontend = { dir, theme: '', issuer: 'x', logoURL: '', extra: {} };
  const pages = loadTemplatePages(frontend, { basePath: '/dex', log: silentLogger });
  assert.deepEqual(pages?.mistakes, []);
  assert.equal(pages.used.length, 7);
});

test('a changed directory counts when the configuration is read again', async (t) => {
  const dir = webFolder(t);
  const identity = await start(t, dir);
  writeFileSync(path.join(dir, 'templates/error.html'), '<p id="new">{{ .ErrMsg }}</p>');
  const text = configText({ config: `${USERS}${CONNECTORS}`, more: `frontend: {dir: ${dir}, theme: corp}` });
  writeFileSync(identity.file, text);
  const deadline = AbortSignal.timeout(20_000);
  while (
    !(await (await identity.fetch(authUrl({ client_id: 'nobody' }), { signal: deadline })).text()).includes('id="new"')
  );
});
