/** Owns randomness and comparison of secrets; every token of the product comes from here. */

// Taken this way because importing names of node:crypto also loads Web Cryptography: 5 MB in every process for nothing.
const { randomBytes, randomFillSync, timingSafeEqual } = process.getBuiltinModule('node:crypto');

export type RandomBytes = (size: number) => Buffer;

const RESERVE_BYTES = 4096;

/** Randomness fetched ahead, since a call costs more than its bytes; each byte is given out once and wiped from the reserve. */
export function createRandomReserve(fill: (bytes: Buffer) => Buffer = randomFillSync): RandomBytes {
  const reserve = Buffer.alloc(RESERVE_BYTES);
  let used = RESERVE_BYTES;
  return (size) => {
    if (size > RESERVE_BYTES / 8) return randomBytes(size);
    if (used + size > RESERVE_BYTES) {
      fill(reserve);
      used = 0;
    }
    const bytes = Buffer.from(reserve.subarray(used, used + size));
    reserve.fill(0, used, used + size);
    used += size;
    return bytes;
  };
}

export const systemRandom: RandomBytes = createRandomReserve();

/** `bytes` random bytes as base64url without padding (32 bytes -> 43 characters, 256 bits). */
export function randomToken(bytes = 32, random: RandomBytes = systemRandom): string {
  return random(bytes).toString('base64url');
}

/** Compares two strings in time that depends on neither their content nor the place of the first difference; their lengths may be learned. */
export function constantTimeEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, 'utf8'), Buffer.from(right, 'utf8')];
  return a.length === b.length && timingSafeEqual(a, b);
}
