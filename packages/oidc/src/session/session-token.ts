/**
 * Owns the form of the session token: 256 random bits, opaque to everyone, and a mark of 96 bits that shows that we made it.
 * Stores know the SHA-256 of it only. The mark is looked at where a token is not in memory: whoever sends made-up tokens costs
 * a hash and never a question to the store.
 */
import type { RandomBytes, Secret } from '@kfctl/core';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHmac, hash, hkdfSync, timingSafeEqual } = process.getBuiltinModule('node:crypto');

export interface SessionTokens {
  create(): string;
  /** Whether a token was made with one of our keys. */
  isGenuine(token: string): boolean;
}

export interface SessionTokenOptions {
  /** The first marks, all are recognised. */
  readonly secrets: readonly Secret[];
  readonly random: RandomBytes;
}

const RANDOM_BYTES = 32;
const MARK_BYTES = 12;
const TOKEN_BYTES = RANDOM_BYTES + MARK_BYTES;
const TOKEN_CHARACTERS = 59;
const TOKEN = /^[\w-]+$/;

/** The id of a session: lower-case hex SHA-256 of its token, which is a valid Kubernetes object name too. */
export function sessionIdOf(token: string): string {
  return hash('sha256', token, 'hex');
}

/** The same as bytes, one a character: half as long, for memory. */
export function sessionKeyOf(token: string): string {
  return hash('sha256', token, 'latin1');
}

/** Whether a text has the form of a session token; says nothing about its being one. */
export function isSessionToken(text: string): boolean {
  return text.length === TOKEN_CHARACTERS && TOKEN.test(text);
}

export function createSessionTokens({ secrets, random }: SessionTokenOptions): SessionTokens {
  const keys = secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret.reveal(), 'kfctl', 'session token', 32)));
  const [current] = keys;
  if (current === undefined) throw new TypeError('session tokens need a secret');
  return {
    create: () => {
      const bytes = random(RANDOM_BYTES);
      return Buffer.concat([bytes, markOf(bytes, current)]).toString('base64url');
    },
    isGenuine: (token) => {
      const bytes = isSessionToken(token) ? Buffer.from(token, 'base64url') : Buffer.alloc(0);
      // One spelling each: base64url's last character has bits that decoding ignores.
      if (bytes.length !== TOKEN_BYTES || bytes.toString('base64url') !== token) return false;
      const mark = bytes.subarray(RANDOM_BYTES);
      return keys.some((key) => timingSafeEqual(mark, markOf(bytes.subarray(0, RANDOM_BYTES), key)));
    },
  };
}

function markOf(bytes: Buffer, key: Buffer): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, MARK_BYTES);
}
