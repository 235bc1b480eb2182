/** Owns the rows about what all grants of the token endpoint have in common, and how clients prove themselves. */
import assert from 'node:assert/strict';
import { basic, loginForCode, loginForTokens, redeem } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { expectJsonError } from './expectations.ts';
import type { Row } from './row.ts';
import { ask } from './servers.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const WRONG = 'Invalid client credentials.';

/** A redemption that fails only for its code, once the client is known. */
function presented(identity: TestIdentity, form: Record<string, string>, headers = {}): Promise<Response> {
  return identity.post('/dex/token', { grant_type: 'authorization_code', code: 'x', ...form }, headers);
}

const rawBasic = (text: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
});

export const TOKEN_ENDPOINT: readonly Row[] = [
  {
    id: 'methods',
    fact: 'Anything but POST is 400 invalid_request "method not allowed".',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const method of ['GET', 'PUT', 'DELETE']) {
        const response = await identity.fetch('/dex/token?grant_type=authorization_code', { method });
        await expectJsonError(response, 400, 'invalid_request', 'method not allowed');
      }
    },
  },
  {
    id: 'form-only',
    fact: 'Parameters of token requests come in a form: a query is not read, and a body of another type is 400 invalid_request.',
    stand: 'safer',
    dex: 'Takes a body of another type for an empty form.',
    why: 'Codes and secrets in addresses end up in logs (RFC 6749 §3.2).',
    proof: async (servers) => {
      const identity = await servers.at();
      const code = await loginForCode(identity);
      const query = new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: '/login/oidc' });
      const target = `/dex/token?${query.toString()}`;
      await expectJsonError(await identity.post(target, {}, basic('app', 's3cret')), 400, 'unsupported_grant_type');
      const body = JSON.stringify({ grant_type: 'authorization_code', code });
      const headers = { 'content-type': 'application/json', ...basic('app', 's3cret') };
      const response = await identity.fetch('/dex/token', { method: 'POST', headers, body });
      await expectJsonError(response, 400, 'invalid_request', /Content-Type/);
    },
  },
  {
    id: 'repeated',
    fact: 'A parameter of a token request that is given twice is 400 invalid_request.',
    stand: 'safer',
    dex: 'Takes the first.',
    why: 'RFC 6749 §3.2.',
    proof: async (servers) => {
      const body = 'grant_type=authorization_code&code=a&code=b';
      const headers = { 'content-type': 'application/x-www-form-urlencoded', ...basic('app', 's3cret') };
      const response = await (await servers.at()).fetch('/dex/token', { method: 'POST', headers, body });
      await expectJsonError(response, 400, 'invalid_request', /more than once/);
    },
  },
  {
    id: 'grant-unknown',
    fact: 'A grant that is unknown, missing or not enabled is 400 unsupported_grant_type.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at({ oauth2: 'grantTypes: [authorization_code]' });
      const off = ['refresh_token', 'password', 'client_credentials', DEVICE];
      for (const grant_type of [...off, 'implicit', 'magic', '', 'Authorization_Code', 'constructor']) {
        const response = await identity.post('/dex/token', { grant_type }, basic('app', 's3cret'));
        await expectJsonError(response, 400, 'unsupported_grant_type');
      }
    },
  },
  {
    id: 'basic',
    fact: 'A client proves itself by HTTP Basic, both halves form-urlencoded.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const given of ['o%3Ath+er%25', 'o%3ath%20er%25']) {
        const response = await presented(identity, {}, rawBasic(`other:${given}`));
        await expectJsonError(response, 400, 'invalid_grant', 'Invalid or expired code parameter.');
      }
      await expectJsonError(await presented(identity, {}, rawBasic('other:o:th er%')), 401, 'invalid_client', WRONG);
    },
  },
  {
    id: 'post',
    fact: 'A client may prove itself by client_id and client_secret in the form, too.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const good = { client_id: 'other', client_secret: 'o:th er%' };
      await expectJsonError(await presented(identity, good), 400, 'invalid_grant');
      const bad = { ...good, client_secret: 'o:th er' };
      await expectJsonError(await presented(identity, bad), 401, 'invalid_client', WRONG);
    },
  },
  {
    id: 'both',
    fact: 'A client that proves itself in header and form at once is 400 invalid_request.',
    stand: 'safer',
    dex: 'Takes HTTP Basic.',
    why: 'RFC 6749 §2.3: one way for each request.',
    proof: async (servers) => {
      const identity = await servers.at();
      const response = await presented(identity, { client_secret: 's3cret' }, basic('app', 's3cret'));
      await expectJsonError(response, 400, 'invalid_request', /one way/);
    },
  },
  {
    id: 'wrong-client',
    fact: 'An unknown client and a wrong secret are 401 invalid_client "Invalid client credentials." to the letter alike, without WWW-Authenticate.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const answers: string[] = [];
      for (const [id, secret] of [
        ['app', 'wrong'],
        ['nobody', 's3cret'],
        ['', ''],
        ['app', ''],
        ['__proto__', 'x'],
      ] as const) {
        for (const response of [
          await presented(identity, {}, basic(id, secret)),
          await presented(identity, { client_id: id, client_secret: secret }),
        ]) {
          assert.equal(response.status, 401);
          assert.equal(response.headers.get('www-authenticate'), null);
          answers.push(await response.text());
        }
      }
      assert.deepEqual(
        new Set(answers.map((text) => JSON.stringify(JSON.parse(text)))),
        new Set([JSON.stringify({ error: 'invalid_client', error_description: WRONG })]),
      );
    },
  },
  {
    id: 'public',
    fact: 'A public client sends no secret or an empty one; a wrong one is refused.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      await expectJsonError(await presented(identity, { client_id: 'cli' }), 400, 'invalid_grant');
      await expectJsonError(await presented(identity, { client_id: 'cli', client_secret: '' }), 400, 'invalid_grant');
      await expectJsonError(await presented(identity, {}, basic('cli', '')), 400, 'invalid_grant');
      await expectJsonError(await presented(identity, { client_id: 'cli', client_secret: 'x' }), 401, 'invalid_client');
    },
  },
  {
    id: 'device-without-client',
    fact: 'The device grant needs no client.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const device = (await (await identity.post('/dex/device/code', { client_id: 'cli' })).json()) as {
        device_code: string;
      };
      const form = { grant_type: DEVICE, device_code: device.device_code };
      await expectJsonError(await identity.post('/dex/token', form), 400, 'authorization_pending');
    },
  },
  {
    id: 'success',
    fact: 'Success is 200 JSON with access_token, token_type bearer, expires_in in seconds, id_token, and refresh_token where one is due.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const response = await redeem(identity, await loginForCode(identity));
      assert.equal(response.status, 200);
      assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
      const body = (await response.json()) as Record<string, unknown>;
      assert.deepEqual(Object.keys(body).toSorted(), ['access_token', 'expires_in', 'id_token', 'token_type']);
      assert.equal(body['token_type'], 'bearer');
      assert.equal(body['expires_in'], 86_400);
      const more = await loginForTokens(identity, { scope: 'openid offline_access' });
      assert.match(more.refresh_token ?? '', /^[\w-]+$/);
    },
  },
  {
    id: 'not-cached',
    fact: 'Every answer, good or bad, has Cache-Control no-store and Pragma no-cache.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const good = await redeem(identity, await loginForCode(identity));
      for (const response of [good, await presented(identity, {}), await identity.fetch('/dex/token')]) {
        assert.match(response.headers.get('cache-control') ?? '', /no-store/);
        assert.equal(response.headers.get('pragma'), 'no-cache');
      }
    },
  },
  {
    id: 'error-form',
    fact: 'A refusal is JSON with error and, where there is something to say, error_description.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const { status, headers, body } = await ask(identity, '/dex/token');
      assert.equal(status, 400);
      assert.match(String(headers['content-type']), /^application\/json/);
      assert.deepEqual(JSON.parse(body), { error: 'invalid_request', error_description: 'method not allowed' });
    },
  },
];
