/** Attacks by size on the one address that takes large forms before anybody has logged in, and what the size is for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeSamlKeys, samlResponse, signSaml } from '../../../testkit/src/saml-idp.ts';
import type { SamlKeys } from '../../../testkit/src/saml-idp.ts';
import { authUrl, claimsOf, locationOf, redeem, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

const CALLBACK = 'https://login.example.com/dex/callback';
const PUBLIC = { 'x-forwarded-host': 'login.example.com', 'x-forwarded-proto': 'https' };
const MiB = 1_048_576;

const directory = mkdtempSync(path.join(tmpdir(), 'posted-form-'));
let keys: SamlKeys;
let identity: TestIdentity;

before(async () => {
  keys = makeSamlKeys(directory, 'idp');
  const caData = Buffer.from(keys.certificate).toString('base64');
  const config = `{ssoURL: "https://idp.example.com/sso", redirectURI: "${CALLBACK}", caData: "${caData}", usernameAttr: name, emailAttr: mail, groupsAttr: groups}`;
  identity = await startTestIdentity({ config: `connectors: [{type: saml, id: saml, name: S, config: ${config}}]\n` });
});
after(async () => {
  await identity.stop();
  rmSync(directory, { recursive: true });
});

interface Answer {
  readonly form: Record<string, string>;
  readonly headers: Record<string, string>;
}

async function answerWith(groups: readonly string[]): Promise<Answer> {
  const page = await identity.fetch(authUrl({}, '/dex/auth/saml'), { headers: PUBLIC });
  const html = await page.text();
  const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const requestId = /ID="([^"]*)"/.exec(Buffer.from(field('SAMLRequest'), 'base64').toString())?.[1] ?? '';
  const parts = { destination: CALLBACK, audience: CALLBACK, requestId, nowMs: identity.now, attributes: { groups } };
  const xml = signSaml(samlResponse(parts), { keys, what: 'Response' });
  const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    form: { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: field('RelayState') },
    headers: { ...PUBLIC, cookie },
  };
}

const bytesOf = (form: Record<string, string>): number => new URLSearchParams(form).toString().length;

/** A POST whose body never comes to its end. */
async function hold(t: TestContext, head: string): Promise<Socket> {
  const socket = connect(Number(new URL(identity.origin).port), '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(
    `POST /dex/callback HTTP/1.1\r\nhost: login.example.com\r\ncontent-type: application/x-www-form-urlencoded\r\n${head}\r\n\r\n`,
  );
  return socket;
}

test('somebody in 2,000 groups logs in: an answer of several hundred kilobytes', async () => {
  const groups = Array.from({ length: 2000 }, (_, index) => `CN=data-science-${index},OU=Groups,DC=example,DC=com`);
  const { form, headers } = await answerWith(groups);
  assert.ok(bytesOf(form) > 400_000 && bytesOf(form) < MiB, String(bytesOf(form)));
  const response = await identity.post('/dex/callback', form, headers);
  assert.equal(response.status, 303, await response.text());
  const code = locationOf(response).searchParams.get('code') ?? '';
  const tokens = (await (await redeem(identity, code)).json()) as Tokens;
  assert.equal((claimsOf(tokens.id_token)['groups'] as string[]).length, 2000);
});

test('more than a mebibyte is refused, said or unsaid, and nothing else may be as large', async () => {
  const { form, headers } = await answerWith(['a']);
  const tooLarge = { ...form, pad: 'x'.repeat(MiB) };
  assert.equal((await identity.post('/dex/callback', tooLarge, headers)).status, 413);
  const unsaid = await identity.fetch('/dex/callback', {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new Blob([new URLSearchParams(tooLarge).toString()]).stream(),
    duplex: 'half',
  } as RequestInit);
  assert.equal(unsaid.status, 413);
  for (const target of ['/dex/token', '/dex/logout', '/dex/auth', '/dex/device/code'])
    assert.equal((await identity.post(target, { pad: 'x'.repeat(70_000) })).status, 413, target);
  assert.equal((await identity.post('/dex/callback', form, headers)).status, 303);
});

test('a flood of large forms is held to sixteen; small answers go on, and the places come back', async (t) => {
  const held: Socket[] = [];
  for (let count = 0; count < 8; count += 1) {
    held.push(await hold(t, `content-length: ${MiB}`), await hold(t, 'transfer-encoding: chunked'));
  }
  const nonsense = { SAMLResponse: 'x'.repeat(100_000), RelayState: 'x' };
  let refused = await identity.post('/dex/callback', nonsense);
  while (refused.status !== 503) refused = await identity.post('/dex/callback', nonsense);
  assert.match(await refused.text(), /Too many logins at once/);
  const small = await answerWith(['a']);
  assert.equal((await identity.post('/dex/callback', small.form, small.headers)).status, 303);
  for (const socket of held) socket.destroy();
  const large = await answerWith(Array.from({ length: 1000 }, (_, index) => `group-${index}`));
  let status = 503;
  while (status === 503) ({ status } = await identity.post('/dex/callback', large.form, large.headers));
  assert.equal(status, 303);
});

test('documents that are dear to read are refused early, whatever their size', async () => {
  const wide = Array.from({ length: 49 }, (_, index) => ` xmlns:p${index}="u${index}"`).join('');
  const more = Array.from({ length: 49 }, (_, index) => ` xmlns:q${index}="u${index}"`).join('');
  for (const [what, document] of [
    ['namespaces', `<a${wide}><b${more}><c xmlns:r="u" xmlns:s="u" xmlns:t="u"/></b></a>`],
    ['elements', `<a>${'<b/>'.repeat(25_000)}</a>`],
    ['nested', `${'<a>'.repeat(50_000)}`],
  ] as const) {
    const { form, headers } = await answerWith(['a']);
    const SAMLResponse = Buffer.from(document).toString('base64');
    assert.equal((await identity.post('/dex/callback', { ...form, SAMLResponse }, headers)).status, 500);
    assert.ok(
      identity.log.some((line) => line.includes(what)),
      what,
    );
  }
});
