/** The whole login through the running provider, with samlify as the identity provider on the other side. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { IdentityProvider, SamlLib, ServiceProvider, setSchemaValidator } from 'samlify';
import { trySettings } from '../../../test/read-settings.ts';
import { authUrl, claimsOf, locationOf, redeem, startTestIdentity } from '../../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../../test/test-identity.ts';
import { makeSamlKeys, SAML_ISSUER, samlResponse, signSaml } from '../../../../testkit/src/saml-idp.ts';
import type { SamlKeys } from '../../../../testkit/src/saml-idp.ts';
import { samlSection } from './saml-config.ts';

const CALLBACK = 'https://login.example.com/dex/callback';
const SSO = 'https://idp.example.com/sso?tenant=a&b=c';
const US = 'https://login.example.com/metadata';

const directory = mkdtempSync(path.join(tmpdir(), 'saml-login-'));
let keys: SamlKeys;
let identity: TestIdentity;

const connectors = (more = ''): string => `connectors:
- type: saml
  id: saml
  name: Company
  config:
    ssoURL: ${SSO}
    redirectURI: ${CALLBACK}
    caData: ${Buffer.from(keys.certificate).toString('base64')}
    entityIssuer: ${US}
    ssoIssuer: ${SAML_ISSUER}
    usernameAttr: name
    emailAttr: mail
    groupsAttr: groups
${more}`;

before(async () => {
  keys = makeSamlKeys(directory, 'idp');
  identity = await startTestIdentity({ config: connectors() });
});
after(async () => {
  await identity.stop();
  rmSync(directory, { recursive: true });
});

interface Started {
  readonly page: Response;
  readonly html: string;
  readonly request: string;
  readonly requestId: string;
  readonly relayState: string;
  readonly cookie: string;
}

/** What the gateway in front says of the browser. */
const PUBLIC = { 'x-forwarded-host': 'login.example.com', 'x-forwarded-proto': 'https' };

async function begin(
  at: TestIdentity = identity,
  headers: Record<string, string> = PUBLIC,
  changes: Record<string, string> = {},
): Promise<Started> {
  const asked = { scope: 'openid profile email groups offline_access', ...changes };
  const page = await at.fetch(authUrl(asked, '/dex/auth/saml'), { headers });
  assert.equal(page.status, 200);
  const html = await page.text();
  const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const request = Buffer.from(field('SAMLRequest'), 'base64').toString();
  const requestId = /ID="([^"]*)"/.exec(request)?.[1] ?? '';
  const cookie = page.headers
    .getSetCookie()
    .map((one) => one.split(';')[0])
    .join('; ');
  return { page, html, request, requestId, relayState: field('RelayState'), cookie };
}

const answer = (started: Started, changes: Partial<Parameters<typeof samlResponse>[0]> = {}): string => {
  const { requestId } = started;
  const xml = samlResponse({ destination: CALLBACK, audience: US, requestId, nowMs: identity.now, ...changes });
  return Buffer.from(signSaml(xml, { keys, what: 'Assertion' })).toString('base64');
};

const post = (started: Started, SAMLResponse: string, at: TestIdentity = identity): Promise<Response> =>
  at.post('/dex/callback', { SAMLResponse, RelayState: started.relayState }, { ...PUBLIC, cookie: started.cookie });

