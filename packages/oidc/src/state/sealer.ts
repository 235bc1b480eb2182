/**
 * Owns sealed values: what we hand to a browser or a store and want back unread and unchanged. AES-256-GCM under keys derived
 * for one purpose each; the place a value belongs to is bound in, so that it opens nowhere else.
 */
import { systemRandom } from '@kfctl/core';
import type { RandomBytes, Secret } from '@kfctl/core';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createCipheriv, createDecipheriv, createHash, hkdfSync } = process.getBuiltinModule('node:crypto');

export interface Sealer {
  /** base64url of version (1 byte), key id (4), nonce (12), ciphertext, tag (16). */
  seal(text: string, place: string): string;
  /** The text, or undefined for anything that was not sealed for this purpose and place with one of the keys. */
  open(sealed: string, place: string): string | undefined;
}

export interface SealerOptions {
  /** The first seals, all open: a key is rotated by putting the new one in front. */
  readonly secrets: readonly Secret[];
  readonly purpose: string;
  readonly random?: RandomBytes;
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
const MAX_SEALED_CHARACTERS = 256 * 1024;
const BASE64URL = /^[\w-]+$/;

/** Creates a sealer; throws when there is no secret. */
export function createSealer({ secrets, purpose, random = systemRandom }: SealerOptions): Sealer {
  const keys = secrets.map((secret) => deriveKey(secret, purpose));
  const byId = new Map(keys.map((key) => [keyId(key).toString('hex'), key]));
  const [current] = keys;
  if (current === undefined) throw new TypeError('a sealer needs a secret');
  const head = Buffer.concat([Buffer.from([VERSION]), keyId(current)]);
  return {
    seal: (text, place) => {
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', current, nonce).setAAD(Buffer.from(place));
      const sealed = [cipher.update(text, 'utf8'), cipher.final()];
      return Buffer.concat([head, nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open: (sealed, place) => {
      if (sealed.length > MAX_SEALED_CHARACTERS || !BASE64URL.test(sealed)) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      const key = bytes[0] === VERSION ? byId.get(bytes.toString('hex', 1, HEAD_BYTES)) : undefined;
      return key === undefined ? undefined : decrypt(key, bytes.subarray(HEAD_BYTES), place);
    },
  };
}

/** A key for one purpose out of a secret of any form (HKDF, RFC 5869). */
function deriveKey(secret: Secret, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret.reveal(), 'kfctl', purpose, 32));
}

function keyId(key: Buffer): Buffer {
  return createHash('sha256').update('key id').update(key).digest().subarray(0, KEY_ID_BYTES);
}

function decrypt(key: Buffer, bytes: Buffer, place: string): string | undefined {
  const end = bytes.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place)).setAuthTag(bytes.subarray(end));
    return decipher.update(bytes.subarray(NONCE_BYTES, end), undefined, 'utf8') + decipher.final('utf8');
  } catch {
    return undefined;
  }
}
