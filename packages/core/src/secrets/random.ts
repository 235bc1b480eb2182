/** Owns randomness and comparison of secrets; every token of the product comes from here. */

// Taken this way because importing names of node:crypto also loads Web Cryptography: 5 MB in every process for nothing.
const { createHash, randomBytes, timingSafeEqual } = process.getBuiltinModule('node:crypto');

/** A source of random bytes; a parameter so that tests can be deterministic. */
export type RandomBytes = (size: number) => Buffer;

export const systemRandom: RandomBytes = (size) => randomBytes(size);

/** `bytes` random bytes as base64url without padding (32 bytes -> 43 characters, 256 bits). */
export function randomToken(bytes = 32, random: RandomBytes = systemRandom): string {
  return random(bytes).toString('base64url');
}

/** Compares two strings in time that depends on neither their content nor the place of the first difference. */
export function constantTimeEqual(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();
  return timingSafeEqual(digest(left), digest(right));
}
