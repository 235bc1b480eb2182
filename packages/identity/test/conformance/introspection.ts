/** Owns the rows about introspection and revocation. */
import assert from 'node:assert/strict';
import { basic, claimsOf, ISSUER, locationOf, loginForTokens, openLogin, redeem } from '../test-identity.ts';
import type { TestIdentity, Tokens } from '../test-identity.ts';
import { expectJsonError } from './expectations.ts';
import { held } from './held-by.ts';
import type { Section } from './row.ts';
import type { Servers } from './servers.ts';

const OFFLINE = { scope: 'openid email profile groups federated:id offline_access' };

interface Known {
  readonly identity: TestIdentity;
  readonly tokens: Tokens;
}

async function known(servers: Servers): Promise<Known> {
  const identity = await servers.at();
  return { identity, tokens: await loginForTokens(identity, OFFLINE) };
}

async function introspect(identity: TestIdentity, form: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await identity.post('/dex/token/introspect', form);
  assert.equal(response.status, 200);
  return (await response.json()) as Record<string, unknown>;
}

async function inactive(identity: TestIdentity, token: string): Promise<void> {
  const response = await identity.post('/dex/token/introspect', { token });
  assert.equal(response.status, 401);
  assert.match(response.headers.get('cache-control') ?? '', /no-store/);
  assert.deepEqual(await response.json(), { active: false });
}

export const INTROSPECTION: Section = {
  id: '2.12',
  title: 'Introspection and revocation',
  rows: [
    {
      id: 'active',
      fact: 'A live access token is 200 with active, client_id, sub, exp, iat, nbf, username, aud, iss, token_type Bearer, token_use access_token.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        const claims = claimsOf(tokens.access_token);
        const { ext: _ext, ...body } = await introspect(identity, { token: tokens.access_token });
        assert.deepEqual(body, {
          active: true,
          client_id: 'app',
          sub: claims['sub'],
          exp: claims['exp'],
          iat: claims['iat'],
          nbf: claims['iat'],
          username: 'admin',
          aud: ['app'],
          iss: ISSUER,
          token_type: 'Bearer',
          token_use: 'access_token',
        });
      },
    },
    {
      id: 'username',
      fact: 'username is preferred_username, and name where there is none.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        assert.equal((await introspect(identity, { token: tokens.access_token }))['username'], 'admin');
        const form = { login: 'zoe@example.com', password: 'password' };
        const done = locationOf(await identity.post(await openLogin(identity, OFFLINE), form));
        const zoe = (await (await redeem(identity, done.searchParams.get('code') ?? '')).json()) as Tokens;
        for (const token of [zoe.access_token, zoe.refresh_token ?? ''])
          assert.equal((await introspect(identity, { token }))['username'], 'zo');
      },
    },
    {
      id: 'ext',
      fact: 'ext has email, email_verified, groups, name, preferred_username, azp and federated_claims, as far as the token has them.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        assert.deepEqual((await introspect(identity, { token: tokens.access_token }))['ext'], {
          email: 'admin@kubeflow.org',
          email_verified: true,
          groups: ['admins'],
          name: 'admin',
          federated_claims: { connector_id: 'local', user_id: '08a8684b-db88-4b73-90a9-3cd1661f5466' },
        });
        const scope = 'openid audience:server:client_id:other';
        const { access_token } = await loginForTokens(identity, { scope });
        const body = await introspect(identity, { token: access_token });
        assert.equal((body['ext'] as { azp?: string }).azp, 'app');
        assert.equal(body['client_id'], 'app');
        assert.deepEqual(body['aud'], ['other', 'app']);
      },
    },
    {
      id: 'refresh-token',
      fact: 'A live refresh token is 200 with token_use refresh_token.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        const body = await introspect(identity, { token: tokens.refresh_token ?? '' });
        assert.equal(body['active'], true);
        assert.equal(body['token_use'], 'refresh_token');
        assert.equal(body['client_id'], 'app');
        assert.equal(body['sub'], claimsOf(tokens.id_token)['sub']);
        assert.equal(body['iss'], ISSUER);
      },
    },
    {
      id: 'hint',
      fact: 'token_type_hint changes nothing, right or wrong.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        for (const token_type_hint of ['access_token', 'refresh_token', 'x'])
          for (const token of [tokens.access_token, tokens.refresh_token ?? ''])
            assert.equal((await introspect(identity, { token, token_type_hint }))['active'], true);
      },
    },
    {
      id: 'no-client',
      fact: 'The caller need not be a client.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        assert.equal((await introspect(identity, { token: tokens.access_token }))['active'], true);
      },
    },
    {
      id: 'not-cached',
      fact: 'Answers may not be kept.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, tokens } = await known(servers);
        const response = await identity.post('/dex/token/introspect', { token: tokens.access_token });
        assert.match(response.headers.get('cache-control') ?? '', /no-store/);
      },
    },
    {
      id: 'inactive',
      fact: 'Anything else is 401 {"active":false}: unknown, forged, expired, used.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh();
        const tokens = await loginForTokens(identity, OFFLINE);
        for (const token of ['x', `${tokens.access_token}x`, 'eyJhbGciOiJub25lIn0.e30.'])
          await inactive(identity, token);
        const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
        await identity.post('/dex/token', form, basic('app', 's3cret'));
        await inactive(identity, tokens.refresh_token ?? '');
        identity.now += 24 * 3_600_000;
        await inactive(identity, tokens.access_token);
      },
    },
    {
      id: 'bad-request',
      fact: 'Another method, an empty body, or no token is 400 invalid_request.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const method of ['GET', 'PUT'])
          await expectJsonError(await identity.fetch('/dex/token/introspect', { method }), 400, 'invalid_request');
        const empty = await identity.fetch('/dex/token/introspect', { method: 'POST' });
        await expectJsonError(empty, 400, 'invalid_request');
        await expectJsonError(
          await identity.post('/dex/token/introspect', { x: 'y' }),
          400,
          'invalid_request',
          /"token"/,
        );
      },
    },
    held({
      id: 'revocation',
      fact: 'A client revokes its own refresh tokens at /token/revoke, and learns nothing about those of others.',
      stand: 'more',
      dex: 'Has no revocation.',
      why: 'RFC 7009.',
      by: [
        [
          'src/introspection/introspection.test.ts',
          'a client revokes its own refresh tokens, and learns nothing of those of others',
        ],
      ],
    }),
  ],
};
