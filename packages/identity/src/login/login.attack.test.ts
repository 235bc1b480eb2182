import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { authUrl, locationOf, openLogin, startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';
import { safeBackLink } from './back-link.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity();
});
after(() => identity.stop());

const good = { login: 'admin@kubeflow.org', password: 'password' };

test('a state that is missing, invented, cut or of another purpose opens nothing', async () => {
  const page = await openLogin(identity);
  const state = new URL(page, 'http://x').searchParams.get('state') ?? '';
  for (const [value, text] of [
    ['', /User session error/],
    ['AAAA', /does not exist/],
    [state.slice(0, -4), /does not exist/],
    [`${state}&state=x`, /303|login/],
    [state.replace(/^.{8}/, 'AAAAAAAA'), /does not exist/],
    ['../../etc/passwd', /does not exist/],
  ] as const) {
    const response = await identity.post(`/dex/auth/local/login?state=${value}`, good);
    if (value.includes('&')) continue;
    assert.equal(response.status, 400, value);
    assert.match(await response.text(), text);
  }
  assert.equal((await identity.post('/dex/auth/local/login', good)).status, 400);
  assert.equal((await identity.fetch(`/dex/callback?state=${state}`)).status, 400);
});

test('a request judged for one connector is no pass for another', async () => {
  const page = await openLogin(identity);
  assert.equal((await identity.post(page.replace('/auth/local/', '/auth/ldap/'), good)).status, 400);
});

test('a form that another site sends is refused even with the right password', async () => {
  const page = await openLogin(identity);
  const refused = await identity.post(page, good, { 'sec-fetch-site': 'cross-site' });
  assert.equal(refused.status, 403);
  assert.equal((await identity.post(page, good, { 'sec-fetch-site': 'same-origin' })).status, 303);
});

test('what was typed comes back as text', async () => {
  const name = '"><script>alert(1)</script>';
  const response = await identity.post(await openLogin(identity), { login: name, password: 'x' });
  const text = await response.text();
  assert.doesNotMatch(text, /<script/);
  assert.match(text, /value="&quot;&gt;&lt;script&gt;/);
});

test('the password never comes back', async () => {
  const response = await identity.post(await openLogin(identity), { login: 'a@b', password: 'hunter2hunter2' });
  assert.doesNotMatch(await response.text(), /hunter2/);
  assert.equal(identity.log.join('').includes('hunter2'), false);
});

test('the back link leads to our own choice page or nowhere', () => {
  assert.equal(safeBackLink('/dex/auth?client_id=app', '/dex'), '/dex/auth?client_id=app');
  for (const link of [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/dex/auth?x\r\nX: y',
    'javascript:alert(1)',
    '/dex/../evil',
    '/dex/authx?',
    '/evil',
    '/dex/auth?\\evil',
    ' /dex/auth?x',
  ]) {
    assert.equal(safeBackLink(link, '/dex'), '', link);
  }
});

test('a hostile back parameter is left out of the page', async () => {
  const page = await openLogin(identity);
  const text = await (await identity.fetch(page.replace('back=', 'back=%2F%2Fevil.example'))).text();
  assert.doesNotMatch(text, /href="[^"]*evil/);
});

test('oversized forms are refused and the server goes on', async () => {
  const page = await openLogin(identity);
  assert.equal((await identity.post(page, { ...good, pad: 'x'.repeat(70_000) })).status, 413);
  assert.equal((await identity.post(page, { login: 'x'.repeat(20_000), password: 'y' })).status, 401);
  assert.equal((await identity.post(page, good)).status, 303);
});

test('pages cannot be framed or run scripts', async () => {
  const page = await identity.fetch(await openLogin(identity));
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|script-src/);
  assert.equal(page.headers.get('x-frame-options'), 'DENY');
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
});

test('guessing has to wait, for names that exist and names that do not alike, until time passes', async () => {
  for (const name of ['zoe@example.com', 'ghost@example.com']) {
    const page = await openLogin(identity);
    let status = 0;
    let tries = 0;
    while (status !== 429 && tries < 40) {
      status = (await identity.post(page, { login: name, password: `wrong${tries}` })).status;
      tries += 1;
    }
    assert.equal(tries, 16, name);
    const refused = await identity.post(page, { login: name, password: 'password' });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) >= 1);
    assert.match(await refused.text(), /Too many attempts. Please wait/);
  }
  assert.equal((await identity.post(await openLogin(identity), good)).status, 303);
  identity.now += 120_000;
  const page = await openLogin(identity);
  assert.equal((await identity.post(page, { login: 'zoe@example.com', password: 'password' })).status, 303);
});

test('guesses that are sent all at once have to wait too, and a right password among them opens nothing more', async (t) => {
  const users = `${USERS}connectors:\n- {type: mockPassword, id: pw, name: Pw, config: {username: kim, password: right}}\n`;
  const quick = await startTestIdentity({
    config: users,
    oauth2: 'skipApprovalScreen: true, passwordConnector: pw',
  });
  t.after(() => quick.stop());
  const page = locationOf(await quick.fetch(authUrl({}, '/dex/auth/pw')));
  const guess = async (login: string, password: string): Promise<number> =>
    (await quick.post(page.pathname + page.search, { login, password })).status;
  const wrong = await Promise.all(Array.from({ length: 150 }, (_, index) => guess('kim', `wrong${index}`)));
  const judged = wrong.filter((status) => status === 401).length;
  assert.ok(judged <= 20, `${judged} of 150 guesses were judged`);
  assert.equal(await guess('kim', 'right'), 429);
  assert.equal(await guess('lee', 'right'), 401);
  quick.now += 120_000;
  const good = await Promise.all(Array.from({ length: 50 }, () => guess('kim', 'right')));
  assert.ok(good.every((status) => status === 303));
  const grant = {
    grant_type: 'password',
    scope: 'openid',
    username: 'kim2',
    client_id: 'app',
    client_secret: 's3cret',
  };
  const direct = await Promise.all(
    Array.from(
      { length: 150 },
      async (_, index) => (await quick.post('/dex/token', { ...grant, password: `p${index}` })).status,
    ),
  );
  assert.ok(direct.filter((status) => status === 401).length <= 20);
});

test('the login page of a relative client keeps forms at home, that of a foreign one lets them leave', async () => {
  const policyOf = async (redirect: string): Promise<string> =>
    (await identity.fetch(await openLogin(identity, { redirect_uri: redirect }))).headers.get(
      'content-security-policy',
    ) ?? '';
  assert.match(await policyOf('/login/oidc'), /form-action 'self'/);
  assert.doesNotMatch(await policyOf('https://app.example.com/cb?x=1'), /form-action/);
});

test('a sealed request tells nobody what is in it', async () => {
  const page = await openLogin(identity, { state: 'very-visible-state' });
  assert.equal(page.includes('very-visible-state'), false);
  assert.equal(Buffer.from(page.split('state=')[1] ?? '', 'base64url').includes('very-visible'), false);
  assert.equal(authUrl().includes('sealed'), false);
});
