import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import { signJwt } from '@kfctl/oidc';
import { ISSUER, loginForTokens, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';

let identity: TestIdentity;
let tokens: Tokens;
before(async () => {
  identity = await startTestIdentity();
  tokens = await loginForTokens(identity);
});
after(() => identity.stop());

async function statusOf(authorization: string): Promise<number> {
  return (await identity.fetch('/dex/userinfo', { headers: { authorization } })).status;
}

const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

test('access and ID tokens are accepted, with the scheme in any case', async () => {
  assert.equal(await statusOf(`Bearer ${tokens.access_token}`), 200);
  assert.equal(await statusOf(`bEaReR ${tokens.id_token}`), 200);
});

test('without a bearer token the answer is 401 and names the scheme', async () => {
  const response = await identity.fetch('/dex/userinfo');
  assert.equal(response.status, 401);
  assert.equal(response.headers.get('www-authenticate'), 'Bearer');
  for (const header of ['Basic eDp5', 'Bearer', 'Bearer ', `Token ${tokens.access_token}`]) {
    assert.equal(await statusOf(header), 401, header);
  }
  assert.equal((await identity.fetch(`/dex/userinfo?access_token=${tokens.access_token}`)).status, 401);
});

test('forged tokens are refused: none, HMAC with the public key, foreign key under our kid, changed claims', async () => {
  const { keys } = (await (await identity.fetch('/dex/keys')).json()) as { keys: Record<string, string>[] };
  const kid = keys[0]?.['kid'] ?? '';
  const claims = { iss: ISSUER, sub: 'x', aud: 'app', email: 'admin@kubeflow.org', exp: 4_000_000_000 };
  const hmacInput = `${b64({ alg: 'HS256', kid })}.${b64(claims)}`;
  const hmac = createHmac('sha256', JSON.stringify(keys[0])).update(hmacInput).digest('base64url');
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const [head, , signature] = tokens.access_token.split('.');
  for (const token of [
    `${b64({ alg: 'none', kid })}.${b64(claims)}.`,
    `${b64({ alg: 'none', kid })}.${b64(claims)}.AAAA`,
    `${hmacInput}.${hmac}`,
    signJwt(claims, { kid, alg: 'ES256', key: foreign }),
    signJwt(claims, { kid: 'unknown', alg: 'ES256', key: foreign }),
    `${head}.${b64(claims)}.${signature}`,
    'garbage',
    'x'.repeat(7000),
  ]) {
    assert.equal(
      (await identity.fetch('/dex/userinfo', { headers: { authorization: `Bearer ${token}` } })).status === 200,
      false,
    );
  }
});

test('an expired token is refused', async () => {
  identity.now += 25 * 3_600_000;
  assert.equal(await statusOf(`Bearer ${tokens.access_token}`), 403);
});
