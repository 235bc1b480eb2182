/** A position in YAML text: what the scanners read from and move. It knows characters and line breaks, not tokens. */

import { KustomizeError } from '../errors.ts';

export const char = {
  tab: 0x09,
  lineFeed: 0x0a,
  carriageReturn: 0x0d,
  space: 0x20,
  bang: 0x21,
  doubleQuote: 0x22,
  hash: 0x23,
  percent: 0x25,
  ampersand: 0x26,
  singleQuote: 0x27,
  star: 0x2a,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  dot: 0x2e,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  less: 0x3c,
  greater: 0x3e,
  question: 0x3f,
  at: 0x40,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  backquote: 0x60,
  openBrace: 0x7b,
  pipe: 0x7c,
  closeBrace: 0x7d,
  nextLine: 0x85,
  lineSeparator: 0x2028,
  paragraphSeparator: 0x2029,
  byteOrderMark: 0xfeff,
} as const;

/** charCodeAt past the end gives NaN; every predicate below takes that as "end of text". */
export function isEnd(code: number): boolean {
  return code !== code;
}

export function isBlank(code: number): boolean {
  return code === char.space || code === char.tab;
}

export function isBreak(code: number): boolean {
  if (code > char.carriageReturn && code < char.nextLine) return false;
  return (
    code === char.lineFeed ||
    code === char.carriageReturn ||
    code === char.nextLine ||
    code === char.lineSeparator ||
    code === char.paragraphSeparator
  );
}

export function isBlankBreakOrEnd(code: number): boolean {
  return code === char.space || code === char.lineFeed || code === char.tab || isEnd(code) || isBreak(code);
}

export class Cursor {
  readonly text: string;
  pos = 0;
  line = 1;
  lineStart = 0;
  indent = -1;
  flowLevel = 0;
  simpleKeyAllowed = true;

  constructor(text: string) {
    this.text = text;
  }

  code(offset = 0): number {
    return this.text.charCodeAt(this.pos + offset);
  }

  get column(): number {
    return this.pos - this.lineStart;
  }

  /** Consumes one line break and returns it as YAML reads it: everything but U+2028 and U+2029 becomes a line feed. */
  readBreak(): string {
    const code = this.code();
    this.pos += code === char.carriageReturn && this.code(1) === char.lineFeed ? 2 : 1;
    this.line += 1;
    this.lineStart = this.pos;
    return code === char.lineSeparator || code === char.paragraphSeparator ? String.fromCharCode(code) : '\n';
  }

  /** `---` or `...` at the start of a line, followed by a blank. */
  atDocumentIndicator(): boolean {
    if (this.pos !== this.lineStart) return false;
    const code = this.code();
    if (code !== char.minus && code !== char.dot) return false;
    return this.code(1) === code && this.code(2) === code && isBlankBreakOrEnd(this.code(3));
  }

  error(reason: string, line: number = this.line): KustomizeError {
    return new KustomizeError('YAML_SYNTAX', reason, { line });
  }
}
