/** Escape sequences of double quoted scalars (YAML 1.1 §5.6). */

import type { Cursor } from './cursor.ts';

const simpleEscapes: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

const codeLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads one escape; the cursor stands on the backslash and ends after the sequence. */
export function readEscape(cursor: Cursor): string {
  const name = cursor.text.charAt(cursor.pos + 1);
  const simple = simpleEscapes[name];
  if (simple !== undefined) {
    cursor.pos += 2;
    return simple;
  }
  const length = codeLengths[name];
  if (length === undefined) throw cursor.error('unknown escape character in a double quoted scalar');
  const digits = cursor.text.slice(cursor.pos + 2, cursor.pos + 2 + length);
  if (digits.length !== length || !/^[0-9A-Fa-f]+$/u.test(digits)) {
    throw cursor.error('an escape sequence needs hexadecimal digits');
  }
  const value = Number.parseInt(digits, 16);
  if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
    throw cursor.error('an escape sequence names no Unicode character');
  }
  cursor.pos += 2 + length;
  return String.fromCodePoint(value);
}
