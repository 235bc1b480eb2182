import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createServer } from 'node:https';
import { connect } from 'node:tls';
import { listen, Secret } from '@kfctl/core';
import { createCa, createLeaf, isCaGood, isCertificateGood } from './certificate.ts';
import { generatePassword, hashPassword, matchesHash } from './password.ts';

const NOW = Date.now();
const DAY = 86_400_000;
const NAMES = ['localhost', '127.0.0.1', '10.0.0.100', '::1', 'kubeflow.example.org'];

test('the leaf is a P-256 server certificate of its CA for all names, for a year', async () => {
  const ca = await createCa('kubeflow', NOW);
  const leaf = await createLeaf(ca, NAMES, NOW);
  const certificate = new X509Certificate(leaf.certificate);
  assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
  assert.equal(certificate.ca, false);
  assert.equal(new X509Certificate(ca.certificate).ca, true);
  assert.ok(certificate.checkPrivateKey(createPrivateKey(leaf.key.reveal())));
  assert.ok(isCertificateGood(leaf.certificate, ca.certificate, { names: NAMES, now: NOW }));
  assert.ok(isCaGood(ca.certificate, NOW));
  const days = (Date.parse(certificate.validTo) - NOW) / DAY;
  assert.ok(days > 364 && days <= 365);
});

test('a TLS client that knows the CA trusts the leaf', async () => {
  const ca = await createCa('kubeflow', NOW);
  const leaf = await createLeaf(ca, NAMES, NOW);
  const server = createServer({ cert: leaf.certificate, key: leaf.key.reveal() });
  const port = await listen(server, 0, '127.0.0.1');
  try {
    const socket = connect({ host: '127.0.0.1', port, ca: ca.certificate });
    await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
    assert.equal(socket.authorized, true);
    socket.destroy();
  } finally {
    server.close();
  }
});

test('a certificate is made anew when an address is missing, its end is near, or its CA is another', async () => {
  const [ca, other] = await Promise.all([createCa('a', NOW), createCa('a', NOW)]);
  const leaf = await createLeaf(ca, NAMES, NOW);
  const good = (names: string[], now: number, issuer = ca): boolean =>
    isCertificateGood(leaf.certificate, issuer.certificate, { names, now });
  assert.equal(good(['10.0.0.101'], NOW), false);
  assert.equal(good(['10.0.0.100'], NOW + 334 * DAY), true);
  assert.equal(good(['10.0.0.100'], NOW + 336 * DAY), false);
  assert.equal(good(['10.0.0.100'], NOW, other), false);
  assert.equal(isCertificateGood('garbage', ca.certificate, { names: [], now: NOW }), false);
  assert.equal(isCaGood('garbage', NOW), false);
});

test('a password matches its own bcrypt hash of cost 12 alone', async () => {
  const hash = await hashPassword(new Secret('12341234'));
  assert.match(hash, /^\$2[aby]\$12\$/);
  assert.equal(await matchesHash(new Secret('12341234'), hash), true);
  assert.equal(await matchesHash(new Secret('12341235'), hash), false);
  assert.equal(await matchesHash(new Secret('x'), 'no hash'), false);
});

test('generated passwords are long, typeable and never the same', () => {
  const made = Array.from({ length: 50 }, () => generatePassword().reveal());
  assert.equal(new Set(made).size, 50);
  for (const password of made) assert.match(password, /^[a-km-zA-HJ-NP-Z2-9]{20}$/);
  assert.equal(`${generatePassword()}`, '[secret]');
});
