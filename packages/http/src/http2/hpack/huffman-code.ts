/**
 * Owns the Huffman code of HPACK (RFC 7541 appendix B). The code is canonical: the symbols of one length follow each other, in order,
 * and so do the lengths; the lengths alone say everything.
 */

/** `length * count` for each run of symbols from 0 to 256, the end of the string. */
const LENGTHS = `13 23 28*7 24 30 28*2 30 28*8 30 28*9 6 10*2 12 13 6 8 11 10*2 8 11 8 6*3 5*3 6*7 7 8 15 6 12 10 13 6 7*22 8 7 8 13 19 13 14 6
15 5 6 5 6 5 6*3 5 7*2 6*3 5 6 7 6 5*2 6 7*5 15 11 14 13 28 20 22 20*2 22*3 23 22 23*5 24 23 24*2 22 23 24 23*4 21 22 23 22 23*2 24 22 21 20
22*2 23*2 21 23 22*2 24 21 22 23*2 21*2 22 21 23 22 23*2 20 22*3 23 22*2 23 26*2 20 19 22 23 22 25 26*3 27*2 26 24 25 19 21 26 27*2 26 27
24 21*2 26*2 28 27*3 20 24 20 21 22 21*2 23 22*2 25*2 24*2 26 23 26 27 26*2 27*5 28 27*5 26 30`;

export interface HuffmanCode {
  readonly bits: number;
  readonly length: number;
}

export const END_OF_STRING = 256;

/** By symbol. */
export const HUFFMAN_CODES: readonly HuffmanCode[] = assignCodes(
  LENGTHS.split(/\s+/).flatMap((run) => {
    const [length = 0, count = 1] = run.split('*').map(Number);
    return Array.from({ length: count }, () => length);
  }),
);

function assignCodes(lengths: readonly number[]): HuffmanCode[] {
  const codes: HuffmanCode[] = [];
  let bits = 0;
  for (let length = 1; length <= 30; length += 1) {
    bits *= 2;
    for (const [symbol, own] of lengths.entries()) {
      if (own !== length) continue;
      codes[symbol] = { bits, length };
      bits += 1;
    }
  }
  return codes;
}
