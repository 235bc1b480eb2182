/** Owns IP addresses as values that can be compared, counted and written in one canonical way. */
import { isIP } from 'node:net';

export type Family = 'IPv4' | 'IPv6';

export interface Address {
  readonly family: Family;
  readonly value: bigint;
  /** Canonical: RFC 5952 for IPv6. */
  readonly text: string;
}

const BITS: Readonly<Record<Family, number>> = { IPv4: 32, IPv6: 128 };

export function bitsOf(family: Family): number {
  return BITS[family];
}

/** The address that a text means, or undefined: no zones, no leading zeros, no white space inside. */
export function parseAddress(text: string): Address | undefined {
  switch (isIP(text)) {
    case 4:
      return addressOf('IPv4', BigInt(text.split('.').reduce((value, part) => value * 256 + Number(part), 0)));
    case 6:
      return text.includes('%') ? undefined : addressOf('IPv6', parseV6(text));
    default:
      return undefined;
  }
}

export function addressOf(family: Family, value: bigint): Address {
  return { family, value, text: family === 'IPv4' ? renderV4(value) : renderV6(value) };
}

function renderV4(value: bigint): string {
  const number = Number(value);
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
}

function parseV6(text: string): bigint {
  const [head = '', tail] = expandV4Tail(text).split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const all = [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return all.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** `::ffff:10.0.0.1` -> `::ffff:a00:1`. */
function expandV4Tail(text: string): string {
  const match = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (match === null) return text;
  const [, head = '', a, b, c, d] = match;
  return `${head}${(Number(a) * 256 + Number(b)).toString(16)}:${(Number(c) * 256 + Number(d)).toString(16)}`;
}

/** RFC 5952: lower case, the longest run of two or more zero groups as `::`, the first one of equals. */
function renderV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => Number((value >> BigInt(112 - 16 * index)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(':');
  return `${hex.slice(0, best.start).join(':')}::${hex.slice(best.start + best.length).join(':')}`;
}

/** Four or sixteen bytes, the highest first. */
export function bytesOf({ family, value }: Address): Buffer {
  return Buffer.from(value.toString(16).padStart(bitsOf(family) / 4, '0'), 'hex');
}

/** The address that four or sixteen bytes mean. */
export function addressOfBytes(bytes: Uint8Array): Address {
  return addressOf(bytes.length === 4 ? 'IPv4' : 'IPv6', BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}
