/** Owns the rows about the grants without a browser: password, token exchange, client credentials. */
import assert from 'node:assert/strict';
import { basic, claimsOf, USERS } from '../test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from '../test-identity.ts';
import { startOidcUpstream } from '../oidc-upstream.ts';
import { expectJsonError } from './expectations.ts';
import { held } from './held-by.ts';
import type { Row } from './row.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS = 'urn:ietf:params:oauth:token-type:access_token';
const ID = 'urn:ietf:params:oauth:token-type:id_token';
const GRANTS = `grantTypes: [authorization_code, refresh_token, password, client_credentials, "${EXCHANGE}"]`;

const ALL: TestOptions = {
  oauth2: `passwordConnector: local, ${GRANTS}`,
  config: `${USERS}connectors:\n- {type: mockCallback, id: mock, name: Mock}\n- {type: authproxy, id: proxy, name: P}\n`,
};
const PASSWORD = { grant_type: 'password', username: 'zoe@example.com', password: 'password', scope: 'openid email' };
const SUBJECT = { grant_type: EXCHANGE, subject_token: 't', subject_token_type: ACCESS, connector_id: 'mock' };
const OWN = { grant_type: 'client_credentials', scope: 'openid profile groups' };

type Form = Record<string, string>;

function token(identity: TestIdentity, form: Form, [id, secret] = ['app', 's3cret']): Promise<Response> {
  return identity.post('/dex/token', form, basic(id ?? '', secret ?? ''));
}

async function granted(identity: TestIdentity, form: Form): Promise<Tokens & Record<string, unknown>> {
  const response = await token(identity, form);
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Tokens & Record<string, unknown>;
}

const PASSWORDS: readonly Row[] = [
  {
    id: 'password',
    fact: 'The password grant gives access and ID token of the person, and a refresh token with offline_access.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      const plain = await granted(identity, PASSWORD);
      assert.equal(claimsOf(plain.id_token)['email'], 'zoe@example.com');
      assert.equal(plain.refresh_token, undefined);
      const offline = await granted(identity, { ...PASSWORD, scope: 'openid offline_access' });
      await granted(identity, { grant_type: 'refresh_token', refresh_token: offline.refresh_token ?? '' });
    },
  },
  {
    id: 'password-off',
    fact: 'Without oauth2.passwordConnector it is 400 unsupported_grant_type.',
    stand: 'kept',
    proof: async (servers) =>
      expectJsonError(await token(await servers.at({ oauth2: GRANTS }), PASSWORD), 400, 'unsupported_grant_type'),
  },
  {
    id: 'password-openid',
    fact: 'Without openid it is 400 invalid_request, and so are unknown scopes and audiences without trust.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      for (const [scope, words] of [
        ['email', /Missing required scope\(s\) \["openid"\]/],
        ['', /Missing required scope/],
        ['openid x', /Unrecognized scope\(s\) \["x"\]/],
        ['openid audience:server:client_id:spa', /Client can't request scope/],
      ] as const)
        await expectJsonError(await token(identity, { ...PASSWORD, scope }), 400, 'invalid_request', words);
    },
  },
  {
    id: 'password-wrong',
    fact: 'Wrong credentials are 401 access_denied "Invalid username or password", whether the name exists or not.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      for (const form of [{ password: 'x' }, { password: '' }, { username: 'no@example.com' }, { username: '' }]) {
        const response = await token(identity, { ...PASSWORD, ...form });
        await expectJsonError(response, 401, 'access_denied', 'Invalid username or password');
      }
    },
  },
  {
    id: 'password-failure',
    fact: 'A connector that fails is 400 invalid_request, without a word about why.',
    stand: 'kept',
    proof: async (servers) => {
      const search = '{baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}';
      const ldap = `{type: ldap, id: ldap, name: L, config: {host: "127.0.0.1:1", insecureNoSSL: true, userSearch: ${search}}}`;
      const identity = await servers.at({ oauth2: 'passwordConnector: ldap', config: `connectors: [${ldap}]\n` });
      const response = await token(identity, { ...PASSWORD, username: 'kim' });
      await expectJsonError(response, 400, 'invalid_request', 'Could not login user');
    },
  },
  {
    id: 'password-throttled',
    fact: 'Guessing through the password grant is slowed down: 429 access_denied, also for the right password in between.',
    stand: 'safer',
    dex: 'Lets anybody guess as fast as the hash is computed.',
    why: 'Passwords are guessed here as on the page.',
    proof: async (servers) => {
      const identity = await servers.fresh(ALL);
      let status = 401;
      for (let guess = 0; guess < 20 && status === 401; guess += 1)
        status = (await token(identity, { ...PASSWORD, password: `x${guess}` })).status;
      assert.equal(status, 429);
      await expectJsonError(await token(identity, PASSWORD), 429, 'access_denied');
    },
  },
  {
    id: 'password-allowed',
    fact: 'A client whose allowedConnectors leave it out is refused.',
    stand: 'kept',
    dex: '2.45 has no allowedConnectors; later versions as here, since their advisory.',
    follows: 'head',
    proof: async (servers) => {
      const response = await token(await servers.at(ALL), PASSWORD, ['tied', 't']);
      await expectJsonError(response, 400, 'unauthorized_client');
    },
  },
];

