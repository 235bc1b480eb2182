/** Owns the rows about the return from an upstream provider. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeSamlKeys, samlResponse, signSaml } from '../../../testkit/src/saml-idp.ts';
import { startUpstreamServer } from '../../../testkit/src/upstream-server.ts';
import type { UpstreamServer } from '../../../testkit/src/upstream-server.ts';
import { authUrl, claimsOf, locationOf, openLogin, redeem, USERS } from '../test-identity.ts';
import type { TestIdentity, Tokens } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Section } from './row.ts';
import type { Servers } from './servers.ts';

const FAILED = /Authentication failed\. Please contact your administrator or try again later\./;
const PUBLIC = { 'x-forwarded-host': 'login.example.com', 'x-forwarded-proto': 'https' };
const PERSON = { id: 7, login: 'kim', full_name: 'Kim', email: 'kim@example.com' };
const MOCKS = {
  config: `${USERS}connectors:\n- {type: mockCallback, id: zed, name: Zed}\n- {type: authproxy, id: proxy, name: Proxy}\n`,
};

interface Returning {
  readonly identity: TestIdentity;
  readonly upstream: UpstreamServer;
  readonly state: string;
}

/** A person who comes back from a Gitea; `groups` are those that may log in. */
async function returning(servers: Servers, orgs = ''): Promise<Returning> {
  const upstream = await startUpstreamServer({
    '/login/oauth/access_token': { body: { access_token: 'at', token_type: 'bearer' } },
    '/api/v1/user': { body: PERSON },
    '/api/v1/user/orgs': { body: [] },
    '/api/v1/user/teams': { body: [] },
  });
  servers.after(() => upstream.close());
  const settings = `baseURL: "${upstream.origin}", clientID: dex, clientSecret: s, redirectURI: "https://login.example.com/dex/callback"${orgs}`;
  const identity = await servers.fresh({
    config: `connectors: [{type: gitea, id: gitea, name: G, config: {${settings}}}]\n`,
  });
  const out = locationOf(await identity.fetch(authUrl({}, '/dex/auth/gitea')));
  return { identity, upstream, state: out.searchParams.get('state') ?? '' };
}

const back = (state: string, more: Record<string, string> = { code: 'c' }): string =>
  `/dex/callback?${new URLSearchParams({ state, ...more }).toString()}`;

async function mockState(identity: TestIdentity): Promise<string> {
  return locationOf(await identity.fetch(authUrl({}, '/dex/auth/zed'))).searchParams.get('state') ?? '';
}

interface SamlReturn {
  readonly identity: TestIdentity;
  readonly form: Record<string, string>;
  readonly headers: Record<string, string>;
}

async function samlReturning(servers: Servers): Promise<SamlReturn> {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-saml-'));
  servers.after(() => rmSync(directory, { recursive: true, force: true }));
  const keys = makeSamlKeys(directory, 'idp');
  const callback = 'https://login.example.com/dex/callback';
  const caData = Buffer.from(keys.certificate).toString('base64');
  const settings = `ssoURL: "https://idp.example.com/sso", redirectURI: "${callback}", caData: "${caData}", usernameAttr: name, emailAttr: mail`;
  const identity = await servers.fresh({
    config: `connectors: [{type: saml, id: saml, name: S, config: {${settings}}}]\n`,
  });
  const page = await identity.fetch(authUrl({}, '/dex/auth/saml'), { headers: PUBLIC });
  const html = await page.text();
  const field = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? '';
  const requestId = /ID="([^"]*)"/.exec(Buffer.from(field('SAMLRequest'), 'base64').toString())?.[1] ?? '';
  const xml = signSaml(samlResponse({ destination: callback, audience: callback, requestId, nowMs: identity.now }), {
    keys,
    what: 'Response',
  });
  const cookie = page.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return {
    identity,
    form: { SAMLResponse: Buffer.from(xml).toString('base64'), RelayState: field('RelayState') },
    headers: { ...PUBLIC, cookie },
  };
}

