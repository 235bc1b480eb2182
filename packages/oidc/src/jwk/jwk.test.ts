import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { exportPublicJwk, importJwkSet, importPublicJwk } from './jwk.ts';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

test('exports the public half only', () => {
  for (const { privateKey } of [ec, rsa]) {
    const jwk = exportPublicJwk(privateKey, 'k1');
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.equal(secret in jwk, false);
    assert.equal(jwk.use, 'sig');
    assert.equal(importPublicJwk(jwk)?.kid, 'k1');
  }
});

test('takes the algorithm from the key and refuses a contradicting one', () => {
  assert.equal(importPublicJwk({ ...exportPublicJwk(rsa.publicKey, 'a'), alg: undefined })?.alg, 'RS256');
  assert.equal(importPublicJwk({ ...exportPublicJwk(rsa.publicKey, 'a'), alg: 'HS256' }), undefined);
  assert.equal(importPublicJwk({ ...exportPublicJwk(rsa.publicKey, 'a'), alg: 'ES256' }), undefined);
  assert.equal(importPublicJwk({ kty: 'oct', k: 'c2VjcmV0', kid: 'a' }), undefined);
});

test('refuses weak, foreign-curve, encryption and broken keys', () => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  assert.equal(importPublicJwk({ ...weak.publicKey.export({ format: 'jwk' }), kid: 'w' }), undefined);
  assert.equal(importPublicJwk({ ...p384.publicKey.export({ format: 'jwk' }), kid: 'p' }), undefined);
  assert.equal(importPublicJwk({ ...exportPublicJwk(rsa.publicKey, 'a'), use: 'enc' }), undefined);
  assert.equal(importPublicJwk({ kty: 'RSA', n: '', e: '' }), undefined);
  assert.equal(importPublicJwk(null), undefined);
});

test('ignores members of a set that it does not understand', () => {
  const set = { keys: [{ kty: 'oct' }, exportPublicJwk(ec.publicKey, 'good'), 7] };
  assert.deepEqual(
    importJwkSet(set)?.map((key) => key.kid),
    ['good'],
  );
  assert.equal(importJwkSet({ keys: 'x' }), undefined);
  assert.equal(importJwkSet(undefined), undefined);
});
