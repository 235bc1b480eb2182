/** Literal (`|`) and folded (`>`) block scalars (YAML 1.1 §9.2). */

import { type Cursor, char, isBlank, isBreak, isEnd } from './cursor.ts';

interface Header {
  readonly chomping: '' | '+' | '-';
  readonly increment: number;
}

function isDigit(code: number): boolean {
  return code >= char.zero && code <= char.nine;
}

function isChomping(code: number): boolean {
  return code === char.plus || code === char.minus;
}

function readIncrement(cursor: Cursor): number {
  if (!isDigit(cursor.code())) return 0;
  if (cursor.code() === char.zero) throw cursor.error('the indentation indicator of a block scalar is 0');
  const increment = cursor.code() - char.zero;
  cursor.pos += 1;
  return increment;
}

function readChomping(cursor: Cursor): '' | '+' | '-' {
  if (!isChomping(cursor.code())) return '';
  const chomping = cursor.code() === char.plus ? '+' : '-';
  cursor.pos += 1;
  return chomping;
}

function readHeader(cursor: Cursor): Header {
  cursor.pos += 1;
  const early = readChomping(cursor);
  const increment = readIncrement(cursor);
  const chomping = early === '' && increment > 0 ? readChomping(cursor) : early;
  while (isBlank(cursor.code())) cursor.pos += 1;
  if (cursor.code() === char.hash) skipToBreak(cursor);
  if (isBreak(cursor.code())) cursor.readBreak();
  else if (!isEnd(cursor.code()))
    throw cursor.error('a comment or a line break is expected after a block scalar indicator');
  return { chomping, increment };
}

function skipToBreak(cursor: Cursor): void {
  let code = cursor.code();
  while (!isEnd(code) && !isBreak(code)) {
    cursor.pos += 1;
    code = cursor.code();
  }
}

function skipIndent(cursor: Cursor, limit: number): void {
  while (cursor.column < limit && cursor.code() === char.space) cursor.pos += 1;
}

/** Skips indentation and empty lines; `indent` 0 means that it is found here. */
function skipBreaks(cursor: Cursor, indent: number): { breaks: string; indent: number } {
  const limit = indent === 0 ? Infinity : indent;
  let breaks = '';
  let widest = 0;
  for (;;) {
    skipIndent(cursor, limit);
    if (cursor.column > widest) widest = cursor.column;
    if (cursor.column < limit && cursor.code() === char.tab) {
      throw cursor.error('a tab character stands where indentation is expected');
    }
    if (!isBreak(cursor.code())) break;
    breaks += cursor.readBreak();
  }
  return { breaks, indent: indent === 0 ? Math.max(widest, cursor.indent + 1, 1) : indent };
}

/** The text of a block scalar; the cursor stands on `|` or `>`. */
export function scanBlock(cursor: Cursor): string {
  const literal = cursor.code() === char.pipe;
  const { chomping, increment } = readHeader(cursor);
  const fixed = increment === 0 ? 0 : Math.max(cursor.indent, 0) + increment;
  let { breaks, indent } = skipBreaks(cursor, fixed);
  const parts: string[] = [];
  let lineBreak = '';
  let afterBlank = false;
  while (cursor.column === indent && !isEnd(cursor.code())) {
    const startsBlank = isBlank(cursor.code());
    const folds = !literal && !afterBlank && !startsBlank && lineBreak === '\n';
    if (!folds) parts.push(lineBreak);
    else if (breaks === '') parts.push(' ');
    parts.push(breaks);
    afterBlank = startsBlank;
    const start = cursor.pos;
    skipToBreak(cursor);
    parts.push(cursor.text.slice(start, cursor.pos));
    lineBreak = isEnd(cursor.code()) ? '' : cursor.readBreak();
    ({ breaks, indent } = skipBreaks(cursor, indent));
  }
  if (chomping !== '-') parts.push(lineBreak);
  if (chomping === '+') parts.push(breaks);
  return parts.join('');
}
