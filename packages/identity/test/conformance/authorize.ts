/** Owns the rows about `/auth/{connector}`: what is refused, in which order and how, and where a good request goes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeSamlKeys } from '../../../testkit/src/saml-idp.ts';
import { AUTH, authUrl, locationOf, login, openLogin, USERS } from '../test-identity.ts';
import type { TestOptions } from '../test-identity.ts';
import { CHOOSE_CONNECTOR } from './choose-connector.ts';
import { expectPage, expectRefusal } from './expectations.ts';
import { REDIRECT_URIS } from './redirect-uris.ts';
import type { Row, Section } from './row.ts';

const HOUR = 3_600_000;
const ALL_TYPES: TestOptions = { oauth2: 'skipApprovalScreen: true, responseTypes: [code, token, id_token]' };
const CHALLENGE = 'c'.repeat(43);

interface Refusal {
  readonly error: string;
  readonly text: RegExp;
  readonly options?: TestOptions;
  readonly more?: Pick<Row, 'stand' | 'dex' | 'why' | 'follows'>;
}

/** A request with these changes goes back to the client with the error. */
function refusal(
  id: string,
  fact: string,
  {
    error,
    text,
    options,
    more,
    ...rest
  }: Refusal & { readonly changes: readonly Record<string, string | undefined>[] },
): Row {
  return {
    id,
    fact,
    ...(more ?? { stand: 'kept' }),
    proof: async (servers) => {
      const identity = await servers.at(options);
      for (const changes of rest.changes) {
        const response = await identity.fetch(authUrl(changes));
        expectRefusal(response, error, text);
        const { client_id = 'app', redirect_uri = client_id === 'app' ? AUTH.redirect_uri : '' } = changes;
        const registered = redirect_uri.startsWith('/') ? locationOf(response).pathname : redirect_uri;
        assert.equal(registered, redirect_uri);
      }
    },
  };
}

