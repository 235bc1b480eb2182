/** Owns the words of an action: what stands between `{{` and `}}`, cut into tokens. */
import { templateError } from './source.ts';
import type { Position, Source } from './source.ts';

export type Token = {
  readonly at: Position;
  /** Where the token ends, exclusive. */
  readonly end: number;
} & (
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'literal'; readonly value: string | number }
  | { readonly kind: 'symbol'; readonly text: '.' | '|' | '(' | ')' | ',' | '=' | ':=' }
);

export interface ActionTokens {
  readonly tokens: readonly Token[];
  /** After `}}`. */
  readonly end: number;
  readonly trimsAfter: boolean;
}

const SPACE = /[ \t\r\n]*/y;
const CLOSE = /(?:[ \t\r\n]-)?\}\}/y;
const FIELD = /(?:\.[\p{L}_][\p{L}\p{Nd}_]*)+/uy;
const VARIABLE = /\$[\p{L}\p{Nd}_]*/uy;
const WORD = /[\p{L}_][\p{L}\p{Nd}_]*/uy;
const NUMBER =
  /[+-]?(?:0[xX][\da-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?![\p{L}\d_.])/uy;
const STRING = /"(?:[^"\\\n]|\\[^\n])*"/y;
const RAW_STRING = /`[^`]*`/y;
const CHARACTER = /'(?:[^'\\\n]|\\[^\n]+?)'/uy;
const SYMBOL = /:=|[.|(),=]/y;

/** From just behind `{{` and its trim marker to behind `}}`. */
export function readAction(source: Source, start: number): ActionTokens {
  const tokens: Token[] = [];
  for (let offset = start; ;) {
    // " -}}" needs the space before it, which is why the end comes first.
    const close = match(CLOSE, source, offset) ?? match(CLOSE, source, offset + spaces(source, offset));
    if (close !== undefined) return finish(tokens, { source, offset, close });
    offset += spaces(source, offset);
    if (offset >= source.text.length)
      throw templateError({ source, offset: start }, 'the action is not closed with "}}"');
    const token = readToken({ source, offset });
    tokens.push(token);
    offset = token.end;
  }
}

function finish(
  tokens: readonly Token[],
  { source, offset, close }: Position & { readonly close: string },
): ActionTokens {
  const before = source.text.startsWith(close, offset) ? 0 : spaces(source, offset);
  return { tokens, end: offset + before + close.length, trimsAfter: close.length > 2 };
}

function spaces(source: Source, offset: number): number {
  return match(SPACE, source, offset)?.length ?? 0;
}

function match(pattern: RegExp, source: Source, offset: number): string | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(source.text)?.[0];
}

function readToken(at: Position): Token {
  const { source, offset } = at;
  const found = (pattern: RegExp): string | undefined => match(pattern, source, offset);
  const place = (text: string): { at: Position; end: number } => ({ at, end: offset + text.length });
  const number = found(NUMBER);
  if (number !== undefined) return { ...place(number), kind: 'literal', value: readNumber(number, at) };
  const field = found(FIELD);
  if (field !== undefined) return { ...place(field), kind: 'field', path: field.slice(1).split('.') };
  const variable = found(VARIABLE);
  if (variable !== undefined) {
    const path = match(FIELD, source, offset + variable.length) ?? '';
    return { ...place(variable + path), kind: 'variable', name: variable, path: path.split('.').slice(1) };
  }
  const word = found(WORD);
  if (word !== undefined) return { ...place(word), kind: 'word', text: word };
  const quoted = found(STRING) ?? found(RAW_STRING);
  if (quoted !== undefined) return { ...place(quoted), kind: 'literal', value: unquote(quoted, at) };
  const character = found(CHARACTER);
  if (character !== undefined) {
    return { ...place(character), kind: 'literal', value: unquote(character, at).codePointAt(0) ?? 0 };
  }
  const symbol = found(SYMBOL);
  if (symbol !== undefined) return { ...place(symbol), kind: 'symbol', text: symbol as '.' };
  if (/["'`]/.test(source.text[offset] ?? '')) throw templateError(at, 'the quotation is not closed');
  throw templateError(at, `unexpected ${JSON.stringify(String.fromCodePoint(source.text.codePointAt(offset) ?? 0))}`);
}

// Old octal numbers (`017`) are Go's too.
function readNumber(text: string, at: Position): number {
  const digits = text.replaceAll('_', '').replace(/^[+-]/, '');
  const value = Number(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (Number.isNaN(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
    throw templateError(at, `bad number ${text}`);
  return text.startsWith('-') ? -value : value;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

// The Go Programming Language Specification, "String literals" and "Rune literals".
function unquote(quoted: string, at: Position): string {
  const body = quoted.slice(1, -1);
  if (quoted.startsWith('`')) return body.replaceAll('\r', '');
  return body.replaceAll(/\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[0-7]{3}|[^])/gu, (escape) => {
    const simple = ESCAPES[escape.slice(1)];
    if (simple !== undefined) return simple;
    const isOctal = /^\\[0-7]{3}$/.test(escape);
    const code = Number.parseInt(escape.slice(isOctal ? 1 : 2), isOctal ? 8 : 16);
    if (Number.isNaN(code) || code > 0x10_ff_ff) throw templateError(at, `unknown escape ${escape}`);
    return String.fromCodePoint(code);
  });
}