test('the browser is sent on with a form, a request that says who asks, and one script known by its hash', async () => {
  const { page, html, request, relayState } = await begin();
  assert.match(html, /<form method="post" action="https:\/\/idp\.example\.com\/sso\?tenant=a&amp;b=c">/);
  assert.match(request, /Destination="https:\/\/idp\.example\.com\/sso\?tenant=a&amp;b=c"/);
  assert.match(request, new RegExp(`AssertionConsumerServiceURL="${CALLBACK}"`));
  assert.match(request, new RegExp(`<saml:Issuer>${US}</saml:Issuer>`));
  assert.match(request, /nameid-format:persistent" AllowCreate="true"/);
  // SAML Bindings §3.4.3 allows 80 bytes.
  assert.match(relayState, /^[\w-]{32}$/);
  assert.match(
    page.headers.getSetCookie().join(),
    /^dex_relay_0=\S+; Path=\/dex; HttpOnly; SameSite=None; Secure; Max-Age=3600$/,
  );
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'; script-src 'sha256-[^']+'; style-src/);
  const { relayState: another, requestId } = await begin();
  assert.notEqual(another, relayState);
  assert.match(requestId, /^_[0-9a-f]{40}$/);
  assert.match(request, /ForceAuthn="false"/);
  const forced = await identity.fetch(authUrl({ prompt: 'login' }, '/dex/auth/saml'));
  const encoded = /name="SAMLRequest" value="([^"]*)"/.exec(await forced.text())?.[1] ?? '';
  assert.match(Buffer.from(encoded, 'base64').toString(), /ForceAuthn="true"/);
});

/** An identity provider of samlify that answers as the well-known products do. */
function samlifyProvider(): { respond(started: Started): Promise<string> } {
  setSchemaValidator({ validate: () => Promise.resolve('not our business here') });
  const binding = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST';
  const idp = IdentityProvider({
    entityID: SAML_ISSUER,
    privateKey: keys.key,
    signingCert: keys.certificate,
    singleSignOnService: [{ Binding: binding, Location: SSO }],
    requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    loginResponseTemplate: {
      context: samlResponse({
        destination: '{Destination}',
        audience: '{Audience}',
        requestId: '{InResponseTo}',
        nowMs: identity.now,
      })
        .replaceAll('_response', '{ID}')
        .replaceAll('_assertion', '{AssertionID}'),
      attributes: [],
    },
  });
  const sp = ServiceProvider({
    entityID: US,
    wantAssertionsSigned: true,
    assertionConsumerService: [{ Binding: binding, Location: CALLBACK }],
  });
  return {
    respond: async ({ request }) => {
      const body = { SAMLRequest: Buffer.from(request).toString('base64') };
      const { extract } = await idp.parseLoginRequest(sp, 'post', { body });
      const asked = extract as { readonly request: { readonly id: string } };
      const values = {
        ID: '_r1',
        AssertionID: '_a1',
        Destination: CALLBACK,
        Audience: US,
        InResponseTo: asked.request.id,
      };
      const made = await idp.createLoginResponse(sp, { extract: asked }, 'post', {}, (template: string) => ({
        id: '_r1',
        context: SamlLib.replaceTagsByValue(template, values),
      }));
      return made.context;
    },
  };
}

test('samlify understands our request, and its answer logs in', async () => {
  const started = await begin();
  const response = await post(started, await samlifyProvider().respond(started));
  assert.equal(response.status, 303, await response.text());
  const code = locationOf(response).searchParams.get('code') ?? '';
  const tokens = (await (await redeem(identity, code)).json()) as Tokens;
  const claims = claimsOf(tokens.id_token);
  assert.equal(claims['sub'], 'CgNraW0SBHNhbWw');
  assert.equal(claims['email'], 'kim@example.com');
  assert.equal(claims['email_verified'], true);
  assert.equal(claims['name'], 'Kim & Söhne');
  assert.deepEqual(claims['groups'], ['admins', 'dev']);
  const refreshed = await identity.post('/dex/token', {
    grant_type: 'refresh_token',
    refresh_token: tokens.refresh_token ?? '',
    client_id: 'app',
    client_secret: 's3cret',
  });
  const again = (await refreshed.json()) as Tokens;
  assert.deepEqual(claimsOf(again.id_token)['groups'], ['admins', 'dev']);
});

test('an answer sent again logs nobody in, also 50 times at once', async () => {
  const started = await begin();
  const encoded = answer(started);
  const all = await Promise.all(Array.from({ length: 50 }, () => post(started, encoded)));
  assert.deepEqual(
    all.map(({ status }) => status).toSorted((a, b) => a - b),
    [303, ...Array.from({ length: 49 }, () => 400)],
  );
  assert.equal((await post(started, encoded)).status, 400);
  // Another answer to the same request is no better.
  assert.equal((await post(started, answer(started, { nameId: 'admin' }))).status, 400);
});

