/** Owns the rows about the discovery document. */
import assert from 'node:assert/strict';
import { ISSUER, loginForCode } from '../test-identity.ts';
import type { Row, Section } from './row.ts';
import { ask } from './servers.ts';
import type { Servers } from './servers.ts';

const PATH = '/dex/.well-known/openid-configuration';
const ALL_TYPES = { oauth2: 'skipApprovalScreen: true, responseTypes: [code, token, id_token]' };
const SESSIONS = { more: 'sessions: {}\n' };

type Document = Readonly<Record<string, unknown>>;

async function documentOf(servers: Servers, options = {}): Promise<Document> {
  const identity = await servers.at(options);
  return JSON.parse((await ask(identity, PATH)).body) as Document;
}

function endpoint(id: string, key: string, path: string): Row {
  return {
    id,
    fact: `${key} is the issuer with ${path}, and something answers there.`,
    stand: 'kept',
    proof: async (servers) => {
      assert.equal((await documentOf(servers))[key], ISSUER + path);
      assert.notEqual((await ask(await servers.at(), `/dex${path}`)).status, 404);
    },
  };
}

async function grants(servers: Servers, options = {}): Promise<readonly string[]> {
  return (await documentOf(servers, options))['grant_types_supported'] as string[];
}

export const DISCOVERY: Section = {
  id: '2.2',
  title: 'Discovery',
  rows: [
    {
      id: 'form',
      fact: 'The document is application/json, indented by two spaces, with a Content-Length.',
      stand: 'kept',
      proof: async (servers) => {
        const { status, headers, body } = await ask(await servers.at(), PATH);
        assert.equal(status, 200);
        assert.match(String(headers['content-type']), /^application\/json/);
        assert.equal(Number(headers['content-length']), Buffer.byteLength(body));
        assert.match(body, /^\{\n {2}"issuer": "/);
      },
    },
    {
      id: 'issuer',
      fact: 'issuer is the configured one to the letter.',
      stand: 'kept',
      proof: async (servers) => assert.equal((await documentOf(servers))['issuer'], ISSUER),
    },
    endpoint('authorization', 'authorization_endpoint', '/auth'),
    endpoint('token', 'token_endpoint', '/token'),
    endpoint('jwks', 'jwks_uri', '/keys'),
    endpoint('userinfo', 'userinfo_endpoint', '/userinfo'),
    endpoint('device', 'device_authorization_endpoint', '/device/code'),
    endpoint('introspection', 'introspection_endpoint', '/token/introspect'),
    {
      ...endpoint('revocation', 'revocation_endpoint', '/token/revoke'),
      stand: 'more',
      dex: 'Has no revocation.',
      why: 'RFC 7009; an application gives up a refresh token when somebody leaves it.',
    },
    {
      ...endpoint('end-session', 'end_session_endpoint', '/logout'),
      stand: 'more',
      dex: '2.45 has none; later versions name it where sessions are on.',
      follows: 'head',
      why: 'Clients may send people there in any installation.',
    },
    {
      id: 'grants-sorted',
      fact: 'grant_types_supported is sorted and lists what is enabled: by default codes, refresh, devices and exchange.',
      stand: 'kept',
      proof: async (servers) => {
        assert.deepEqual(await grants(servers), [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
          'urn:ietf:params:oauth:grant-type:token-exchange',
        ]);
        const chosen = { oauth2: 'grantTypes: [refresh_token, authorization_code]' };
        assert.deepEqual(await grants(servers, chosen), ['authorization_code', 'refresh_token']);
      },
    },
    {
      id: 'grants-implicit',
      fact: 'implicit is listed where a response type has token, and only there.',
      stand: 'kept',
      proof: async (servers) => {
        assert.ok((await grants(servers, ALL_TYPES)).includes('implicit'));
        const noToken = await grants(servers, { oauth2: 'responseTypes: [code, id_token]' });
        assert.ok(!noToken.includes('implicit'));
      },
    },
    {
      id: 'grants-password',
      fact: 'password is listed where oauth2.passwordConnector names a connector, and only there.',
      stand: 'kept',
      proof: async (servers) => {
        assert.ok(!(await grants(servers)).includes('password'));
        assert.ok((await grants(servers, { oauth2: 'passwordConnector: local' })).includes('password'));
      },
    },
    {
      id: 'grants-client-credentials',
      fact: 'client_credentials is listed where the file lists it, or where DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT says so.',
      stand: 'kept',
      dex: '2.45 does not know the grant; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        assert.ok(!(await grants(servers)).includes('client_credentials'));
        const listed = { oauth2: 'grantTypes: [authorization_code, client_credentials]' };
        assert.ok((await grants(servers, listed)).includes('client_credentials'));
        const flagged = { env: { DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT: '1' } };
        assert.ok((await grants(servers, flagged)).includes('client_credentials'));
        const both = { ...flagged, oauth2: 'grantTypes: [authorization_code]' };
        assert.deepEqual(await grants(servers, both), ['authorization_code']);
      },
    },
    {
      id: 'response-types',
      fact: 'response_types_supported is code by default; with more words enabled it names the combinations that work.',
      stand: 'more',
      dex: 'Names the configured words, not their combinations.',
      why: 'OpenID Connect Discovery §3 wants what a client may send, and clients compare the whole text.',
      proof: async (servers) => {
        assert.deepEqual((await documentOf(servers))['response_types_supported'], ['code']);
        const types = (await documentOf(servers, ALL_TYPES))['response_types_supported'] as string[];
        for (const type of ['code', 'id_token', 'code id_token', 'code token', 'id_token token'])
          assert.ok(types.includes(type), type);
        assert.ok(!types.includes('token'));
      },
    },
    {
      id: 'subject-types',
      fact: 'subject_types_supported is public.',
      stand: 'kept',
      proof: async (servers) => assert.deepEqual((await documentOf(servers))['subject_types_supported'], ['public']),
    },
    {
      id: 'algorithm',
      fact: 'id_token_signing_alg_values_supported is the algorithm that signs now: RS256 unless signer says ES256.',
      stand: 'kept',
      proof: async (servers) => {
        const key = 'id_token_signing_alg_values_supported';
        assert.deepEqual((await documentOf(servers))[key], ['ES256']);
        assert.deepEqual((await documentOf(servers, { signer: '' }))[key], ['RS256']);
      },
    },
    {
      id: 'pkce',
      fact: 'code_challenge_methods_supported is S256 and plain, or what oauth2.pkce says.',
      stand: 'kept',
      proof: async (servers) => {
        const key = 'code_challenge_methods_supported';
        assert.deepEqual((await documentOf(servers))[key], ['S256', 'plain']);
        const chosen = { oauth2: 'pkce: {codeChallengeMethodsSupported: [S256]}' };
        assert.deepEqual((await documentOf(servers, chosen))[key], ['S256']);
      },
    },
    {
      id: 'scopes',
      fact: 'scopes_supported is openid, email, groups, profile, offline_access.',
      stand: 'kept',
      proof: async (servers) => {
        const scopes = ['openid', 'email', 'groups', 'profile', 'offline_access'];
        assert.deepEqual((await documentOf(servers))['scopes_supported'], scopes);
      },
    },
    {
      id: 'auth-methods',
      fact: 'token_endpoint_auth_methods_supported is client_secret_basic, client_secret_post and none.',
      stand: 'more',
      dex: 'Accepts public clients without naming none.',
      why: 'Strict clients do not try a method that is not named.',
      proof: async (servers) => {
        const methods = ['client_secret_basic', 'client_secret_post', 'none'];
        assert.deepEqual((await documentOf(servers))['token_endpoint_auth_methods_supported'], methods);
        const identity = await servers.at();
        const code = await loginForCode(identity, { client_id: 'spa', redirect_uri: 'https://spa.example.com/' });
        const form = {
          grant_type: 'authorization_code',
          code,
          redirect_uri: 'https://spa.example.com/',
          client_id: 'spa',
        };
        assert.equal((await identity.post('/dex/token', form)).status, 200);
      },
    },
    {
      id: 'claims',
      fact: 'claims_supported holds iss, sub, aud, iat, exp, email, email_verified, locale, name, preferred_username, at_hash.',
      stand: 'kept',
      proof: async (servers) => {
        const claims = (await documentOf(servers))['claims_supported'] as string[];
        const named = ['iss', 'sub', 'aud', 'iat', 'exp', 'email', 'email_verified', 'locale', 'name'];
        for (const claim of [...named, 'preferred_username', 'at_hash']) assert.ok(claims.includes(claim), claim);
      },
    },
    {
      id: 'claims-later',
      fact: 'claims_supported holds groups, federated_claims and auth_time too, and sid where there are sessions.',
      stand: 'more',
      dex: '2.45 does not name them; later versions name groups, federated_claims and sid.',
      follows: 'head',
      why: 'auth_time is in our tokens.',
      proof: async (servers) => {
        const claims = (await documentOf(servers))['claims_supported'] as string[];
        for (const claim of ['groups', 'federated_claims', 'auth_time']) assert.ok(claims.includes(claim), claim);
        assert.ok(!claims.includes('sid'));
        const withSessions = (await documentOf(servers, SESSIONS))['claims_supported'] as string[];
        assert.ok(withSessions.includes('sid'));
      },
    },
    {
      id: 'backchannel',
      fact: 'Where sessions are on, back-channel logout with sid is said to be supported, and nowhere else.',
      stand: 'kept',
      dex: '2.45 has no sessions; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        const keys = ['backchannel_logout_supported', 'backchannel_logout_session_supported'];
        const plain = await documentOf(servers);
        const withSessions = await documentOf(servers, SESSIONS);
        for (const key of keys) {
          assert.equal(plain[key], undefined, key);
          assert.equal(withSessions[key], true, key);
        }
      },
    },
  ],
};
