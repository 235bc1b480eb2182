/** A login by SAML in a real browser over plain http, where cookies do not come along with another site's form. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { launchChromium } from '../../testkit/src/chromium.ts';
import { makeSamlKeys, samlResponse, signSaml } from '../../testkit/src/saml-idp.ts';
import type { SamlKeys } from '../../testkit/src/saml-idp.ts';
import { authUrl, startTestIdentity } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
const options = existsSync(CHROMIUM) ? {} : { skip: 'chromium is not installed (apt-get install chromium)' };
const CALLBACK = 'http://127.0.0.1/dex/callback';

interface Provider {
  readonly server: Server;
  readonly address: string;
  answers: number;
  /** Where the provider under test listens. */
  origin: string;
}

/** Answers each request at once with a form that sends itself. `localhost` and `127.0.0.1` are different sites. */
async function startProvider(keys: SamlKeys): Promise<Provider> {
  const provider = { answers: 0, origin: '' };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const form = new URLSearchParams(body);
      const asked = Buffer.from(form.get('SAMLRequest') ?? '', 'base64').toString();
      const requestId = /ID="([^"]*)"/.exec(asked)?.[1] ?? '';
      const parts = { destination: CALLBACK, audience: CALLBACK, requestId, nowMs: Date.now() };
      const answer = Buffer.from(signSaml(samlResponse(parts), { keys, what: 'Assertion' })).toString('base64');
      provider.answers += 1;
      response.setHeader('content-type', 'text/html');
      response.end(`<form method="post" action="${provider.origin}/dex/callback">
        <input name="SAMLResponse" value="${answer}"><input name="RelayState" value="${form.get('RelayState') ?? ''}">
        </form><script>document.forms[0].submit()</script>`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = `http://localhost:${(server.address() as AddressInfo).port}/sso`;
  return Object.assign(provider, { server, address });
}

function settings(keys: SamlKeys, { address }: Provider): string {
  const caData = Buffer.from(keys.certificate).toString('base64');
  const config = `{ssoURL: "${address}", redirectURI: "${CALLBACK}", caData: "${caData}", usernameAttr: name, emailAttr: mail}`;
  return `sessions: {}\nconnectors: [{type: saml, id: saml, name: Company, config: ${config}}]\n`;
}

test('the login succeeds, leaves a session, and the next one asks nobody', options, async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'saml-browser-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const keys = makeSamlKeys(directory, 'idp');
  const provider = await startProvider(keys);
  t.after(() => provider.server.close());
  const identity: TestIdentity = await startTestIdentity({ config: settings(keys, provider) });
  t.after(() => identity.stop());
  provider.origin = identity.origin;
  const browser = await launchChromium();
  t.after(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  await page.goto(identity.origin + authUrl({}, '/dex/auth/saml'), { waitUntil: 'commit' });
  await page.waitForURL(/\/login\/oidc\?code=/);
  assert.equal(provider.answers, 1);
  const names = (await page.context().cookies()).map(({ name }) => name);
  assert.deepEqual(
    names.filter((name) => name.startsWith('dex_')),
    ['dex_session_login', 'dex_session'],
  );
  await page.goto(identity.origin + authUrl({ state: 'second' }, '/dex/auth/saml'));
  assert.match(page.url(), /\/login\/oidc\?code=.*state=second/);
  assert.equal(provider.answers, 1, 'the provider was not asked again');
});
