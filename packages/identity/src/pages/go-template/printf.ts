/** Owns `printf`: the verbs of Go's fmt that make sense for a page. Another verb is a mistake, not text in a page. */
import { templateError } from './source.ts';
import type { Position } from './source.ts';
import { describe, toText } from './values.ts';
import type { Value } from './values.ts';

const VERB = /%[-+# 0]*\d*(?:\.\d*)?(?:\p{L}|%|$)/gu;
const PARTS = /^%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)$/u;
/** Wider is no page's need. */
const MAX_WIDTH = 1000;

interface Verb {
  readonly letter: string;
  readonly flags: string;
  readonly width: number;
  /** Undefined: none given. */
  readonly precision: number | undefined;
}

export function formatText(format: string, args: readonly Value[], at: Position): string {
  const rest = [...args];
  const text = format.replaceAll(VERB, (written) => {
    if (written === '%%') return '%';
    if (rest.length === 0) throw templateError(at, `printf has no value for ${written}`);
    const verb = readVerb(written);
    if (Math.max(verb.width, verb.precision ?? 0) > MAX_WIDTH) throw templateError(at, `${written} is too wide`);
    return pad(formatOne(verb, rest.shift(), { at, written }), verb);
  });
  if (rest.length > 0) throw templateError(at, `printf has ${rest.length} values too many`);
  return text;
}

function readVerb(written: string): Verb {
  const [, flags = '', width = '', precision, letter = ''] = PARTS.exec(written) ?? [];
  return { letter, flags, width: Number(width), precision: precision === undefined ? undefined : Number(precision) };
}

function formatOne(
  verb: Verb,
  value: Value,
  { at, written }: { readonly at: Position; readonly written: string },
): string {
  const { letter, precision } = verb;
  const cut = (text: string): string => (precision === undefined ? text : [...text].slice(0, precision).join(''));
  if (letter === 'v') return typeof value === 'number' ? signed(toText(value), verb) : toText(value);
  if (letter === 's' && typeof value !== 'number' && typeof value !== 'boolean') return cut(toText(value));
  if (letter === 't' && typeof value === 'boolean') return String(value);
  if (typeof value === 'string') {
    if (letter === 'q') return JSON.stringify(cut(value));
    if (letter === 'x') return Buffer.from(value).toString('hex');
    if (letter === 'X') return Buffer.from(value).toString('hex').toUpperCase();
  }
  const number = typeof value === 'number' ? formatNumber(verb, value) : undefined;
  if (number === undefined) throw templateError(at, `${written} does not take ${describe(value)}`);
  return number;
}

function formatNumber(verb: Verb, value: number): string | undefined {
  const { letter, precision } = verb;
  if (letter === 'f') return signed(value.toFixed(Math.min(precision ?? 6, 100)), verb);
  if (letter === 'g') return signed(String(value), verb);
  if (!Number.isInteger(value)) return undefined;
  switch (letter) {
    case 'd':
      return signed(String(value), verb);
    case 'x':
      return signed(value.toString(16), verb);
    case 'X':
      return signed(value.toString(16).toUpperCase(), verb);
    case 'o':
      return signed(value.toString(8), verb);
    case 'b':
      return signed(value.toString(2), verb);
    case 'c':
      return value >= 0 && value <= 0x10_ff_ff ? String.fromCodePoint(value) : undefined;
    default:
      return undefined;
  }
}

function signed(text: string, { flags }: Verb): string {
  if (text.startsWith('-')) return text;
  return flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;
}

function pad(text: string, { flags, width, letter }: Verb): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (!flags.includes('0') || /[sqv]/.test(letter)) return ' '.repeat(missing) + text;
  const sign = /^[-+ ]/.exec(text)?.[0] ?? '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
