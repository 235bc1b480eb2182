import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { decodeSubject, encodeSubject } from './subject.ts';
import { tokenHash } from './token-hash.ts';

const VECTORS = [
  ['0-385-28089-0', 'mock', 'Cg0wLTM4NS0yODA4OS0wEgRtb2Nr'],
  ['08a8684b-db88-4b73-90a9-3cd1661f5466', 'local', 'CiQwOGE4Njg0Yi1kYjg4LTRiNzMtOTBhOS0zY2QxNjYxZjU0NjYSBWxvY2Fs'],
] as const;

test('encodes and decodes subjects as Dex does', () => {
  for (const [userId, connectorId, subject] of VECTORS) {
    assert.equal(encodeSubject({ userId, connectorId }), subject);
    assert.deepEqual(decodeSubject(subject), { userId, connectorId });
  }
});

test('keeps long, empty and non-ASCII ids', () => {
  for (const userId of ['', 'é🙂', 'x'.repeat(127), 'x'.repeat(128), 'x'.repeat(20_000)]) {
    assert.deepEqual(decodeSubject(encodeSubject({ userId, connectorId: 'c' })), { userId, connectorId: 'c' });
  }
});

test('refuses what it did not make', () => {
  for (const text of ['!', 'Cg0w', 'GgRtb2Nr', 'Cv____8', 'admin@kubeflow.org'])
    assert.equal(decodeSubject(text), undefined);
});

test('hashes tokens to the base64url of the first 16 bytes, whatever they are', () => {
  for (let index = 0; index < 500; index += 1) {
    const digest = createHash('sha256').update(`token ${index}`).digest();
    assert.equal(tokenHash(`token ${index}`), digest.subarray(0, 16).toString('base64url'));
  }
});

test('hashes tokens as OpenID Connect Core appendix A.4 shows', () => {
  assert.equal(tokenHash('jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y'), '77QmUPtjPfzWtF2AnpK9RQ');
});