const RULES: readonly Row[] = [
  refusal('connector-other', 'A connector_id of another connector than the path’s is invalid_request.', {
    changes: [{ connector_id: 'other' }],
    error: 'invalid_request',
    text: /ConnectorID/,
  }),
  refusal('connector-not-allowed', 'A connector that the client does not accept is access_denied.', {
    changes: [{ client_id: 'tied', redirect_uri: '/tied' }],
    error: 'access_denied',
    text: /does not accept/,
    more: { stand: 'kept', dex: '2.45 has no allowedConnectors; later versions refuse too.', follows: 'head' },
  }),
  refusal('request-object', 'A request object is request_not_supported.', {
    changes: [{ request: 'eyJhbGciOiJub25lIn0.e30.' }],
    error: 'request_not_supported',
    text: /request parameter/,
  }),
  refusal('request-uri', 'An authorization request with request_uri is request_uri_not_supported.', {
    changes: [{ request_uri: 'https://evil.example/request' }],
    error: 'request_uri_not_supported',
    text: /request_uri/,
    more: { stand: 'safer', dex: 'Ignores it.', why: 'A client that sends one counts on what is in it.' },
  }),
  refusal('pkce-method', 'A code_challenge_method other than S256 and plain is invalid_request.', {
    changes: [
      { code_challenge: CHALLENGE, code_challenge_method: 'S512' },
      { code_challenge: CHALLENGE, code_challenge_method: 's256' },
    ],
    error: 'invalid_request',
    text: /Unsupported PKCE challenge method/,
  }),
  refusal(
    'pkce-malformed',
    'A code_challenge of other characters, or of another length than 43 to 128, is invalid_request.',
    {
      changes: [{ code_challenge: 'short', code_challenge_method: 'S256' }, { code_challenge: '='.repeat(43) }],
      error: 'invalid_request',
      text: /Malformed code_challenge/,
      more: { stand: 'safer', dex: 'Takes any text.', why: 'RFC 7636 §4.2; a short plain challenge can be guessed.' },
    },
  ),
  refusal('pkce-enforced', 'With oauth2.pkce.enforce a request without code_challenge is invalid_request.', {
    changes: [{}],
    error: 'invalid_request',
    text: /PKCE is required/,
    options: { oauth2: 'skipApprovalScreen: true, pkce: {enforce: true}' },
    more: { stand: 'kept', dex: '2.45 has no such setting; later versions as here.', follows: 'head' },
  }),
  refusal(
    'scope-openid',
    'A request without the scope openid is invalid_scope: Missing required scope(s) ["openid"].',
    {
      changes: [{ scope: 'profile' }, { scope: undefined }, { scope: 'OpenID' }],
      error: 'invalid_scope',
      text: /^Missing required scope\(s\) \["openid"\]\.$/,
    },
  ),
  refusal('scope-unknown', 'An unknown scope is invalid_scope and is named: Unrecognized scope(s) ["x"].', {
    changes: [{ scope: 'openid x' }],
    error: 'invalid_scope',
    text: /^Unrecognized scope\(s\) \["x"\]$/,
  }),
  refusal(
    'scope-untrusted',
    'The audience of a client that does not trust the asking one is invalid_scope: Client can’t request scope(s) […].',
    {
      changes: ['spa', 'nobody'].map((id) => ({ scope: `openid audience:server:client_id:${id}` })),
      error: 'invalid_scope',
      text: /^Client can't request scope\(s\) \["audience:server:client_id:(?:spa|nobody)"\]$/,
    },
  ),
  refusal('type-unknown', 'An unknown word in response_type is invalid_request.', {
    changes: [{ response_type: 'magic' }, { response_type: 'code magic' }],
    error: 'invalid_request',
    text: /Invalid response type "magic"/,
  }),
  refusal('type-off', 'A word that is not enabled is unsupported_response_type.', {
    changes: ['id_token', 'token', 'code id_token', 'code token'].map((type) => ({ response_type: type, nonce: 'n' })),
    error: 'unsupported_response_type',
    text: /Unsupported response type "(?:id_token|token)"/,
  }),
  refusal('type-missing', 'No response_type is invalid_request.', {
    changes: [{ response_type: undefined }, { response_type: ' ' }],
    error: 'invalid_request',
    text: /No response_type provided/,
  }),
  refusal('type-token-alone', 'token alone is invalid_request, also where it is enabled.', {
    changes: [{ response_type: 'token', nonce: 'n' }],
    error: 'invalid_request',
    text: /'token' must be provided with/,
    options: ALL_TYPES,
  }),
  refusal('type-nonce', 'A response without a code needs a nonce: invalid_request without.', {
    changes: [{ response_type: 'id_token' }, { response_type: 'id_token token' }],
    error: 'invalid_request',
    text: /requires a 'nonce'/,
    options: ALL_TYPES,
  }),
  refusal('type-oob', 'Tokens never go to the out-of-band page: invalid_request.', {
    changes: [
      { client_id: 'cli', redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', response_type: 'id_token', nonce: 'n' },
      { client_id: 'cli', redirect_uri: 'urn:ietf:wg:oauth:2.0:oob', response_type: 'code id_token', nonce: 'n' },
    ],
    error: 'invalid_request',
    text: /oob/,
    options: ALL_TYPES,
  }),
];

const ENFORCED: Row = {
  id: 'pkce-enforced-met',
  fact: 'With oauth2.pkce.enforce a request with code_challenge goes on; without enforce one without goes on too.',
  stand: 'kept',
  dex: '2.45 has no such setting; later versions as here.',
  follows: 'head',
  proof: async (servers) => {
    const strict = await servers.at({ oauth2: 'skipApprovalScreen: true, pkce: {enforce: true}' });
    const challenge = { code_challenge: CHALLENGE, code_challenge_method: 'S256' };
    assert.equal((await strict.fetch(authUrl(challenge))).status, 302);
    assert.equal((await (await servers.at()).fetch(authUrl())).status, 302);
  },
};

const ORDER: readonly Row[] = [
  {
    id: 'client-unknown',
    fact: 'A client that is not there is a page with 404: "Invalid client_id.", whatever else is wrong.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const wrong = { redirect_uri: 'https://evil.example', scope: 'x', response_type: 'magic' };
      for (const client_id of ['nobody', '', '__proto__', 'APP']) {
        await expectPage(await identity.fetch(authUrl({ client_id })), 404, /Invalid client_id\./);
        await expectPage(await identity.fetch(authUrl({ ...wrong, client_id })), 404, /Invalid client_id\./);
      }
    },
  },
  {
    id: 'client-lost',
    fact: 'A storage that does not answer when a client is looked up is a page with 500 that says nothing about it.',
    stand: 'kept',
    proof: async (servers) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'identity-lost-'));
      servers.after(() => rmSync(directory, { recursive: true, force: true }));
      const file = path.join(directory, 'dex.db');
      const identity = await servers.fresh({ storage: `type: sqlite3, config: {file: ${file}}` });
      const database = new DatabaseSync(file);
      database.exec('DROP TABLE record');
      database.close();
      const text = await expectPage(
        await identity.fetch(authUrl({ client_id: 'stored' })),
        500,
        /Internal Server Error/,
      );
      assert.doesNotMatch(text, /sqlite|no such table/i);
    },
  },
  {
    id: 'uri-before-rules',
    fact: 'The redirect URI is judged before everything that would be told to it.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const changes of [{ scope: 'x' }, { request: 'x' }, { response_type: 'magic' }, { connector_id: 'nope' }]) {
        const response = await identity.fetch(authUrl({ ...changes, redirect_uri: 'https://evil.example/' }));
        await expectPage(response, 400, /Unregistered redirect_uri\./);
      }
    },
  },
  {
    id: 'error-form',
    fact: 'From there on errors go to the client by 303 with error, error_description and state in the query, which is kept.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const response = await identity.fetch(authUrl({ scope: 'x', redirect_uri: 'https://app.example.com/cb?x=1' }));
      expectRefusal(response, 'invalid_scope', /openid/);
      assert.match(response.headers.get('location') ?? '', /^https:\/\/app\.example\.com\/cb\?x=1&error=/);
      expectRefusal(await identity.fetch(authUrl({ scope: 'x', state: undefined })), 'invalid_scope', /openid/, '');
    },
  },
  {
    id: 'first-broken-rule',
    fact: 'Of several broken rules the first is told: connector, request object, PKCE, scopes, response type, nonce.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const wrong: Record<string, string>[] = [
        { connector_id: 'other' },
        { request: 'x' },
        { code_challenge: CHALLENGE, code_challenge_method: 'x' },
        { scope: 'x' },
        { response_type: 'magic' },
      ];
      const errors = [
        'invalid_request',
        'request_not_supported',
        'invalid_request',
        'invalid_scope',
        'invalid_request',
      ];
      const texts = [/ConnectorID/, /request parameter/, /PKCE/, /openid/, /magic/];
      for (const [index, text] of texts.entries()) {
        const changes = Object.assign({}, ...wrong.slice(index)) as Record<string, string>;
        expectRefusal(await identity.fetch(authUrl(changes)), errors[index] ?? '', text);
      }
    },
  },
  {
    id: 'repeated',
    fact: 'A parameter of an authorization request that is given twice is a page with 400.',
    stand: 'safer',
    dex: 'Takes the first.',
    why: 'RFC 6749 §3.1; what a filter before us judged must be what we read.',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const more of ['redirect_uri=https://evil.example', 'client_id=app', 'scope=openid'])
        await expectPage(await identity.fetch(`${authUrl()}&${more}`), 400, /more than once/);
      assert.equal((await identity.post(authUrl(), { scope: 'openid' })).status, 400);
    },
  },
  {
    id: 'oversized',
    fact: 'A parameter of an authorization request of more than 4096 characters is a page with 400.',
    stand: 'safer',
    dex: 'Stores it.',
    why: 'Requests of strangers are kept small.',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(authUrl({ state: 'x'.repeat(4097) }));
      await expectPage(response, 400, /too long/);
      assert.equal((await (await servers.at()).fetch(authUrl({ state: 'x'.repeat(4096) }))).status, 302);
    },
  },
];

