/** Owns the rows about what is in tokens. */
import assert from 'node:assert/strict';
import { authUrl, claimsOf, ISSUER, locationOf, login, loginForTokens, redeem, USERS } from '../test-identity.ts';
import type { Tokens } from '../test-identity.ts';
import { expectRefusal } from './expectations.ts';
import type { Row, Section } from './row.ts';
import type { Servers } from './servers.ts';

const { hash } = process.getBuiltinModule('node:crypto');

const halfHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');

async function claims(servers: Servers, changes: Record<string, string> = {}): Promise<Record<string, unknown>> {
  return claimsOf((await loginForTokens(await servers.at(), changes)).id_token);
}

function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
}

const CROSS: readonly Row[] = [
  {
    id: 'cross-client',
    fact: 'audience:server:client_id:X is granted where X trusts the client: aud is X and the client, azp the client.',
    stand: 'kept',
    proof: async (servers) => {
      const trusted = await claims(servers, { scope: 'openid audience:server:client_id:other' });
      assert.deepEqual(trusted['aud'], ['other', 'app']);
      assert.equal(trusted['azp'], 'app');
    },
  },
  {
    id: 'cross-client-order',
    fact: 'Several audiences stand in the order of the scopes, the client last.',
    stand: 'kept',
    proof: async (servers) => {
      const trusting = ['one', 'two'].map((id) => `- {id: ${id}, name: ${id}, secret: s, trustedPeers: [app]}`);
      const config = `${USERS}staticClients:\n- {id: app, name: A, secret: s3cret, redirectURIs: [/login/oidc]}\n${trusting.join('\n')}\n`;
      const scope = 'openid audience:server:client_id:two audience:server:client_id:one';
      const tokens = await loginForTokens(await servers.at({ config }), { scope });
      assert.deepEqual(claimsOf(tokens.id_token)['aud'], ['two', 'one', 'app']);
    },
  },
  {
    id: 'cross-client-own',
    fact: 'The client itself as the only audience is aud as one string, without azp.',
    stand: 'kept',
    proof: async (servers) => {
      const own = await claims(servers, { scope: 'openid audience:server:client_id:app' });
      assert.equal(own['aud'], 'app');
      assert.equal('azp' in own, false);
    },
  },
  {
    id: 'cross-client-untrusted',
    fact: 'Where X does not trust the client the request is refused with invalid_scope.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(authUrl({ scope: 'openid audience:server:client_id:spa' }));
      expectRefusal(response, 'invalid_scope', /audience:server:client_id:spa/);
    },
  },
];