test('an answer to the request of another browser is refused', async () => {
  const [mine, theirs] = [await begin(), await begin()];
  const response = await post(mine, answer(theirs));
  assert.equal(response.status, 500);
  assert.match(await response.text(), /Authentication failed\. Please contact/);
  assert.ok(identity.log.some((line) => line.includes('answers another request')));
});

test('nonsense, a missing state and other methods are refused without a word about why', async () => {
  const started = await begin();
  for (const body of [
    '',
    '%%%',
    Buffer.from('<!DOCTYPE x []><x/>').toString('base64'),
    Buffer.from('hello').toString('base64'),
  ]) {
    const response = await post(started, body);
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /DOCTYPE|character|SAMLResponse/);
  }
  const good = { SAMLResponse: answer(started), RelayState: started.relayState };
  const browser = { ...PUBLIC, cookie: started.cookie };
  assert.equal((await identity.post('/dex/callback', { SAMLResponse: good.SAMLResponse }, browser)).status, 400);
  assert.equal((await identity.post('/dex/callback', { ...good, RelayState: 'x' }, browser)).status, 400);
  assert.equal((await identity.post('/dex/callback/other', good, browser)).status, 400);
  const sealed = started.cookie.split('.').at(-1) ?? '';
  assert.equal((await identity.fetch(`/dex/callback?state=${sealed}`, { headers: browser })).status, 400);
  // A login page's state is no RelayState.
  assert.equal((await post(started, answer(started))).status, 303);
});

test('groups: one value with a delimiter, allowed groups, filtered groups', async (t) => {
  const limited = await startTestIdentity({
    config: connectors('    groupsDelim: ", "\n    allowedGroups: [dev, qa]\n    filterGroups: true\n'),
  });
  t.after(() => limited.stop());
  const outsider = await begin(limited);
  const refused = await post(outsider, answer(outsider, { attributes: { groups: ['admins, users'] } }), limited);
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /You are not a member of any of the required groups to authenticate\./);
  const insider = await begin(limited);
  const response = await post(insider, answer(insider, { attributes: { groups: ['admins, dev', 'qa'] } }), limited);
  const code = locationOf(response).searchParams.get('code') ?? '';
  const tokens = (await (await redeem(limited, code)).json()) as Tokens;
  assert.deepEqual(claimsOf(tokens.id_token)['groups'], ['dev', 'qa']);
});

test('an answer is taken only in the browser that asked, and once', async () => {
  const [mine, theirs] = [await begin(), await begin()];
  const form = { SAMLResponse: answer(mine), RelayState: mine.relayState };
  const bare = await identity.post('/dex/callback', form, PUBLIC);
  assert.equal(bare.status, 400);
  assert.match(await bare.text(), /User session error/);
  assert.equal((await identity.post('/dex/callback', form, { ...PUBLIC, cookie: theirs.cookie })).status, 400);
  const forged = mine.cookie.replace(/.{4}$/, 'AAAA');
  assert.equal((await identity.post('/dex/callback', form, { ...PUBLIC, cookie: forged })).status, 400);
  const done = await post(mine, form.SAMLResponse);
  assert.equal(done.status, 303);
  assert.match(done.headers.getSetCookie().join(), /^dex_relay_0=; .*Max-Age=0$/);
});

test('logins in three tabs go side by side, a fourth takes the place of one', async () => {
  const jar: string[] = [];
  const started: Started[] = [];
  for (let tab = 0; tab < 3; tab += 1) {
    started.push(await begin(identity, { ...PUBLIC, cookie: jar.join('; ') }));
    jar.push(started.at(-1)?.cookie ?? '');
  }
  assert.deepEqual(
    jar.map((one) => one.split('=')[0]),
    ['dex_relay_0', 'dex_relay_1', 'dex_relay_2'],
  );
  const fourth = await begin(identity, { ...PUBLIC, cookie: jar.join('; ') });
  assert.match(fourth.cookie, /^dex_relay_[012]=/);
  for (const one of started) {
    const form = { SAMLResponse: answer(one), RelayState: one.relayState };
    const response = await identity.post('/dex/callback', form, { ...PUBLIC, cookie: jar.join('; ') });
    assert.equal(response.status, 303);
  }
});

