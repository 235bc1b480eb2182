/** Owns the rows about `/userinfo`. */
import assert from 'node:assert/strict';
import { ISSUER, loginForTokens } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { held } from './held-by.ts';
import type { Section } from './row.ts';

function asks(identity: TestIdentity, authorization?: string, init: RequestInit = {}): Promise<Response> {
  return identity.fetch('/dex/userinfo', { ...init, headers: authorization === undefined ? {} : { authorization } });
}

async function refused(response: Response, status: 401 | 403): Promise<void> {
  assert.equal(response.status, status);
  assert.equal(response.headers.get('www-authenticate'), status === 401 ? 'Bearer' : null);
  assert.deepEqual(await response.json(), { error: 'access_denied', error_description: 'Invalid bearer token.' });
}

export const USERINFO: Section = {
  id: '2.11',
  title: 'Userinfo',
  rows: [
    {
      id: 'access-token',
      fact: 'An access token is answered 200 with all its claims, iss, aud and exp too.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        const response = await asks(identity, `Bearer ${access_token}`);
        assert.equal(response.status, 200);
        assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
        const claims = (await response.json()) as Record<string, unknown>;
        assert.equal(claims['iss'], ISSUER);
        assert.equal(claims['aud'], 'app');
        assert.equal(claims['email'], 'admin@kubeflow.org');
        assert.deepEqual(claims['groups'], ['admins']);
        assert.equal(typeof claims['exp'], 'number');
      },
    },
    {
      id: 'id-token',
      fact: 'So is an ID token, of any audience.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const scope of ['openid', 'openid audience:server:client_id:other']) {
          const { id_token } = await loginForTokens(identity, { scope });
          assert.equal((await asks(identity, `Bearer ${id_token}`)).status, 200);
        }
      },
    },
    {
      id: 'scheme',
      fact: 'The scheme is Bearer in any case.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        for (const scheme of ['bearer', 'BEARER', 'bEaReR'])
          assert.equal((await asks(identity, `${scheme} ${access_token}`)).status, 200);
      },
    },
    {
      id: 'post',
      fact: 'POST is as good as GET.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        assert.equal((await asks(identity, `Bearer ${access_token}`, { method: 'POST' })).status, 200);
        await refused(await asks(identity, undefined, { method: 'POST' }), 401);
      },
    },
    {
      id: 'no-token',
      fact: 'No token, or another scheme, is 401 with WWW-Authenticate: Bearer and access_denied "Invalid bearer token."',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        await refused(await asks(identity), 401);
        for (const header of ['Basic eDp5', 'Bearer', `Token ${access_token}`, access_token])
          await refused(await asks(identity, header), 401);
      },
    },
    {
      id: 'bad-token',
      fact: 'A token with a bad signature is 403 with the same body.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        const [head = '', body = ''] = access_token.split('.');
        for (const token of ['x', `${head}.${body}.AAAA`, `${head}.${body}.`, 'eyJhbGciOiJub25lIn0.e30.'])
          await refused(await asks(identity, `Bearer ${token}`), 403);
      },
    },
    held({
      id: 'forged',
      fact: 'Forgeries of every kind are 403: no algorithm, HMAC with the public key, foreign keys, changed claims.',
      stand: 'kept',
      by: [
        [
          'src/userinfo/userinfo.attack.test.ts',
          'forged tokens are refused: none, HMAC with the public key, foreign key under our kid, changed claims',
        ],
      ],
    }),
    {
      id: 'expired',
      fact: 'A token whose time is over is 403.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh();
        const { access_token } = await loginForTokens(identity);
        identity.now += 24 * 3_600_000 - 1000;
        assert.equal((await asks(identity, `Bearer ${access_token}`)).status, 200);
        identity.now += 1000;
        await refused(await asks(identity, `Bearer ${access_token}`), 403);
      },
    },
    {
      id: 'header-only',
      fact: 'A token in the query or in a form is not read.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { access_token } = await loginForTokens(identity);
        await refused(await identity.fetch(`/dex/userinfo?access_token=${access_token}`), 401);
        await refused(await identity.post('/dex/userinfo', { access_token }), 401);
      },
    },
    {
      id: 'refresh-token',
      fact: 'A refresh token is no bearer token.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { refresh_token } = await loginForTokens(identity, { scope: 'openid offline_access' });
        await refused(await asks(identity, `Bearer ${refresh_token}`), 403);
      },
    },
  ],
};
