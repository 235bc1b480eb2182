/** Owns the rows about the answer that the client gets at the end of a login. */
import assert from 'node:assert/strict';
import { authUrl, claimsOf, locationOf, login, redeem, openLogin, USERS } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Row, Section } from './row.ts';
import { ask } from './servers.ts';

const { hash } = process.getBuiltinModule('node:crypto');

const ALL_TYPES = { oauth2: 'skipApprovalScreen: true, responseTypes: [code, token, id_token]' };
const OOB = 'urn:ietf:wg:oauth:2.0:oob';

const halfHash = (text: string): string => hash('sha256', text, 'buffer').subarray(0, 16).toString('base64url');

/** The answer to a response type that has tokens: in the fragment, these parameters and no others. */
function inFragment(id: string, type: string, names: readonly string[]): Row {
  return {
    id,
    fact: `${type} is answered in the fragment with ${names.join(', ')}.`,
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(ALL_TYPES);
      const response = await login(identity, { response_type: type, nonce: 'n-1' });
      assert.equal(response.status, 303);
      const { search, hash: fragment } = locationOf(response);
      assert.equal(search, '');
      const answer = Object.fromEntries(new URLSearchParams(fragment.slice(1)));
      assert.deepEqual(Object.keys(answer).toSorted(), [...names].toSorted());
      assert.equal(answer['token_type'], 'bearer');
      assert.equal(answer['state'], 'st&te=1');
      if (answer['expires_in'] !== undefined) assert.equal(answer['expires_in'], '86400');
      if (answer['id_token'] !== undefined) {
        const claims = claimsOf(answer['id_token']);
        assert.equal(claims['nonce'], 'n-1');
        assert.equal(claims['at_hash'], halfHash(answer['access_token'] ?? ''));
        assert.equal(claims['c_hash'], answer['code'] === undefined ? undefined : halfHash(answer['code']));
      }
      if (answer['code'] !== undefined) assert.equal((await redeem(identity, answer['code'])).status, 200);
    },
  };
}

export const ANSWERS: Section = {
  id: '2.7',
  title: 'The answer to the client',
  rows: [
    {
      id: 'code',
      fact: 'code is answered in the query with code and state by 303.',
      stand: 'kept',
      proof: async (servers) => {
        const response = await login(await servers.at(ALL_TYPES));
        assert.equal(response.status, 303);
        const { searchParams, hash: fragment } = locationOf(response);
        assert.deepEqual([...searchParams.keys()], ['code', 'state']);
        assert.equal(fragment, '');
      },
    },
    {
      id: 'state-empty',
      fact: 'state is there even when the request had none.',
      stand: 'kept',
      proof: async (servers) => {
        const location = (await login(await servers.at(), { state: undefined })).headers.get('location') ?? '';
        assert.match(location, /^\/login\/oidc\?code=[\w-]+&state=$/);
      },
    },
    {
      id: 'state-verbatim',
      fact: 'state comes back to the letter, whatever is in it.',
      stand: 'kept',
      proof: async (servers) => {
        for (const state of ['a b+c%20&d=e', 'ünï/💾', '"><script>', 'a\r\nb', '#?']) {
          const response = await login(await servers.at(), { state });
          assert.equal(locationOf(response).searchParams.get('state'), state);
        }
      },
    },
    inFragment('id-token', 'id_token', ['access_token', 'token_type', 'expires_in', 'state', 'id_token']),
    inFragment('id-token-token', 'id_token token', ['access_token', 'token_type', 'expires_in', 'state', 'id_token']),
    inFragment('code-id-token', 'code id_token', ['access_token', 'token_type', 'state', 'id_token', 'code']),
    inFragment('code-token', 'code token', ['access_token', 'token_type', 'state', 'code']),
    inFragment('code-id-token-token', 'code id_token token', [
      'access_token',
      'token_type',
      'state',
      'id_token',
      'code',
    ]),
    {
      id: 'types-any-order',
      fact: 'The words of a response type may come in any order.',
      stand: 'kept',
      proof: async (servers) => {
        const response = await login(await servers.at(ALL_TYPES), { response_type: 'token id_token code', nonce: 'n' });
        const answer = new URLSearchParams(locationOf(response).hash.slice(1));
        for (const name of ['code', 'id_token', 'access_token']) assert.ok(answer.has(name), name);
      },
    },
    {
      id: 'query-kept',
      fact: 'A query of the redirect URI is kept before what is added.',
      stand: 'kept',
      proof: async (servers) => {
        const redirect_uri = 'https://app.example.com/cb?x=1';
        const location = (await login(await servers.at(), { redirect_uri })).headers.get('location') ?? '';
        assert.match(location, /^https:\/\/app\.example\.com\/cb\?x=1&code=[\w-]+&state=/);
      },
    },
    {
      id: 'relative-to-page',
      fact: 'A registered URI without a slash at its beginning is relative to the address that was asked.',
      stand: 'kept',
      dex: 'Writes the Location as an absolute path; browsers get to the same place.',
      proof: async (servers) => {
        const config = `${USERS}staticClients: [{id: app, name: A, secret: s, redirectURIs: [done/here]}]\n`;
        const identity = await servers.at({ config });
        const page = await openLogin(identity, { redirect_uri: 'done/here' });
        const response = await identity.post(page, { login: 'zoe@example.com', password: 'password' });
        const target = new URL(response.headers.get('location') ?? '', new URL(page, identity.origin));
        assert.equal(target.pathname, '/dex/auth/local/done/here');
      },
    },
    {
      id: 'oob',
      fact: 'Out of band the answer is a page with the code, which redeems.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const text = await expectPage(
          await login(identity, { client_id: 'cli', redirect_uri: OOB }),
          200,
          /Copy this code/,
        );
        const code = /<code id="code">([\w-]+)<\/code>/.exec(text)?.[1] ?? '';
        const form = { grant_type: 'authorization_code', code, redirect_uri: OOB, client_id: 'cli' };
        assert.equal((await identity.post('/dex/token', form)).status, 200);
      },
    },
    {
      id: 'body',
      fact: 'The body of a redirect is HTML with one link to the same place.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const { headers, body } = await ask(identity, authUrl());
        assert.match(String(headers['content-type']), /^text\/html/);
        assert.equal(body.match(/<a /g)?.length, 1);
        assert.ok(body.includes(String(headers.location).replaceAll('&', '&amp;')));
      },
    },
    {
      id: 'no-iss',
      fact: 'There is no iss parameter.',
      stand: 'kept',
      proof: async (servers) => {
        const { searchParams } = locationOf(await login(await servers.at()));
        assert.equal(searchParams.has('iss'), false);
      },
    },
    {
      id: 'response-mode',
      fact: 'response_mode is ignored.',
      stand: 'kept',
      proof: async (servers) => {
        for (const response_mode of ['form_post', 'fragment', 'query', 'x']) {
          const response = await login(await servers.at(), { response_mode });
          assert.equal(response.status, 303);
          assert.ok(locationOf(response).searchParams.has('code'), response_mode);
        }
      },
    },
    {
      id: 'no-referrer',
      fact: 'Redirects with a code may not be kept by anybody and send no referrer.',
      stand: 'safer',
      dex: 'Sends no such headers.',
      why: 'A code is for one browser and one use.',
      proof: async (servers) => {
        const response = await login(await servers.at());
        assert.equal(response.headers.get('cache-control'), 'no-store');
        assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
      },
    },
  ],
};
