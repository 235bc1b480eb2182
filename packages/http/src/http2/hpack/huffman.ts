/** Owns coding and decoding of strings with the Huffman code (RFC 7541 section 5.2). */
import { END_OF_STRING, HUFFMAN_CODES } from './huffman-code.ts';

/** Four bits lead from one node of the tree to another, and past one symbol at most: no code is shorter than five. */
const NO_SYMBOL = 256;
const SYMBOL_MASK = 0x1ff;
const NODE_SHIFT = 9;
const FAILS = -1;
/** What no byte was completed with: all ones, and fewer than eight of them. */
const MAX_PADDING = 7;

interface Node {
  readonly number: number;
  /** Children; a number is a symbol. */
  readonly next: [Node | number | undefined, Node | number | undefined];
  readonly isPadding: boolean;
}

interface Machine {
  /** Of node and four bits: the next node and the symbol that was passed; `FAILS`. */
  readonly steps: Int32Array;
  readonly mayEnd: Uint8Array;
}

const machine: Machine = createMachine();

/** The text of one byte a character; undefined where the bytes are no code. */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string | undefined {
  const { steps, mayEnd } = machine;
  const text = Buffer.allocUnsafe(Math.ceil(((end - start) * 8) / 5));
  let [node, length] = [0, 0];
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    for (let shift = 4; shift >= 0; shift -= 4) {
      const step = steps[(node << 4) | ((byte >> shift) & 0xf)] ?? FAILS;
      if (step < 0) return undefined;
      const symbol = step & SYMBOL_MASK;
      if (symbol !== NO_SYMBOL) text[length++] = symbol;
      node = step >> NODE_SHIFT;
    }
  }
  return mayEnd[node] === 1 ? text.toString('latin1', 0, length) : undefined;
}

/** The code of a text of one byte a character. */
export function encodeHuffman(text: string): Buffer {
  const bytes: number[] = [];
  let [pending, count] = [0, 0];
  for (let index = 0; index < text.length; index += 1) {
    const code = HUFFMAN_CODES[text.charCodeAt(index) & 0xff];
    if (code === undefined) continue;
    for (let bit = code.length - 1; bit >= 0; bit -= 1) {
      pending = (pending << 1) | ((code.bits >>> bit) & 1);
      count += 1;
      if (count < 8) continue;
      bytes.push(pending);
      [pending, count] = [0, 0];
    }
  }
  if (count > 0) bytes.push((pending << (8 - count)) | (0xff >> count));
  return Buffer.from(bytes);
}

function createMachine(): Machine {
  const nodes = plantTree();
  const steps = new Int32Array(nodes.length << 4);
  for (const node of nodes) {
    for (let bits = 0; bits < 16; bits += 1) steps[(node.number << 4) | bits] = walk(nodes, node, bits);
  }
  return { steps, mayEnd: Uint8Array.from(nodes, ({ isPadding }) => (isPadding ? 1 : 0)) };
}

function plantTree(): Node[] {
  const root: Node = { number: 0, next: [undefined, undefined], isPadding: true };
  const nodes = [root];
  for (const [symbol, { bits, length }] of HUFFMAN_CODES.entries()) {
    let node = root;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const side = ((bits >>> bit) & 1) as 0 | 1;
      const before = node.next[side];
      const isPadding = node.isPadding && side === 1 && length - bit <= MAX_PADDING;
      const next = typeof before === 'object' ? before : { number: nodes.length, next: emptyPair(), isPadding };
      if (before === undefined) nodes.push(next);
      node.next[side] = next;
      node = next;
    }
    node.next[(bits & 1) as 0 | 1] = symbol;
  }
  return nodes;
}

function emptyPair(): Node['next'] {
  return [undefined, undefined];
}

function walk(nodes: readonly Node[], from: Node, bits: number): number {
  let node = from;
  let passed = NO_SYMBOL;
  for (let bit = 3; bit >= 0; bit -= 1) {
    const next = node.next[((bits >> bit) & 1) as 0 | 1];
    // RFC 7541 section 5.2: the end of the string is never written out.
    if (next === undefined || next === END_OF_STRING) return FAILS;
    if (typeof next === 'number') passed = next;
    node = typeof next === 'number' ? (nodes[0] ?? node) : next;
  }
  return (node.number << NODE_SHIFT) | passed;
}
