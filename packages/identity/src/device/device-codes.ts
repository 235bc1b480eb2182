/** Owns the two codes of the device flow (RFC 8628). */
import { randomToken } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';

/** No vowels, so no words; no letters that look alike. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';

/** `BCDF-GHJK`: 20^8 values, for five minutes. */
export function newUserCode(random: RandomBytes): string {
  let letters = '';
  while (letters.length < 8) {
    // 240 is the largest multiple of 20 below 256: no letter is likelier than another.
    for (const byte of random(16)) if (byte < 240 && letters.length < 8) letters += ALPHABET[byte % ALPHABET.length];
  }
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** What a person typed, in the form it was shown; undefined when it cannot be a code. */
export function readUserCode(typed: string): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  return new RegExp(`^[${ALPHABET}]{8}$`).test(letters) ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}

export function newDeviceCode(random: RandomBytes): string {
  return randomToken(32, random);
}
