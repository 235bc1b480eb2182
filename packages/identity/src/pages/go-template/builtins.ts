/** Owns the functions that every template has: pkg.go.dev/text/template, "Functions". */
import { encodeQuery } from './escape/address.ts';
import { escapeMarkup } from './escape/html-text.ts';
import { formatText } from './printf.ts';
import { templateError } from './source.ts';
import type { Position } from './source.ts';
import { compareText, describe, isList, isMap, isTrue, toText } from './values.ts';
import type { Value } from './values.ts';

export interface TemplateFunction {
  readonly least: number;
  /** Infinity: any number. */
  readonly most: number;
  call(args: readonly Value[], at: Position): Value;
}

/** Never made longer than this by `print` and the like. */
export const MAX_TEXT = 1_000_000;

const any = Number.POSITIVE_INFINITY;

/** `and` and `or` judge one argument after the other, which only who evaluates them can do. */
export const LAZY: ReadonlySet<string> = new Set(['and', 'or']);

export const BUILTINS: Readonly<Record<string, TemplateFunction>> = {
  not: { least: 1, most: 1, call: ([value]) => !isTrue(value) },
  eq: { least: 2, most: any, call: ([first, ...others], at) => others.some((other) => isEqual(first, other, at)) },
  ne: { least: 2, most: 2, call: ([left, right], at) => !isEqual(left, right, at) },
  lt: { least: 2, most: 2, call: ([left, right], at) => order(left, right, at) < 0 },
  le: { least: 2, most: 2, call: ([left, right], at) => order(left, right, at) <= 0 },
  gt: { least: 2, most: 2, call: ([left, right], at) => order(left, right, at) > 0 },
  ge: { least: 2, most: 2, call: ([left, right], at) => order(left, right, at) >= 0 },
  len: { least: 1, most: 1, call: ([value], at) => lengthOf(value, at) },
  index: {
    least: 1,
    most: any,
    call: ([value, ...keys], at) => keys.reduce((one, key) => element(one, key, at), value),
  },
  slice: { least: 1, most: 3, call: ([value, ...bounds], at) => slice(value, bounds, at) },
  print: { least: 0, most: any, call: (args, at) => bounded(print(args), at) },
  println: { least: 0, most: any, call: (args, at) => bounded(`${args.map(toText).join(' ')}\n`, at) },
  printf: {
    least: 1,
    most: any,
    call: ([format, ...args], at) => bounded(formatText(requireText(format, at), args, at), at),
  },
  html: { least: 0, most: any, call: (args, at) => bounded(escapeMarkup(print(args)), at) },
  js: { least: 0, most: any, call: (args, at) => bounded(escapeScript(print(args)), at) },
  urlquery: { least: 0, most: any, call: (args, at) => bounded(encodeQuery(print(args)), at) },
};

// text/template.JSEscapeString; where the result stands it is escaped again.
function escapeScript(text: string): string {
  return text.replaceAll(/[\\'"]/g, String.raw`\$&`).replaceAll(/[<>&=\p{Cc}\u2028\u2029]/gu, (character) => {
    const code = character.charCodeAt(0).toString(16).toUpperCase();
    return String.raw`\u` + code.padStart(4, '0');
  });
}

function bounded(text: string, at: Position): string {
  if (text.length > MAX_TEXT) throw templateError(at, `the text is longer than ${MAX_TEXT} characters`);
  return text;
}

// fmt.Sprint: a space between two neighbours of which neither is a string.
function print(args: readonly Value[]): string {
  return args
    .map((value, index) => {
      const spaced = index > 0 && typeof value !== 'string' && typeof args[index - 1] !== 'string';
      return (spaced ? ' ' : '') + toText(value);
    })
    .join('');
}

export function requireText(value: Value, at: Position): string {
  if (typeof value !== 'string') throw templateError(at, `a string was expected, not ${describe(value)}`);
  return value;
}

function isEqual(left: Value, right: Value, at: Position): boolean {
  if (left === undefined || right === undefined) return left === right;
  if (typeof left === 'object' || typeof left !== typeof right) throw incomparable(left, right, at);
  return left === right;
}

function order(left: Value, right: Value, at: Position): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right);
  throw incomparable(left, right, at);
}

function incomparable(left: Value, right: Value, at: Position): Error {
  return templateError(at, `${describe(left)} and ${describe(right)} cannot be compared`);
}

// Go counts the bytes of a string.
function lengthOf(value: Value, at: Position): number {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isList(value)) return value.length;
  if (isMap(value)) return value.size;
  throw templateError(at, `${describe(value)} has no length`);
}

function element(value: Value, key: Value, at: Position): Value {
  if (isMap(value)) return value.get(requireText(key, at));
  const bytes = typeof value === 'string' ? Buffer.from(value) : isList(value) ? value : undefined;
  if (bytes === undefined) throw templateError(at, `${describe(value)} has no elements`);
  if (typeof key !== 'number' || !(key >= 0 && key < bytes.length))
    throw templateError(at, `there is no element ${toText(key)}`);
  return bytes[key];
}

function slice(value: Value, bounds: readonly Value[], at: Position): Value {
  const bytes = typeof value === 'string' ? Buffer.from(value) : isList(value) ? value : undefined;
  if (bytes === undefined) throw templateError(at, `${describe(value)} cannot be sliced`);
  const [from = 0, to = bytes.length] = bounds;
  const inside = typeof from === 'number' && typeof to === 'number' && 0 <= from && from <= to && to <= bytes.length;
  if (!inside) throw templateError(at, `${toText(from)} to ${toText(to)} is outside of it`);
  return Buffer.isBuffer(bytes) ? bytes.subarray(from, to).toString('utf8') : bytes.slice(from, to);
}