const EXCHANGES: readonly Row[] = [
  {
    id: 'exchange',
    fact: 'Token exchange answers with access_token, issued_token_type, token_type bearer and expires_in, and nothing else.',
    stand: 'kept',
    proof: async (servers) => {
      const body = await granted(await servers.at(ALL), { ...SUBJECT, scope: 'openid email' });
      assert.deepEqual(Object.keys(body).toSorted(), ['access_token', 'expires_in', 'issued_token_type', 'token_type']);
      assert.equal(body['issued_token_type'], ACCESS);
      assert.equal(body['token_type'], 'bearer');
      assert.equal(claimsOf(body.access_token)['email'], 'kilgore@kilgore.trout');
    },
  },
  {
    id: 'exchange-requested',
    fact: 'requested_token_type is an access token when not named; access_token holds whichever was asked for.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      assert.equal((await granted(identity, SUBJECT))['issued_token_type'], ACCESS);
      assert.equal(
        (await granted(identity, { ...SUBJECT, requested_token_type: ACCESS }))['issued_token_type'],
        ACCESS,
      );
      const id = await granted(identity, { ...SUBJECT, requested_token_type: ID });
      assert.equal(id['issued_token_type'], ID);
      assert.equal(claimsOf(id.access_token)['aud'], 'app');
    },
  },
  {
    id: 'exchange-types',
    fact: 'Types other than ID and access tokens are 400 request_not_supported, as subject and as request.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      const saml = 'urn:ietf:params:oauth:token-type:saml2';
      for (const changes of [{ subject_token_type: saml }, { subject_token_type: '' }, { requested_token_type: saml }])
        await expectJsonError(await token(identity, { ...SUBJECT, ...changes }), 400, 'request_not_supported');
      await granted(identity, { ...SUBJECT, subject_token_type: ID });
    },
  },
  {
    id: 'exchange-missing',
    fact: 'Without subject_token or connector_id it is 400 invalid_request.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      for (const changes of [{ subject_token: '' }, { connector_id: '' }])
        await expectJsonError(await token(identity, { ...SUBJECT, ...changes }), 400, 'invalid_request');
    },
  },
  {
    id: 'exchange-scope',
    fact: 'Without scope only sub and the audience are in the token; audience is ignored.',
    stand: 'kept',
    proof: async (servers) => {
      const body = await granted(await servers.at(ALL), { ...SUBJECT, audience: 'other' });
      const claims = claimsOf(body.access_token);
      assert.equal(claims['sub'], 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr');
      assert.equal(claims['aud'], 'app');
      for (const name of ['email', 'name', 'groups']) assert.equal(name in claims, false, name);
    },
  },
  {
    id: 'exchange-unable',
    fact: 'A connector that cannot, or is not there, is 400 invalid_request.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      for (const connector_id of ['local', 'proxy', 'nope'])
        await expectJsonError(await token(identity, { ...SUBJECT, connector_id }), 400, 'invalid_request');
    },
  },
  {
    id: 'exchange-denied',
    fact: 'A token that the connector does not verify is 401 access_denied.',
    stand: 'kept',
    proof: async (servers) => {
      const upstream = await startOidcUpstream();
      servers.after(() => upstream.close());
      const settings = `issuer: "${upstream.issuer}", clientID: dex, clientSecret: upstream-secret, redirectURI: "https://login.example.com/dex/callback"`;
      const config = `connectors: [{type: oidc, id: up, name: Up, config: {${settings}, getUserInfo: true}}]\n`;
      const identity = await servers.fresh({ config, oauth2: GRANTS });
      for (const subject_token_type of [ID, ACCESS]) {
        const response = await token(identity, { ...SUBJECT, connector_id: 'up', subject_token_type });
        await expectJsonError(response, 401, 'access_denied');
      }
    },
  },
  held({
    id: 'exchange-oidc',
    fact: 'The connector oidc takes tokens of its upstream, as ID and as access token.',
    stand: 'kept',
    by: [
      [
        'src/connectors/oidc/oidc-upstream.attack.test.ts',
        'token exchange takes tokens of the upstream for us, and no others',
      ],
    ],
  }),
  {
    id: 'exchange-allowed',
    fact: 'A client whose allowedConnectors leave the connector out is refused with 400 invalid_request.',
    stand: 'kept',
    dex: '2.45 has no allowedConnectors; later versions as here, since their advisory.',
    follows: 'head',
    proof: async (servers) =>
      expectJsonError(await token(await servers.at(ALL), SUBJECT, ['tied', 't']), 400, 'invalid_request'),
  },
];