export const CLAIMS: Section = {
  id: '2.13',
  title: 'Tokens',
  rows: [
    {
      id: 'header',
      fact: 'The header of a token has alg and kid, and nothing else.',
      stand: 'kept',
      proof: async (servers) => {
        const tokens = await loginForTokens(await servers.at());
        for (const token of [tokens.id_token, tokens.access_token])
          assert.deepEqual(Object.keys(headerOf(token)).toSorted(), ['alg', 'kid']);
      },
    },
    {
      id: 'signature',
      fact: 'Tokens verify with the key of /keys that their kid names.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { id_token, access_token } = await loginForTokens(identity);
        const { keys } = (await (await identity.fetch('/dex/keys')).json()) as { keys: JsonWebKey[] };
        for (const token of [id_token, access_token]) {
          const jwk = keys.find((key) => (key as { kid?: string }).kid === headerOf(token)['kid']) ?? {};
          const key = await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
            'verify',
          ]);
          const [head, body, signature = ''] = token.split('.');
          const signed = Buffer.from(`${head}.${body}`);
          const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
          assert.ok(await crypto.subtle.verify(algorithm, key, Buffer.from(signature, 'base64url'), signed));
        }
      },
    },
    {
      id: 'issuer',
      fact: 'iss is the issuer to the letter.',
      stand: 'kept',
      proof: async (servers) => assert.equal((await claims(servers))['iss'], ISSUER),
    },
    {
      id: 'subject',
      fact: 'sub is base64url without padding of a protocol buffer {1: user id, 2: connector id}; the known vectors come out.',
      stand: 'kept',
      proof: async (servers) => {
        const local = 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs';
        assert.equal((await claims(servers))['sub'], local);
        const identity = await servers.at({ config: 'connectors: [{type: mockCallback, id: mock, name: M}]\n' });
        const done = await identity.fetch(
          (await identity.fetch(authUrl({}, '/dex/auth/mock'))).headers.get('location') ?? '',
        );
        const tokens = await redeem(identity, locationOf(done).searchParams.get('code') ?? '');
        const { id_token } = (await tokens.json()) as Tokens;
        assert.equal(claimsOf(id_token)['sub'], 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr');
      },
    },
    {
      id: 'subject-long',
      fact: 'Lengths in sub are varints: a user id of 200 characters has two bytes of length.',
      stand: 'kept',
      proof: async (servers) => {
        const userId = 'u'.repeat(200);
        const config = USERS.replace('08a8684b-db88-4b73-90a9-3cd1661f5466', userId);
        const tokens = await loginForTokens(await servers.at({ config }));
        const bytes = Buffer.concat([
          Buffer.from([0x0a, 0xc8, 0x01]),
          Buffer.from(userId),
          Buffer.from([0x12, 5]),
          Buffer.from('local'),
        ]);
        assert.equal(claimsOf(tokens.id_token)['sub'], bytes.toString('base64url'));
      },
    },
    {
      id: 'audience',
      fact: 'aud is the client as one string, without azp.',
      stand: 'kept',
      proof: async (servers) => {
        const plain = await claims(servers);
        assert.equal(plain['aud'], 'app');
        assert.equal('azp' in plain, false);
      },
    },
    {
      id: 'times',
      fact: 'iat is now and exp 24 h later, or expiry.idTokens; access and ID token alike.',
      stand: 'kept',
      proof: async (servers) => {
        for (const [more, seconds] of [
          ['', 86_400],
          ['expiry: {idTokens: 10m}\n', 600],
        ] as const) {
          const identity = await servers.fresh({ more });
          const tokens = await loginForTokens(identity);
          assert.equal(tokens.expires_in, seconds);
          for (const token of [tokens.id_token, tokens.access_token]) {
            const { iat, exp } = claimsOf(token);
            assert.equal(iat, Math.floor(identity.now / 1000));
            assert.equal(exp, Math.floor(identity.now / 1000) + seconds);
          }
        }
      },
    },
    {
      id: 'nonce',
      fact: 'nonce is there where the request had one, to the letter.',
      stand: 'kept',
      proof: async (servers) => {
        assert.equal((await claims(servers, { nonce: 'n "1" ü' }))['nonce'], 'n "1" ü');
        assert.equal('nonce' in (await claims(servers)), false);
      },
    },
    {
      id: 'at-hash',
      fact: 'at_hash is the left half of the SHA-256 of the access token.',
      stand: 'kept',
      proof: async (servers) => {
        const { id_token, access_token } = await loginForTokens(await servers.at());
        assert.equal(claimsOf(id_token)['at_hash'], halfHash(access_token));
      },
    },
    {
      id: 'c-hash',
      fact: 'c_hash is the left half of the SHA-256 of the code that it came with or for.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const code = locationOf(await login(identity)).searchParams.get('code') ?? '';
        const { id_token } = (await (await redeem(identity, code)).json()) as Tokens;
        assert.equal(claimsOf(id_token)['c_hash'], halfHash(code));
      },
    },
    {
      id: 'email',
      fact: 'The scope email gives email and email_verified, and without it there is neither.',
      stand: 'kept',
      proof: async (servers) => {
        const withEmail = await claims(servers, { scope: 'openid email' });
        assert.equal(withEmail['email'], 'admin@kubeflow.org');
        assert.equal(withEmail['email_verified'], true);
        const without = await claims(servers, { scope: 'openid' });
        for (const name of ['email', 'email_verified']) assert.equal(name in without, false, name);
      },
    },
    {
      id: 'groups',
      fact: 'The scope groups gives groups, which are left out where there are none.',
      stand: 'kept',
      proof: async (servers) => {
        assert.deepEqual((await claims(servers, { scope: 'openid groups' }))['groups'], ['admins']);
        assert.equal('groups' in (await claims(servers, { scope: 'openid' })), false);
        const identity = await servers.at({ config: USERS.replace(', groups: [admins]', '') });
        const none = claimsOf((await loginForTokens(identity, { scope: 'openid groups' })).id_token);
        assert.equal('groups' in none, false);
      },
    },
    {
      id: 'profile',
      fact: 'The scope profile gives name and preferred_username, each left out where it is empty.',
      stand: 'kept',
      proof: async (servers) => {
        const plain = await claims(servers, { scope: 'openid profile' });
        assert.equal(plain['name'], 'admin');
        assert.equal('preferred_username' in plain, false);
        const config = USERS.replace('username: admin,', 'username: admin, name: "Ad Min", preferredUsername: ad,');
        const named = claimsOf((await loginForTokens(await servers.at({ config }))).id_token);
        assert.equal(`${named['name']} ${named['preferred_username']}`, 'Ad Min ad');
        assert.equal('name' in (await claims(servers, { scope: 'openid' })), false);
      },
    },
    {
      id: 'federated',
      fact: 'The scope federated:id gives federated_claims with connector_id and user_id.',
      stand: 'kept',
      proof: async (servers) => {
        const expected = { connector_id: 'local', user_id: '08a8684b-db88-4b73-90a9-3cd1661f5466' };
        assert.deepEqual((await claims(servers, { scope: 'openid federated:id' }))['federated_claims'], expected);
        assert.equal('federated_claims' in (await claims(servers)), false);
      },
    },
    {
      id: 'later-claims',
      fact: 'jti is there and unique, and auth_time is when the person logged in.',
      stand: 'kept',
      dex: '2.45 has neither; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        const identity = await servers.fresh();
        const tokens = await loginForTokens(identity);
        const [id, access] = [claimsOf(tokens.id_token), claimsOf(tokens.access_token)];
        assert.equal(id['auth_time'], Math.floor(identity.now / 1000));
        assert.match(String(id['jti']), /^[\w-]{16,}$/);
        assert.notEqual(id['jti'], access['jti']);
      },
    },
    {
      id: 'access-token',
      fact: 'The access token is a JWT with the same claims, but for its own at_hash and jti.',
      stand: 'kept',
      proof: async (servers) => {
        const tokens = await loginForTokens(await servers.at(), { nonce: 'n' });
        const own = ['at_hash', 'c_hash', 'jti'];
        const [access, id] = [tokens.access_token, tokens.id_token].map((token) =>
          Object.fromEntries(Object.entries(claimsOf(token)).filter(([name]) => !own.includes(name))),
        );
        assert.deepEqual(access, id);
        assert.notEqual(claimsOf(tokens.access_token)['at_hash'], claimsOf(tokens.id_token)['at_hash']);
      },
    },
    ...CROSS,
  ],
};
