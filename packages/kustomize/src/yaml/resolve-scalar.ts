/** What a plain scalar means: the type rules of YAML as the Kubernetes tools apply them (octal 010, 1_000, dates, no `yes`). */

import { tags } from './node.ts';
import { parseTimestamp } from './timestamp.ts';

const words = new Map<string, string>([
  ['true', tags.boolean],
  ['True', tags.boolean],
  ['TRUE', tags.boolean],
  ['false', tags.boolean],
  ['False', tags.boolean],
  ['FALSE', tags.boolean],
  ['', tags.null],
  ['~', tags.null],
  ['null', tags.null],
  ['Null', tags.null],
  ['NULL', tags.null],
  ['.nan', tags.float],
  ['.NaN', tags.float],
  ['.NAN', tags.float],
  ['.inf', tags.float],
  ['.Inf', tags.float],
  ['.INF', tags.float],
  ['+.inf', tags.float],
  ['+.Inf', tags.float],
  ['+.INF', tags.float],
  ['-.inf', tags.float],
  ['-.Inf', tags.float],
  ['-.INF', tags.float],
]);

/** Words that are booleans for YAML 1.1 readers: plain strings here, but quoted when written. */
export const oldBooleans: ReadonlySet<string> = new Set(
  ['y', 'n', 'yes', 'no', 'on', 'off'].flatMap((word) => [
    word,
    word.charAt(0).toUpperCase() + word.slice(1),
    word.toUpperCase(),
  ]),
);

const maybeTyped = /^[-+.0-9yYnNtTfFoO~]/u;
const yamlFloat = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/u;
const dotFloat = /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/u;

/** Tag of a plain scalar. */
export function resolveTag(text: string): string {
  if (text !== '' && !maybeTyped.test(text)) return tags.string;
  const word = words.get(text);
  if (word !== undefined) return word;
  const first = text.charCodeAt(0);
  if (first === 0x2e) return dotFloat.test(text) && Number.isFinite(Number(text)) ? tags.float : tags.string;
  if (first > 0x39) return tags.string;
  if (parseTimestamp(text) !== undefined) return tags.timestamp;
  const digits = text.replaceAll('_', '');
  if (parseInteger(digits) !== undefined) return tags.integer;
  return yamlFloat.test(digits) && Number.isFinite(Number(digits)) ? tags.float : tags.string;
}

const integer = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/u;
const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

/** An integer of 64 bits in any base that YAML writes; undefined for everything else. */
export function parseInteger(text: string): bigint | undefined {
  const match = integer.exec(text);
  if (match === null) return undefined;
  const [, sign = '', digits = ''] = match;
  const octal = /^0[0-7]+$/u.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits.toLowerCase());
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < minInt64 || value > maxUint64) return undefined;
  return sign === '+' && value > 2n ** 63n - 1n ? undefined : value;
}

/** Number of a float scalar (also of an integer one that is tagged as float). */
export function parseFloatText(text: string): number {
  const lower = text.toLowerCase();
  if (lower.endsWith('.nan')) return Number.NaN;
  if (lower.endsWith('.inf')) return lower.startsWith('-') ? -Infinity : Infinity;
  return Number(text.replaceAll('_', ''));
}

const sexagesimal = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/u;

/** Sexagesimal numbers (12:30:45), which YAML 1.1 readers take as floats: plain strings here, but quoted when written. */
export function isOldFloat(text: string): boolean {
  return text.includes(':') && sexagesimal.test(text);
}
