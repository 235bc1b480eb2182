/** Owns blocks of addresses, from a CIDR or a range; every address of a block can be used, first and last included. */
import { addressOf, bitsOf, parseAddress } from './address.ts';
import type { Address, Family } from './address.ts';

export interface Block {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  /** As written, for messages. */
  readonly text: string;
}

export type ParsedBlock =
  | { readonly kind: 'block'; readonly block: Block }
  | { readonly kind: 'invalid'; readonly reason: string };

/** Reads `10.0.0.0/24` (host bits are masked off) or `10.0.0.1-10.0.0.9`. */
export function parseBlock(text: string): ParsedBlock {
  const trimmed = text.trim();
  return trimmed.includes('-') ? parseRange(trimmed) : parseCidr(trimmed);
}

function parseCidr(text: string): ParsedBlock {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > bitsOf(address.family)) {
    const single = parseAddress(text);
    const hint = single === undefined ? '' : `; for one address write ${text}/${bitsOf(single.family)}`;
    return { kind: 'invalid', reason: `invalid CIDR "${text}"${hint}` };
  }
  const hostBits = BigInt(bitsOf(address.family) - prefix);
  const first = (address.value >> hostBits) << hostBits;
  return { kind: 'block', block: { family: address.family, first, last: first + (1n << hostBits) - 1n, text } };
}

function parseRange(text: string): ParsedBlock {
  const parts = text.split('-').map((part) => part.trim());
  const [start, end] = parts.map(parseAddress);
  if (parts.length !== 2 || start === undefined || end === undefined)
    return { kind: 'invalid', reason: `invalid IP range "${text}"` };
  if (start.family !== end.family)
    return { kind: 'invalid', reason: `invalid IP range "${text}": start and end are of different families` };
  if (start.value > end.value) {
    return {
      kind: 'invalid',
      reason: `invalid IP range "${text}": start IP "${start.text}" is after the end IP "${end.text}"`,
    };
  }
  return { kind: 'block', block: { family: start.family, first: start.value, last: end.value, text } };
}

export function blockContains(block: Block, address: Address): boolean {
  return block.family === address.family && block.first <= address.value && address.value <= block.last;
}

export function blocksOverlap(left: Block, right: Block): boolean {
  return left.family === right.family && left.first <= right.last && right.first <= left.last;
}

export function* addressesOf(block: Block): Generator<Address> {
  for (let value = block.first; value <= block.last; value += 1n) yield addressOf(block.family, value);
}

/** True for IPv4 addresses that some old equipment takes for a network or broadcast address. */
export function isBuggy(address: Address): boolean {
  const tail = address.value & 255n;
  return address.family === 'IPv4' && (tail === 0n || tail === 255n);
}

/** How many buggy addresses a block holds. */
export function countBuggy({ family, first, last }: Block): bigint {
  if (family === 'IPv6') return 0n;
  const upTo = (value: bigint, tail: bigint): bigint => (value < tail ? 0n : (value - tail) / 256n + 1n);
  const within = (tail: bigint): bigint => upTo(last, tail) - (first === 0n ? 0n : upTo(first - 1n, tail));
  return within(0n) + within(255n);
}
