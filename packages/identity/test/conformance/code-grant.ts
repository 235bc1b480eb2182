/** Owns the rows about redeeming codes. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { authUrl, basic, login, locationOf, loginForCode, loginForTokens, redeem } from '../test-identity.ts';
import { expectJsonError } from './expectations.ts';
import type { Row } from './row.ts';

const { hash } = process.getBuiltinModule('node:crypto');

const BAD_CODE = 'Invalid or expired code parameter.';
const VERIFIER = 'v'.repeat(64);
const S256 = { code_challenge: hash('sha256', VERIFIER, 'base64url'), code_challenge_method: 'S256' };
const PLAIN = { code_challenge: VERIFIER, code_challenge_method: 'plain' };

type Form = Record<string, string>;

/** A login that asks with a challenge and redeems with a verifier; no error means success. */
function pkce(
  id: string,
  fact: string,
  cases: readonly (readonly [Form, Form])[],
  problem?: readonly [string, string],
): Row {
  return {
    id,
    fact,
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const [asked, proven] of cases) {
        const response = await redeem(identity, await loginForCode(identity, asked), proven);
        if (problem === undefined) assert.equal(response.status, 200);
        else await expectJsonError(response, 400, ...problem);
      }
    },
  };
}

export const CODE_GRANT: readonly Row[] = [
  {
    id: 'code-missing',
    fact: 'No code is 400 invalid_request "Required param: code."',
    stand: 'kept',
    proof: async (servers) =>
      expectJsonError(await redeem(await servers.at(), ''), 400, 'invalid_request', 'Required param: code.'),
  },
  {
    id: 'code-unknown',
    fact: 'An unknown code is 400 invalid_grant "Invalid or expired code parameter."',
    stand: 'kept',
    proof: async (servers) => {
      for (const code of ['x', 'abcdefghijklmnopqrstuvwxyz', '__proto__', '../x'])
        await expectJsonError(await redeem(await servers.at(), code), 400, 'invalid_grant', BAD_CODE);
    },
  },
  {
    id: 'code-used',
    fact: 'A code is good once: the second time it is 400 invalid_grant.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const code = await loginForCode(identity);
      assert.equal((await redeem(identity, code)).status, 200);
      await expectJsonError(await redeem(identity, code), 400, 'invalid_grant', BAD_CODE);
    },
  },
  {
    id: 'code-parallel',
    fact: 'Of 50 redemptions at once exactly one gets tokens.',
    stand: 'kept',
    dex: '2.45 makes tokens before it deletes the code; later versions delete first.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      const code = await loginForCode(identity);
      const all = await Promise.all(Array.from({ length: 50 }, () => redeem(identity, code)));
      assert.equal(all.filter(({ status }) => status === 200).length, 1);
      assert.equal(all.filter(({ status }) => status === 400).length, 49);
    },
  },
  {
    id: 'code-lifetime',
    fact: 'A code is good for 30 minutes; later it is 400 invalid_grant.',
    stand: 'kept',
    dex: '2.45 answers 500 to an expired code; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const [first, second] = [await loginForCode(identity), await loginForCode(identity)];
      identity.now += 30 * 60_000 - 1000;
      assert.equal((await redeem(identity, first)).status, 200);
      identity.now += 1000;
      await expectJsonError(await redeem(identity, second), 400, 'invalid_grant', BAD_CODE);
    },
  },
  {
    id: 'code-other-client',
    fact: 'A code of another client is 400 invalid_grant, in the words of an unknown one.',
    stand: 'kept',
    dex: '2.45 answers 500; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      const form = {
        grant_type: 'authorization_code',
        code: await loginForCode(identity),
        redirect_uri: '/login/oidc',
      };
      const response = await identity.post('/dex/token', form, basic('other', 'o:th er%'));
      await expectJsonError(response, 400, 'invalid_grant', BAD_CODE);
    },
  },
  {
    id: 'code-redirect',
    fact: 'A redirect_uri other than the request’s, or none, is 400 invalid_request "redirect_uri did not match URI from initial request."',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const redirect_uri of ['https://app.example.com/plain', '/login/oidc/', '']) {
        const response = await redeem(identity, await loginForCode(identity), { redirect_uri });
        const words = 'redirect_uri did not match URI from initial request.';
        await expectJsonError(response, 400, 'invalid_request', words);
      }
    },
  },
  {
    id: 'code-spent-by-failure',
    fact: 'A code is spent by the first attempt, failed or not.',
    stand: 'safer',
    dex: '2.45 deletes a code when tokens were made from it, later versions before that.',
    why: 'RFC 9700 §4.5: whoever guesses verifiers has one guess.',
    proof: async (servers) => {
      const identity = await servers.at();
      const code = await loginForCode(identity, S256);
      await expectJsonError(await redeem(identity, code, { code_verifier: 'w'.repeat(64) }), 400, 'invalid_grant');
      await expectJsonError(await redeem(identity, code, { code_verifier: VERIFIER }), 400, 'invalid_grant', BAD_CODE);
    },
  },
  pkce('pkce-s256', 'PKCE with S256: the verifier whose hash is the challenge redeems.', [
    [S256, { code_verifier: VERIFIER }],
  ]),
  pkce('pkce-plain', 'PKCE with plain, named or not: the challenge itself redeems.', [
    [PLAIN, { code_verifier: VERIFIER }],
    [{ code_challenge: VERIFIER }, { code_verifier: VERIFIER }],
  ]),
  pkce(
    'pkce-wrong',
    'A wrong verifier is 400 invalid_grant "Invalid code_verifier."',
    [
      [S256, { code_verifier: 'w'.repeat(64) }],
      [S256, { code_verifier: S256.code_challenge }],
      [PLAIN, { code_verifier: 'w'.repeat(64) }],
    ],
    ['invalid_grant', 'Invalid code_verifier.'],
  ),
  pkce(
    'pkce-missing',
    'A challenge without a verifier is 400 invalid_grant "Expecting parameter code_verifier in PKCE flow."',
    [
      [S256, {}],
      [PLAIN, { code_verifier: '' }],
    ],
    ['invalid_grant', 'Expecting parameter code_verifier in PKCE flow.'],
  ),
  pkce(
    'pkce-downgrade',
    'A verifier without a challenge is 400 invalid_request: nobody strips the challenge from a request unseen.',
    [[{}, { code_verifier: VERIFIER }]],
    ['invalid_request', 'No PKCE flow started. Cannot check code_verifier.'],
  ),
  {
    id: 'code-refresh',
    fact: 'A refresh token comes with offline_access and the grant refresh_token enabled, from a connector that can refresh; otherwise none.',
    stand: 'kept',
    proof: async (servers) => {
      const offline = { scope: 'openid offline_access' };
      const identity = await servers.at();
      assert.ok((await loginForTokens(identity, offline)).refresh_token);
      assert.equal((await loginForTokens(identity)).refresh_token, undefined);
      const off = await servers.at({ oauth2: 'skipApprovalScreen: true, grantTypes: [authorization_code]' });
      assert.equal((await loginForTokens(off, offline)).refresh_token, undefined);
      const proxy = await servers.at({ config: 'connectors: [{type: authproxy, id: proxy, name: P}]\n' });
      const out = locationOf(await proxy.fetch(authUrl(offline, '/dex/auth/proxy')));
      const done = await proxy.fetch(out.pathname + out.search, { headers: { 'x-remote-user': 'kim' } });
      const tokens = await redeem(proxy, locationOf(done).searchParams.get('code') ?? '');
      assert.equal(((await tokens.json()) as { refresh_token?: string }).refresh_token, undefined);
    },
  },
  {
    id: 'code-hidden',
    fact: 'The storage holds no code that could be redeemed, only its hash.',
    stand: 'safer',
    dex: 'The code is the id of the stored object.',
    why: 'Whoever reads the storage, or its backup, logs in as nobody.',
    proof: async (servers) => {
      const directory = mkdtempSync(path.join(tmpdir(), 'identity-codes-'));
      servers.after(() => rmSync(directory, { recursive: true, force: true }));
      const identity = await servers.fresh({
        storage: `type: sqlite3, config: {file: ${path.join(directory, 'dex.db')}}`,
      });
      const code = locationOf(await login(identity)).searchParams.get('code') ?? '';
      const stored = readdirSync(directory)
        .map((file) => readFileSync(path.join(directory, file), 'latin1'))
        .join('');
      assert.ok(stored.includes(hash('sha256', code, 'hex')), 'its hash is there');
      assert.ok(!stored.includes(code));
    },
  },
];
