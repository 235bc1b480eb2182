/** Owns attacks with tokens that we did not sign, at every endpoint that takes one. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { signJwt } from '@kfctl/oidc';
import { basic, claimsOf, ISSUER, loginForTokens, startTestIdentity } from '../test-identity.ts';

const { createHmac, generateKeyPairSync } = process.getBuiltinModule('node:crypto');

const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function attackForgedTokens(t: TestContext): Promise<void> {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const { id_token: good } = await loginForTokens(identity);
  const { keys } = (await (await identity.fetch('/dex/keys')).json()) as { keys: Record<string, string>[] };
  const introspect = async (token: string): Promise<string> => {
    const response = await identity.post('/dex/token/introspect', { token }, basic('app', 's3cret'));
    return `${response.status} ${await response.text()}`;
  };
  const userinfo = async (token: string): Promise<number> =>
    (await identity.fetch('/dex/userinfo', { headers: { authorization: `Bearer ${token}` } })).status;
  const logout = async (token: string): Promise<string> => {
    const query = new URLSearchParams({ id_token_hint: token, post_logout_redirect_uri: '/bye' });
    return (await identity.fetch(`/dex/logout?${query.toString()}`)).headers.get('location') ?? '';
  };
  const revoke = async (token: string): Promise<string> => {
    const response = await identity.post('/dex/token/revoke', { token }, basic('app', 's3cret'));
    return `${response.status} ${await response.text()}`;
  };
  // A token of ours cannot be revoked, which is told; what is none is answered like a revoked one (RFC 7009 §2.2).
  assert.match(await revoke(good), /^400 .*unsupported_token_type/);
  assert.match(await introspect(good), /^200 .*"active":true/);
  assert.equal(await userinfo(good), 200);
  assert.equal(await logout(good), '/bye');
  for (const [name, token] of forgeries(good, keys[0] ?? {})) {
    assert.match(await introspect(token), /^401 \{"active":false\}/, name);
    assert.equal(await userinfo(token), 403, name);
    assert.equal(await logout(token), '', name);
    assert.equal(await revoke(token), '200 ', name);
  }
}

function forgeries(good: string, key: Record<string, string>): readonly (readonly [string, string])[] {
  const { kid = '' } = key;
  const claims = { ...claimsOf(good), email: 'admin@kubeflow.org', iss: ISSUER, exp: 4_000_000_000 };
  const [head = '', body = '', signature = ''] = good.split('.');
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const hmac = (secret: string, alg: string): string => {
    const input = `${b64({ alg, kid })}.${b64(claims)}`;
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
  };
  return [
    ['no algorithm', `${b64({ alg: 'none', kid })}.${b64(claims)}.`],
    ['no algorithm, capital letters', `${b64({ alg: 'NONE', kid })}.${b64(claims)}.${signature}`],
    ['HMAC with the public key', hmac(JSON.stringify(key), 'HS256')],
    ['HMAC with the x of the public key', hmac(key['x'] ?? '', 'HS256')],
    ['HMAC that claims to be ES256', hmac(JSON.stringify(key), 'ES256')],
    ['a foreign key under our kid', signJwt(claims, { kid, alg: 'ES256', key: foreign })],
    ['a foreign kid', signJwt(claims, { kid: 'f'.repeat(40), alg: 'ES256', key: foreign })],
    ['a key of its own in the head', `${b64({ alg: 'ES256', kid, jwk: key })}.${b64(claims)}.${signature}`],
    ['another body', `${head}.${b64(claims)}.${signature}`],
    ['an empty signature', `${head}.${body}.`],
    ['a signature of zeros', `${head}.${body}.${Buffer.alloc(64).toString('base64url')}`],
  ];
}
