import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { SignatureAlgorithm, VerificationKey } from '../jwk/jwk.ts';
import { signJwt } from './sign-jwt.ts';
import { decodeJwt, verifyJwt } from './verify-jwt.ts';
import type { JwtExpectations } from './verify-jwt.ts';

const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
};
const signing = (alg: SignatureAlgorithm) => ({ kid: alg, alg, key: pairs[alg].privateKey });
const keys: VerificationKey[] = [
  { kid: 'RS256', alg: 'RS256', key: pairs.RS256.publicKey },
  { kid: 'ES256', alg: 'ES256', key: pairs.ES256.publicKey },
];
const nowMs = 1_700_000_000_000;
const claims = { iss: 'https://op/dex', aud: 'app', sub: 's', exp: nowMs / 1000 + 60 };
const expected: JwtExpectations = { keys, issuer: 'https://op/dex', audience: 'app', nowMs };
const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const reasonOf = (token: string, more: Partial<JwtExpectations> = {}): string => {
  const verdict = verifyJwt(token, { ...expected, ...more });
  return verdict.kind === 'valid' ? 'valid' : verdict.reason;
};

test('what is signed verifies, with both algorithms', () => {
  for (const alg of ['RS256', 'ES256'] as const) assert.equal(reasonOf(signJwt(claims, signing(alg))), 'valid');
});

test('refuses alg none, HMAC with the public key, and a critical extension', () => {
  const pem = pairs.RS256.publicKey.export({ type: 'spki', format: 'pem' });
  const hmacInput = `${b64({ alg: 'HS256', kid: 'RS256' })}.${b64(claims)}`;
  const hmac = createHmac('sha256', pem).update(hmacInput).digest('base64url');
  assert.equal(reasonOf(`${b64({ alg: 'none' })}.${b64(claims)}.`), 'not a token');
  assert.equal(reasonOf(`${b64({ alg: 'none' })}.${b64(claims)}.AA`), 'not a token');
  assert.equal(reasonOf(`${hmacInput}.${hmac}`), 'not a token');
  assert.equal(reasonOf(`${b64({ alg: 'RS256', kid: 'RS256', crit: ['b64'] })}.${b64(claims)}.AA`), 'not a token');
});

test('refuses a key of another algorithm under the named kid', () => {
  assert.equal(reasonOf(signJwt(claims, { ...signing('ES256'), kid: 'RS256' })), 'unknown key');
});

test('refuses changed claims, foreign keys and unknown kids', () => {
  const [head, , signature] = signJwt(claims, signing('ES256')).split('.');
  assert.equal(reasonOf(`${head}.${b64({ ...claims, sub: 'root' })}.${signature}`), 'bad signature');
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  assert.equal(reasonOf(signJwt(claims, { kid: 'ES256', alg: 'ES256', key: foreign })), 'bad signature');
  assert.equal(reasonOf(signJwt(claims, { ...signing('ES256'), kid: 'ES256x' })), 'unknown key');
});

test('judges issuer, audience and times', () => {
  const sign = (more: object): string => signJwt({ ...claims, ...more }, signing('ES256'));
  assert.equal(reasonOf(sign({ iss: 'https://evil' })), 'wrong issuer');
  assert.equal(reasonOf(sign({ aud: ['x', 'app'] })), 'valid');
  assert.equal(reasonOf(sign({ aud: ['x'] })), 'wrong audience');
  assert.equal(reasonOf(sign({ exp: nowMs / 1000 })), 'expired');
  assert.equal(reasonOf(sign({ exp: nowMs / 1000 - 5 }), { toleranceSeconds: 10 }), 'valid');
  assert.equal(reasonOf(sign({ exp: nowMs / 1000 - 5 }), { acceptExpired: true }), 'valid');
  assert.equal(reasonOf(sign({ exp: '9999999999' })), 'no expiry');
  assert.equal(reasonOf(sign({ nbf: nowMs / 1000 + 5 })), 'not valid yet');
});

test('accepts a token without kid only where one key fits', () => {
  const head = b64({ alg: 'ES256' });
  const token = signJwt(claims, signing('ES256'));
  assert.equal(reasonOf(`${head}.${token.split('.').slice(1).join('.')}`), 'bad signature');
  assert.equal(reasonOf(`${head}.${token.split('.').slice(1).join('.')}`, { keys: [...keys, ...keys] }), 'unknown key');
});

test('survives garbage of any shape', () => {
  for (const token of [
    '',
    '.',
    '..',
    'a.b',
    'a.b.c',
    'a.b.c.d',
    `${b64([])}.${b64([])}.AA`,
    'x'.repeat(100_000),
    'é.é.é',
  ]) {
    assert.equal(decodeJwt(token), undefined);
    assert.equal(reasonOf(token), 'not a token');
  }
});