const CLIENT_CREDENTIALS: readonly Row[] = [
  {
    id: 'own',
    fact: 'client_credentials gives an access token whose sub is the client with no connector, and an ID token with openid alone.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      const body = await granted(identity, OWN);
      assert.equal(claimsOf(body.access_token)['sub'], Buffer.from('\n\u0003app').toString('base64url'));
      assert.equal(claimsOf(body.id_token)['aud'], 'app');
      assert.equal(body.refresh_token, undefined);
      assert.equal((await granted(identity, { ...OWN, scope: 'profile' })).id_token, undefined);
    },
  },
  {
    id: 'own-name',
    fact: 'With profile, name and preferred_username are the client’s name.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const claims = claimsOf((await granted(await servers.at(ALL), OWN)).access_token);
      assert.equal(claims['name'], 'The <b>App</b>');
      assert.equal(claims['preferred_username'], 'The <b>App</b>');
    },
  },
  {
    id: 'own-groups',
    fact: 'With groups, groups are those of clientCredentialsClaims.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const config = `${USERS}staticClients:\n- {id: app, name: A, secret: s3cret, clientCredentialsClaims: {groups: [robots]}}\n`;
      const identity = await servers.at({ config, oauth2: GRANTS });
      assert.deepEqual(claimsOf((await granted(identity, OWN)).access_token)['groups'], ['robots']);
      const none = claimsOf((await granted(identity, { ...OWN, scope: 'openid' })).access_token);
      assert.equal('groups' in none, false);
    },
  },
  {
    id: 'own-email',
    fact: 'The scope email is taken and adds nothing: a client has no address.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions take the scope.',
    follows: 'head',
    proof: async (servers) => {
      const claims = claimsOf((await granted(await servers.at(ALL), { ...OWN, scope: 'openid email' })).access_token);
      assert.ok(!claims['email']);
    },
  },
  {
    id: 'own-scopes',
    fact: 'offline_access, federated:id and unknown scopes are 400 invalid_scope.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at(ALL);
      for (const scope of ['openid offline_access', 'openid federated:id', 'openid x'])
        await expectJsonError(await token(identity, { ...OWN, scope }), 400, 'invalid_scope');
    },
  },
  {
    id: 'own-public',
    fact: 'A public client is 400 unauthorized_client.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const response = await (await servers.at(ALL)).post('/dex/token', { ...OWN, client_id: 'cli' });
      await expectJsonError(response, 400, 'unauthorized_client');
    },
  },
  {
    id: 'own-off',
    fact: 'Where it is not enabled it is 400 unsupported_grant_type.',
    stand: 'kept',
    dex: '2.45 does not know the grant; later versions as here.',
    follows: 'head',
    proof: async (servers) => expectJsonError(await token(await servers.at(), OWN), 400, 'unsupported_grant_type'),
  },
];

export const OTHER_GRANTS: readonly Row[] = [...PASSWORDS, ...EXCHANGES, ...CLIENT_CREDENTIALS];