export const CALLBACKS: Section = {
  id: '2.8',
  title: 'The return from an upstream',
  rows: [
    {
      id: 'success',
      fact: 'A good answer goes on as after a login: by 303 to the redirect URI, with a code for that person.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, state } = await returning(servers);
        const done = await identity.fetch(back(state));
        assert.equal(done.status, 303);
        const tokens = await redeem(identity, locationOf(done).searchParams.get('code') ?? '');
        assert.equal(claimsOf(((await tokens.json()) as Tokens).id_token)['email'], PERSON.email);
      },
    },
    {
      id: 'success-approval',
      fact: 'Where approval is asked for it goes by 303 to /approval with req and hmac.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ ...MOCKS, oauth2: 'skipApprovalScreen: false' });
        const done = await identity.fetch(back(await mockState(identity)));
        assert.match(done.headers.get('location') ?? '', /^\/dex\/approval\?req=[a-z0-9]+&hmac=[\w-]{43}$/);
      },
    },
    {
      id: 'own-path',
      fact: '/callback/<id> is as good as /callback for the connector whose login it was.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        const target = back(await mockState(identity)).replace('/callback?', '/callback/zed?');
        assert.equal((await identity.fetch(target)).status, 303);
      },
    },
    {
      id: 'other-path',
      fact: '/callback/<id> of another connector is a page with 400.',
      stand: 'other',
      dex: 'Answers 500.',
      why: 'The request is wrong, not the server.',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        const target = back(await mockState(identity)).replace('/callback?', '/callback/proxy?');
        await expectPage(await identity.fetch(target), 400, /Requested resource does not exist\./);
      },
    },
    {
      id: 'state-missing',
      fact: 'Without state, and for a form without RelayState, it is a page with 400: "User session error."',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        await expectPage(await identity.fetch('/dex/callback'), 400, /User session error\./);
        await expectPage(await identity.fetch('/dex/callback?state=&code=c'), 400, /User session error\./);
        await expectPage(await identity.post('/dex/callback', { SAMLResponse: 'x' }), 400, /User session error\./);
      },
    },
    {
      id: 'state-unknown',
      fact: 'A state that this server did not make, or made for a login page, is a page with 400.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        const ofPage = new URL(await openLogin(identity), 'http://x').searchParams.get('state') ?? '';
        for (const state of ['x', 'abcdefghijklmnopqrstuvwxyz', ofPage])
          await expectPage(await identity.fetch(back(state)), 400, /Requested resource does not exist\./);
      },
    },
    {
      id: 'state-expired',
      fact: 'A state whose time is over is a page with 400.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh(MOCKS);
        const state = await mockState(identity);
        identity.now += 24 * 3_600_000 + 1000;
        await expectPage(await identity.fetch(back(state)), 400, /User session has expired\./);
      },
    },
    {
      id: 'kind',
      fact: 'A redirect to a SAML connector, or a form to one of OAuth 2.0, is a page with 400.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        const state = await mockState(identity);
        await expectPage(
          await identity.post('/dex/callback', { RelayState: state, SAMLResponse: 'x' }),
          400,
          /error|Invalid/,
        );
        const saml = await samlReturning(servers);
        await expectPage(await saml.identity.fetch(back(saml.form['RelayState'] ?? '')), 400, /does not exist|Invalid/);
      },
    },
    {
      id: 'methods',
      fact: 'Methods other than GET and POST are a page with 400: "Method not supported".',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        for (const method of ['PUT', 'DELETE', 'PATCH'])
          await expectPage(await identity.fetch(back('x'), { method }), 400, /Method not supported/);
      },
    },
    {
      id: 'upstream-error',
      fact: 'An error that the upstream sends back is a page with 500: "Authentication failed. …", without a word of it.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, state } = await returning(servers);
        const error = { error: 'access_denied', error_description: '<script>secret detail</script>' };
        const text = await expectPage(await identity.fetch(back(state, error)), 500, FAILED);
        assert.doesNotMatch(text, /secret detail|access_denied/);
        assert.ok(
          identity.log.some((line) => line.includes('secret detail')),
          'the reason is in the log',
        );
      },
    },
    {
      id: 'upstream-failure',
      fact: 'An upstream that fails, or sends no code, is the same page with 500.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, upstream, state } = await returning(servers);
        await expectPage(await identity.fetch(back(state, {})), 500, FAILED);
        upstream.routes.set('/login/oauth/access_token', { status: 502, body: 'secret detail' });
        const text = await expectPage(await identity.fetch(back(state)), 500, FAILED);
        assert.doesNotMatch(text, /secret detail|502|gitea/);
      },
    },
    {
      id: 'outsider',
      fact: 'A person in none of the required groups gets a page with 403: "You are not a member of any of the required groups to authenticate."',
      stand: 'more',
      dex: 'So for microsoft; for other connectors it is the page with 500.',
      why: 'The person can do something about it, the administrator of this server cannot.',
      proof: async (servers) => {
        const { identity, state } = await returning(servers, ', orgs: [{name: wanted}]');
        const words = /You are not a member of any of the required groups to authenticate\./;
        await expectPage(await identity.fetch(back(state)), 403, words);
      },
    },
    {
      id: 'denied',
      fact: 'An answer that names nobody who may log in is "Authentication failed. …" with 403.',
      stand: 'other',
      dex: 'Answers 500.',
      why: 'Monitoring must not count people who may not log in as failures of the server.',
      proof: async (servers) => {
        const identity = await servers.at(MOCKS);
        const out = locationOf(await identity.fetch(authUrl({}, '/dex/auth/proxy')));
        await expectPage(await identity.fetch(out.pathname + out.search), 403, FAILED);
      },
    },
    {
      id: 'saml',
      fact: 'A SAML answer comes as a form with SAMLResponse and RelayState, and goes on as after a login.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, form, headers } = await samlReturning(servers);
        const done = await identity.post('/dex/callback', form, headers);
        assert.equal(done.status, 303, await done.text());
        assert.match(done.headers.get('location') ?? '', /^\/login\/oidc\?code=/);
      },
    },
    {
      id: 'saml-once',
      fact: 'A SAML answer logs in once, and only in the browser in which the login began.',
      stand: 'safer',
      dex: 'RelayState is the id of the request, and whoever has it may use it.',
      why: 'A form can be sent again, and from anywhere.',
      proof: async (servers) => {
        const { identity, form, headers } = await samlReturning(servers);
        const elsewhere = await identity.post('/dex/callback', form, PUBLIC);
        assert.equal(elsewhere.status, 400);
        assert.equal((await identity.post('/dex/callback', form, headers)).status, 303);
        assert.equal((await identity.post('/dex/callback', form, headers)).status, 400);
      },
    },
  ],
};
