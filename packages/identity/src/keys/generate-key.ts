/** Owns the making of signing keys. */
import type { KeyObject } from 'node:crypto';
import type { RandomBytes } from '@kfctl/core';
import type { SignatureAlgorithm } from '@kfctl/oidc';
import type { Jwk } from '../storage/records.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { generateKeyPair } = process.getBuiltinModule('node:crypto');

const generate = process.getBuiltinModule('node:util').promisify(generateKeyPair);

/** A fresh private key as JWK with kid (40 hex digits), alg and use. RSA-2048 takes a tenth of a second or more: off the main thread. */
export async function generateSigningKey(alg: SignatureAlgorithm, random: RandomBytes): Promise<Jwk> {
  const privateKey = await generatePrivateKey(alg);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: random(20).toString('hex'), alg };
}

async function generatePrivateKey(alg: SignatureAlgorithm): Promise<KeyObject> {
  const pair =
    alg === 'ES256' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: 2048 });
  return pair.privateKey;
}
