/**
 * SHA-256 (FIPS 180-4) for the name suffix of generated objects. It is no protection against anyone, so it need not be node:crypto, whose
 * loading takes longer than a small build. Digests that protect (the lock file's) are node:crypto's.
 */

/** The first 32 bits of the fractional parts of a root of the first `count` primes. */
function primeRoots(count: number, root: (prime: number) => number): Uint32Array {
  const words = new Uint32Array(count);
  for (let prime = 2, found = 0; found < count; prime += 1) {
    if (!isPrime(prime)) continue;
    words[found] = (root(prime) % 1) * 0x1_0000_0000;
    found += 1;
  }
  return words;
}

function isPrime(number: number): boolean {
  for (let divisor = 2; divisor * divisor <= number; divisor += 1) if (number % divisor === 0) return false;
  return true;
}

/** The message, a one bit, zeros, and the length in bits: a whole number of 64-byte blocks. */
function pad(message: Uint8Array): DataView {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / 64) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(message.length) * 8n);
  return view;
}

const rotate = (word: number, bits: number): number => (word >>> bits) | (word << (32 - bits));

/** The 64 words of a block's message schedule (6.2.2 step 1). */
function schedule(words: Uint32Array, view: DataView, block: number): void {
  const at = (index: number): number => words[index] ?? 0;
  for (let index = 0; index < 16; index += 1) words[index] = view.getUint32(block + index * 4);
  for (let index = 16; index < 64; index += 1) {
    const left = at(index - 15);
    const right = at(index - 2);
    const first = rotate(left, 7) ^ rotate(left, 18) ^ (left >>> 3);
    const second = rotate(right, 17) ^ rotate(right, 19) ^ (right >>> 10);
    words[index] = at(index - 16) + first + at(index - 7) + second;
  }
}

/** One block's 64 rounds (6.2.2 steps 2 to 4). */
function compress(state: Uint32Array, words: Uint32Array, constants: Uint32Array): void {
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let round = 0; round < 64; round += 1) {
    const sumE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const first = (h + sumE + ((e & f) ^ (~e & g)) + (constants[round] ?? 0) + (words[round] ?? 0)) | 0;
    const sumA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const second = (sumA + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, value] of [a, b, c, d, e, f, g, h].entries()) state[index] = (state[index] ?? 0) + value;
}

/** From this size on, node:crypto is faster although it has to be loaded. */
const largeBytes = 128 * 1024;

/** The digest in lower-case hexadecimal digits. */
export function sha256(message: Uint8Array): string {
  if (message.length < largeBytes) return digest(message);
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(message).digest('hex');
}

function digest(message: Uint8Array): string {
  const state = primeRoots(8, Math.sqrt);
  const constants = primeRoots(64, Math.cbrt);
  const view = pad(message);
  const words = new Uint32Array(64);
  for (let block = 0; block < view.byteLength; block += 64) {
    schedule(words, view, block);
    compress(state, words, constants);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}
