/**
 * Owns sealed values: state that travels through the browser instead of being stored, so that whoever has not logged in
 * cannot fill the storage. AES-256-GCM: nobody else can read or make one, and each is good for one purpose only.
 */
import type { RandomBytes } from '@kfctl/core';
import type { SealingKey } from '../storage/records.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createCipheriv, createDecipheriv } = process.getBuiltinModule('node:crypto');

export interface Sealer {
  /** base64url of key id (4 bytes), nonce (12), ciphertext, tag (16). */
  seal(purpose: string, value: object): string;
  /** The value, or undefined for anything that `seal` did not make for this purpose with a key still known. */
  open(purpose: string, sealed: string): unknown;
}

const ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_SEALED_CHARACTERS = 16_384;

export function createSealer(keys: readonly SealingKey[], random: RandomBytes): Sealer {
  const byId = new Map(keys.map((key) => [key.id, Buffer.from(key.key, 'base64')]));
  const [current] = keys;
  return {
    seal: (purpose, value) => {
      const id = Buffer.from(current?.id ?? '', 'hex');
      const key = byId.get(current?.id ?? '');
      if (key === undefined) throw new Error('no sealing key');
      const nonce = random(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(purpose));
      const sealed = [cipher.update(JSON.stringify(value), 'utf8'), cipher.final()];
      return Buffer.concat([id, nonce, ...sealed, cipher.getAuthTag()]).toString('base64url');
    },
    open: (purpose, sealed) => {
      if (sealed.length > MAX_SEALED_CHARACTERS || !/^[\w-]+$/.test(sealed)) return undefined;
      const bytes = Buffer.from(sealed, 'base64url');
      // RFC 4648 §3.5: bits that say nothing may differ; one value has one spelling here.
      if (bytes.toString('base64url') !== sealed) return undefined;
      const key = byId.get(bytes.toString('hex', 0, ID_BYTES));
      return key === undefined ? undefined : decrypt(key, purpose, bytes.subarray(ID_BYTES));
    },
  };
}

function decrypt(key: Buffer, purpose: string, bytes: Buffer): unknown {
  const end = bytes.length - TAG_BYTES;
  if (end < NONCE_BYTES) return undefined;
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(purpose)).setAuthTag(bytes.subarray(end));
    const text = decipher.update(bytes.subarray(NONCE_BYTES, end), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
