import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { systemClock } from '@kfctl/core';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import { runOAuth2ConnectorSuite } from '../../../../testkit/src/oauth2-connector.ts';
import { forHolder, startUpstreamServer, STUB, tokenEndpoint } from '../../../../testkit/src/upstream-server.ts';
import { readSettings, STUB_SETTINGS } from '../../../test/read-settings.ts';
import type { LoginOutcome } from '../connector.ts';
import { googleSchema } from './google-config.ts';
import { createGoogleConnector } from './google-connector.ts';
import type { GooglePlaces } from './google-connector.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const KEYS = { keys: [exportPublicJwk(publicKey, 'g1')] };
const directory = mkdtempSync(path.join(tmpdir(), 'google-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function places(origin: string): GooglePlaces {
  return {
    issuer: origin,
    authorization: `${origin}/auth`,
    token: `${origin}/token`,
    keys: `${origin}/certs`,
    directory: `${origin}/directory`,
  };
}

function idToken(origin: string, nonce: string, changes: object = {}): string {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: origin,
    aud: STUB.clientID,
    sub: 'g-1',
    email: 'kim@acme.example',
    email_verified: true,
    name: 'Kim',
    hd: 'acme.example',
  };
  return signJwt(
    { ...claims, iat: now, exp: now + 300, nonce, ...changes },
    { kid: 'g1', alg: 'RS256', key: privateKey },
  );
}

function serviceAccount(origin: string): string {
  const file = path.join(directory, 'account.json');
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(
    file,
    JSON.stringify({ client_email: 'robot@x', private_key: key, private_key_id: 'r1', token_uri: `${origin}/robot` }),
  );
  return file;
}

runOAuth2ConnectorSuite({
  name: 'google',
  tokenPath: '/token',
  userPath: '/certs',
  pkce: true,
  refreshes: true,
  tokens: (origin, nonce) => ({ id_token: idToken(origin, nonce()) }),
  open: (origin) => {
    const settings = `hostedDomains: [acme.example]\nserviceAccountFilePath: ${serviceAccount(origin)}\ndomainToAdminEmail: {acme.example: boss@acme.example}\nfetchTransitiveGroupMembership: true`;
    return Promise.resolve(
      createGoogleConnector(
        readSettings(googleSchema, STUB_SETTINGS + settings),
        { clock: systemClock },
        places(origin),
      ),
    );
  },
  routes: () => ({
    '/certs': { body: KEYS },
    '/robot': { body: { access_token: STUB.accessToken } },
    '/directory/groups': forHolder(({ query }) => {
      const member = query.get('userKey');
      // Two groups that hold each other do not go on for ever.
      const groups = member === 'kim@acme.example' ? ['ops@acme.example'] : ['all@acme.example', 'ops@acme.example'];
      return { body: { groups: groups.map((email) => ({ email })) } };
    }),
  }),
  expected: {
    userId: 'g-1',
    username: 'Kim',
    preferredUsername: '',
    email: 'kim@acme.example',
    emailVerified: true,
    groups: ['ops@acme.example', 'all@acme.example'],
  },
});

async function logIn(
  t: TestContext,
  token: (origin: string) => string,
  query: Record<string, string> = {},
): Promise<LoginOutcome> {
  const upstream = await startUpstreamServer({ '/certs': { body: KEYS } });
  upstream.routes.set(
    '/token',
    tokenEndpoint(
      () => undefined,
      () => ({ id_token: token(upstream.origin) }),
    ),
  );
  const config = readSettings(googleSchema, `${STUB_SETTINGS}hostedDomains: [acme.example]`);
  const connector = createGoogleConnector(config, { clock: systemClock }, places(upstream.origin));
  t.after(async () => {
    await connector.close?.();
    await upstream.close();
  });
  const scopes = { groups: false, offlineAccess: false };
  const outcome = await connector.callback?.finish({
    query: new URLSearchParams({ code: STUB.code, ...query }),
    carried: { nonce: 'mine' },
    scopes,
    headers: {},
    ownPath: false,
  });
  assert.ok(outcome);
  return outcome;
}

test('refuses ID tokens of another client, issuer, login, time or key', async (t) => {
  const wrong = [
    { aud: 'another-client' },
    { aud: [STUB.clientID, 'x'], azp: 'x' },
    { iss: 'https://evil.example' },
    { nonce: 'another login' },
    { nonce: undefined },
    { exp: 1 },
  ];
  for (const changes of wrong)
    await assert.rejects(
      logIn(t, (origin) => idToken(origin, 'mine', changes)),
      JSON.stringify(changes),
    );
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.`;
  await assert.rejects(logIn(t, () => none));
  await assert.rejects(logIn(t, () => ''));
  assert.equal((await logIn(t, (origin) => idToken(origin, 'mine'))).kind, 'authenticated');
});

test('refuses an answer that names another issuer (mix-up)', async (t) => {
  await assert.rejects(
    logIn(t, (origin) => idToken(origin, 'mine'), { iss: 'https://evil.example' }),
    /another upstream/,
  );
});

test('denies people of other domains and says when an address is not verified', async (t) => {
  assert.equal((await logIn(t, (origin) => idToken(origin, 'mine', { hd: 'evil.example' }))).kind, 'denied');
  assert.equal((await logIn(t, (origin) => idToken(origin, 'mine', { hd: undefined }))).kind, 'denied');
  const outcome = await logIn(t, (origin) => idToken(origin, 'mine', { email_verified: 'true' }));
  assert.equal(outcome.kind === 'authenticated' && outcome.identity.emailVerified, false);
});