test('where no cookie would come back, the request travels itself', async () => {
  for (const [headers, changes] of [
    [{ 'x-forwarded-host': '192.0.2.7', 'x-forwarded-proto': 'https' }, {}],
    [PUBLIC, { state: 's'.repeat(4000) }],
  ] as const) {
    const started = await begin(identity, headers, changes);
    assert.equal(started.cookie, '');
    assert.ok(started.relayState.length > 80);
    const form = { SAMLResponse: answer(started), RelayState: started.relayState };
    assert.equal((await identity.post('/dex/callback', form, headers)).status, 303);
  }
});

test('over plain http the form is sent once more from here, with nothing in it but what came', async () => {
  const plain = { 'x-forwarded-host': 'login.example.com' };
  const started = await begin(identity, plain);
  assert.match(started.page.headers.getSetCookie().join(), /SameSite=Lax; Max-Age=3600$/);
  const form = { SAMLResponse: `${answer(started)}"><script>`, RelayState: started.relayState, evil: '1' };
  const page = await identity.post('/dex/callback', form, plain);
  const html = await page.text();
  assert.equal(page.status, 200);
  assert.match(html, /action="\/dex\/callback"/);
  assert.match(html, /name="SAMLResponse" value="[\w+/=]+&quot;&gt;&lt;script&gt;"/);
  assert.doesNotMatch(html, /evil/);
  const again = { SAMLResponse: answer(started), RelayState: started.relayState, sent_again: 'yes' };
  assert.equal((await identity.post('/dex/callback', again, plain)).status, 400);
  assert.equal((await identity.post('/dex/callback', again, { ...plain, cookie: started.cookie })).status, 303);
});

test('a missing attribute is named in the log, with those that are there', async () => {
  const started = await begin();
  const xml = answer(started, { attributes: { mail: [''] } });
  assert.equal((await post(started, xml)).status, 500);
  assert.ok(identity.log.some((line) => line.includes('no attribute \\"mail\\"; it has: name, mail, groups')));
});

test('a certificate that is missing, no PEM or too short keeps the connector closed', async (t) => {
  const weak = makeSamlKeys(directory, 'weak', 'rsa1024');
  for (const [data, reason] of [
    [Buffer.from(weak.certificate).toString('base64'), /too short/],
    [Buffer.from('nothing').toString('base64'), /no certificate/],
  ] as const) {
    const closed = await startTestIdentity({ config: connectors().replace(/caData: .*/, `caData: ${data}`) });
    t.after(() => closed.stop());
    assert.equal((await closed.fetch(authUrl({}, '/dex/auth/saml'))).status, 400);
    assert.ok(
      closed.log.some((line) => reason.test(line)),
      String(reason),
    );
  }
});

test('settings: what is required, what excludes what, short names of formats', () => {
  const base = `ssoURL: ${SSO}\nredirectURI: ${CALLBACK}\nusernameAttr: n\nemailAttr: m\n`;
  assert.deepEqual(trySettings(samlSection, base).errors, [' has no certificate to check signatures with']);
  assert.equal(trySettings(samlSection, `${base}ca: a\ncaData: b`).errors.length, 1);
  assert.equal(trySettings(samlSection, `${base}ca: a\nnameIDPolicyFormat: nonsense`).errors.length, 1);
  assert.equal(trySettings(samlSection, `${base}ca: a\nfilterGroups: true`).errors.length, 1);
  assert.equal(trySettings(samlSection, `ca: a`).errors.length, 4);
  const { value, errors } = trySettings(samlSection, `${base}ca: a\nnameIDPolicyFormat: emailAddress`);
  assert.deepEqual(errors, []);
  assert.equal(value.nameIDPolicyFormat, 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress');
});
