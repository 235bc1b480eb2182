import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPkcePair, isCodeChallenge, isCodeVerifier, verifyPkce } from './pkce.ts';

test('matches the example of RFC 7636 appendix B', () => {
  const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk';
  assert.equal(verifyPkce(verifier, 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'S256'), true);
  assert.equal(verifyPkce(verifier, verifier, 'plain'), true);
  assert.equal(verifyPkce(verifier, verifier, 'S256'), false);
});

test('a fresh pair verifies and differs from the next', () => {
  const pair = createPkcePair();
  assert.equal(verifyPkce(pair.verifier, pair.challenge, pair.method), true);
  assert.notEqual(pair.verifier, createPkcePair().verifier);
  assert.ok(isCodeVerifier(pair.verifier) && isCodeChallenge(pair.challenge));
});

test('refuses verifiers that are too short, too long or of foreign characters', () => {
  for (const verifier of ['', 'a'.repeat(42), 'a'.repeat(129), `${'a'.repeat(43)}\n`, `${'a'.repeat(43)} `]) {
    assert.equal(verifyPkce(verifier, verifier, 'plain'), false);
  }
});
