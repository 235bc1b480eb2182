/**
 * Owns the socket filters (classic BPF): the kernel drops what is not about our addresses, so that a flood about others costs nothing.
 * A filter may let too much through, never too little: who answers checks again.
 */

export interface Instruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  readonly k: number;
}

export interface Range {
  readonly first: number;
  readonly last: number;
}

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_AT_LEAST = 0x35;
const RETURN = 0x06;
const WHOLE = 0xff_ff;
/** Three instructions each, at most twice in a program; the kernel takes 4096. */
const MAX_RANGES = 400;

/** Lets through ARP requests for the addresses, and whatever claims to be one of them. */
export function arpFilter(addresses: readonly Uint8Array[]): readonly Instruction[] {
  const ranges = rangesOf(addresses.map((ip) => wordAt(ip, 0)));
  const target = accept(38, ranges);
  return [load(LOAD_HALF, 20), jumpUnless(1, target.length), ...target, ...accept(28, ranges), drop()];
}

/** Lets through neighbour solicitations and advertisements whose target's last four bytes are those of one of the addresses. */
export function ndpFilter(addresses: readonly Uint8Array[]): readonly Instruction[] {
  const ranges = rangesOf(addresses.map((ip) => wordAt(ip, 12)));
  const isNeighbourMessage = [
    load(LOAD_BYTE, 20),
    equals(58, 1),
    drop(),
    load(LOAD_BYTE, 54),
    equals(135, 2),
    equals(136, 1),
    drop(),
  ];
  return [...isNeighbourMessage, ...accept(74, ranges), drop()];
}

/** The program as the kernel's `struct sock_filter[]`, little-endian. */
export function encodeFilter(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, { code, jumpTrue, jumpFalse, k }] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes[index * 8 + 2] = jumpTrue;
    bytes[index * 8 + 3] = jumpFalse;
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}

function accept(offset: number, ranges: readonly Range[]): readonly Instruction[] {
  const tests = ranges.flatMap(({ first, last }) => [
    { code: JUMP_AT_LEAST, jumpTrue: 0, jumpFalse: 2, k: first },
    { code: JUMP_GREATER, jumpTrue: 1, jumpFalse: 0, k: last },
    { code: RETURN, jumpTrue: 0, jumpFalse: 0, k: WHOLE },
  ]);
  return [load(LOAD_WORD, offset), ...tests];
}

function load(code: number, k: number): Instruction {
  return { code, jumpTrue: 0, jumpFalse: 0, k };
}

function equals(k: number, skip: number): Instruction {
  return { code: JUMP_EQUAL, jumpTrue: skip, jumpFalse: 0, k };
}

/** Skips many instructions, which a conditional jump (one byte) cannot. */
function jumpUnless(k: number, skip: number): Instruction {
  if (skip <= 0xff) return { code: JUMP_EQUAL, jumpTrue: 0, jumpFalse: skip, k };
  return { code: JUMP, jumpTrue: 0, jumpFalse: 0, k: 0 };
}

function drop(): Instruction {
  return { code: RETURN, jumpTrue: 0, jumpFalse: 0, k: 0 };
}

function wordAt(ip: Uint8Array, offset: number): number {
  return Buffer.from(ip.buffer, ip.byteOffset, ip.byteLength).readUInt32BE(offset);
}

/** Few ranges that hold all words; neighbours are joined, nearest first, until they are few enough. */
export function rangesOf(words: readonly number[]): readonly Range[] {
  const sorted = [...new Set(words)].toSorted((left, right) => left - right);
  const gaps = sorted.slice(1).map((word, index) => word - (sorted[index] ?? 0));
  const widest = gaps.filter((gap) => gap > 1).toSorted((left, right) => right - left);
  const limit = widest[MAX_RANGES - 1] ?? 1;
  const ranges: Range[] = [];
  for (const word of sorted) {
    const open = ranges.at(-1);
    if (open !== undefined && word - open.last <= limit) ranges[ranges.length - 1] = { first: open.first, last: word };
    else ranges.push({ first: word, last: word });
  }
  return ranges;
}