const GOOD: readonly Row[] = [
  {
    id: 'white-space',
    fact: 'Scopes may be divided by any white space.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const scope of ['openid  email', ' openid\temail ', 'openid\nemail', 'email\u00A0openid'])
        assert.equal((await identity.fetch(authUrl({ scope }))).status, 302, JSON.stringify(scope));
    },
  },
  {
    id: 'pkce-plain',
    fact: 'A challenge without a method is taken as plain.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(authUrl({ code_challenge: CHALLENGE }));
      assert.equal(response.status, 302);
      const only = { oauth2: 'pkce: {codeChallengeMethodsSupported: [S256]}' };
      const refused = await (await servers.at(only)).fetch(authUrl({ code_challenge: CHALLENGE }));
      expectRefusal(refused, 'invalid_request', /"plain"/);
    },
  },
  {
    id: 'ignored',
    fact: 'Unknown parameters, display, ui_locales, claims_locales, acr_values, claims and response_mode change nothing.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const more = { display: 'page', ui_locales: 'de', claims_locales: 'de', acr_values: '1', claims: '{}', x: 'y' };
      for (const response_mode of ['form_post', 'fragment', 'query']) {
        const response = await login(identity, { ...more, response_mode });
        assert.equal(response.status, 303);
        assert.match(response.headers.get('location') ?? '', /^\/login\/oidc\?code=[\w-]+&state=/);
      }
    },
  },
  {
    id: 'prompt-none',
    fact: 'prompt=none leads to the login page, as proxies before Kubeflow need it.',
    stand: 'kept',
    proof: async (servers) => {
      const page = await openLogin(await servers.at(), { prompt: 'none' });
      assert.match(page, /^\/dex\/auth\/local\/login\?/);
    },
  },
  {
    id: 'prompt-none-approval',
    fact: 'So it does where approval has to be asked for.',
    stand: 'kept',
    dex: '2.45 ignores prompt=none; later versions answer interaction_required then.',
    follows: 'release',
    why: 'With oauth2.strictPromptNone no page is shown.',
    proof: async (servers) => {
      const identity = await servers.at({ oauth2: 'skipApprovalScreen: false' });
      assert.equal(locationOf(await login(identity, { prompt: 'none' })).pathname, '/dex/approval');
      const strict = await servers.at({ oauth2: 'skipApprovalScreen: false, strictPromptNone: true' });
      expectRefusal(await strict.fetch(authUrl({ prompt: 'none' })), 'login_required', /log in/);
    },
  },
  {
    id: 'prompt-none-strict',
    fact: 'With oauth2.strictPromptNone, prompt=none is login_required where somebody would have to log in.',
    stand: 'more',
    dex: 'Has no such mode.',
    why: 'OpenID Connect Core §3.1.2.6 for clients that are written to it.',
    proof: async (servers) => {
      const identity = await servers.at({ oauth2: 'skipApprovalScreen: true, strictPromptNone: true' });
      expectRefusal(await identity.fetch(authUrl({ prompt: 'none' })), 'login_required', /log in/);
    },
  },
  {
    id: 'prompt-none-mixed',
    fact: 'prompt=none beside other words is invalid_request.',
    stand: 'safer',
    dex: '2.45 ignores prompt.',
    why: 'OpenID Connect Core §3.1.2.1; the client contradicts itself.',
    proof: async (servers) => {
      expectRefusal(await (await servers.at()).fetch(authUrl({ prompt: 'none login' })), 'invalid_request', /alone/);
    },
  },
  {
    id: 'prompt-consent',
    fact: 'approval_prompt=force, and prompt=consent, bring the approval page where it is skipped.',
    stand: 'kept',
    dex: '2.45 knows approval_prompt alone; later versions both.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const changes of [{ approval_prompt: 'force' }, { prompt: 'consent' }, { prompt: 'login consent' }])
        assert.equal(locationOf(await login(identity, changes)).pathname, '/dex/approval', JSON.stringify(changes));
      for (const changes of [{ approval_prompt: 'auto' }, { prompt: 'login' }])
        assert.equal(locationOf(await login(identity, changes)).pathname, '/login/oidc', JSON.stringify(changes));
    },
  },
  {
    id: 'max-age',
    fact: 'Without sessions max_age and id_token_hint change nothing, because everybody logs in anyway.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const changes of [{ max_age: '0' }, { max_age: '3600' }, { id_token_hint: 'x.y.z' }])
        assert.equal((await login(identity, changes)).status, 303, JSON.stringify(changes));
    },
  },
  {
    id: 'max-age-malformed',
    fact: 'A max_age that is no number of seconds is invalid_request.',
    stand: 'safer',
    dex: '2.45 ignores max_age.',
    why: 'OpenID Connect Core §3.1.2.1; the client means something.',
    proof: async (servers) => {
      for (const max_age of ['-1', 'x', '1.5', '99999999999'])
        expectRefusal(await (await servers.at()).fetch(authUrl({ max_age })), 'invalid_request', /max_age/);
    },
  },
  {
    id: 'connector-broken',
    fact: 'A connector that could not be opened is a page with 400: "Connector failed to initialize.", and nothing of why.',
    stand: 'kept',
    proof: async (servers) => {
      const search = '{baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}';
      const broken = `{type: ldap, id: ldap, name: L, config: {host: "x:1", rootCA: /nonexistent/ca.pem, userSearch: ${search}}}`;
      const identity = await servers.at({ config: `${USERS}connectors: [${broken}]\n` });
      const text = await expectPage(
        await identity.fetch(authUrl({}, '/dex/auth/ldap')),
        400,
        /Connector failed to initialize\./,
      );
      assert.doesNotMatch(text, /nonexistent/);
      assert.equal((await login(identity)).status, 303, 'the others work');
    },
  },
  {
    id: 'connector-unknown',
    fact: 'A connector that is not there is a page with 400 once client and redirect URI are good.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(authUrl({}, '/dex/auth/nope'));
      await expectPage(response, 400, /Requested resource does not exist\./);
    },
  },
  {
    id: 'lifetime',
    fact: 'A login must be finished within 24 h, or expiry.authRequests.',
    stand: 'kept',
    proof: async (servers) => {
      for (const [more, hours] of [
        ['', 24],
        ['expiry: {authRequests: 1h}\n', 1],
      ] as const) {
        const identity = await servers.fresh({ more });
        const page = await openLogin(identity);
        identity.now += hours * HOUR - 1000;
        assert.equal((await identity.fetch(page)).status, 200, more);
        identity.now += 2000;
        await expectPage(await identity.fetch(page), 400, /User session has expired\./);
      }
    },
  },
  {
    id: 'to-password',
    fact: 'A password connector leads by 302 to /auth/<id>/login?back=&state=…, below the issuer’s path.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(authUrl());
      assert.equal(response.status, 302);
      assert.match(response.headers.get('location') ?? '', /^\/dex\/auth\/local\/login\?back=&state=[\w.%-]+$/);
    },
  },
  {
    id: 'back-link',
    fact: 'With more than one connector back is /auth with the request’s own parameters, without connector_id.',
    stand: 'other',
    dex: 'Keeps connector_id in it.',
    why: 'With it the choice would be skipped again.',
    proof: async (servers) => {
      const identity = await servers.at({ config: `${USERS}connectors: [{type: mockCallback, id: zed, name: Zed}]\n` });
      const { searchParams } = locationOf(await identity.fetch(authUrl({ connector_id: 'local' })));
      const back = new URL(searchParams.get('back') ?? '', 'http://x');
      assert.equal(back.pathname, '/dex/auth');
      assert.deepEqual(Object.fromEntries(back.searchParams), AUTH);
      assert.match(searchParams.get('back') ?? '', /^\/dex\/auth\?/);
    },
  },
  {
    id: 'to-upstream',
    fact: 'A connector with a redirect leads by 302 to the upstream with our state, client, scopes and callback.',
    stand: 'kept',
    proof: async (servers) => {
      const login = 'clientID: dex, clientSecret: s, redirectURI: "https://login.example.com/dex/callback"';
      const config = `connectors: [{type: gitea, id: gitea, name: G, config: {baseURL: "https://git.example.com", ${login}}}]\n`;
      const response = await (await servers.at({ config })).fetch(authUrl({}, '/dex/auth/gitea'));
      assert.equal(response.status, 302);
      const { origin, searchParams } = locationOf(response);
      assert.equal(origin, 'https://git.example.com');
      assert.equal(searchParams.get('client_id'), 'dex');
      assert.equal(searchParams.get('redirect_uri'), 'https://login.example.com/dex/callback');
      assert.match(searchParams.get('state') ?? '', /^[\w.-]{60,}$/);
    },
  },
  {
    id: 'to-saml',
    fact: 'SAML is a page with 200 whose form with SAMLRequest and RelayState sends itself to ssoURL.',
    stand: 'kept',
    proof: async (servers) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'identity-saml-'));
      servers.after(() => rmSync(directory, { recursive: true, force: true }));
      const caData = Buffer.from(makeSamlKeys(directory, 'idp').certificate).toString('base64');
      const settings = `ssoURL: "https://idp.example.com/sso", redirectURI: "https://login.example.com/dex/callback", caData: "${caData}"`;
      const config = `connectors: [{type: saml, id: saml, name: S, config: {${settings}, usernameAttr: name, emailAttr: mail}}]\n`;
      const identity = await servers.fresh({ config });
      const headers = { 'x-forwarded-host': 'login.example.com', 'x-forwarded-proto': 'https' };
      const page = await identity.fetch(authUrl({}, '/dex/auth/saml'), { headers });
      const text = await expectPage(page, 200, /<form method="post" action="https:\/\/idp\.example\.com\/sso">/);
      for (const field of ['SAMLRequest', 'RelayState'])
        assert.match(text, new RegExp(`name="${field}" value="[^"]+"`));
      assert.match(text, /<script>[^<]*submit/);
    },
  },
  {
    id: 'post',
    fact: 'A posted form is judged as the same parameters in a query.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const good = await identity.post('/dex/auth/local', AUTH);
      assert.match(good.headers.get('location') ?? '', /^\/dex\/auth\/local\/login\?/);
      expectRefusal(await identity.post('/dex/auth/local', { ...AUTH, scope: 'x' }), 'invalid_scope', /openid/);
    },
  },
];

export const AUTHORIZE: Section = {
  id: '2.4',
  title: 'Authorization requests',
  rows: [...CHOOSE_CONNECTOR, ...REDIRECT_URIS, ...ORDER, ...RULES, ENFORCED, ...GOOD],
};
