/** Plain and quoted scalars: text across lines is folded as YAML 1.1 folds it. */

import { type Cursor, char, isBlank, isBlankBreakOrEnd, isBreak, isEnd } from './cursor.ts';
import { readEscape } from './scan-escape.ts';

function endsPlain(cursor: Cursor, code: number, pos: number): boolean {
  if (code === char.colon) return isBlankBreakOrEnd(cursor.text.charCodeAt(pos + 1));
  if (cursor.flowLevel === 0) return false;
  return (
    code === char.comma ||
    code === char.question ||
    code === char.openBracket ||
    code === char.closeBracket ||
    code === char.openBrace ||
    code === char.closeBrace
  );
}

/** Moves over a run without blanks; true when it moved. */
function skipPlainRun(cursor: Cursor): boolean {
  const start = cursor.pos;
  let pos = start;
  for (;;) {
    const code = cursor.text.charCodeAt(pos);
    if (isBlankBreakOrEnd(code) || endsPlain(cursor, code, pos)) break;
    pos += 1;
  }
  cursor.pos = pos;
  return pos > start;
}

interface Gap {
  /** Line breaks after the first one, joined. */
  breaks: string;
  first: string;
}

/** Blanks and line breaks between two runs; undefined when there was no line break. */
function skipGap(cursor: Cursor, tabIndent: number): Gap | undefined {
  let gap: Gap | undefined;
  for (;;) {
    const code = cursor.code();
    if (isBlank(code)) {
      if (gap !== undefined && code === char.tab && cursor.column < tabIndent) {
        throw cursor.error('a tab character is used as indentation');
      }
      cursor.pos += 1;
    } else if (isBreak(code)) {
      const read = cursor.readBreak();
      if (gap === undefined) gap = { first: read, breaks: '' };
      else gap.breaks += read;
    } else {
      return gap;
    }
  }
}

function fold(gap: Gap): string {
  if (gap.first !== '\n') return gap.first + gap.breaks;
  return gap.breaks === '' ? ' ' : gap.breaks;
}

/** A plain scalar (YAML 1.1 §9.1.3). Sets `simpleKeyAllowed` when it ended on a new line. */
export function scanPlain(cursor: Cursor): string {
  const indent = cursor.indent + 1;
  let done = '';
  let start = cursor.pos;
  let end = start;
  let gap: Gap | undefined;
  for (;;) {
    if (cursor.atDocumentIndicator() || cursor.code() === char.hash) break;
    const runStart = cursor.pos;
    if (skipPlainRun(cursor)) {
      if (gap !== undefined) {
        done += cursor.text.slice(start, end) + fold(gap);
        start = runStart;
        gap = undefined;
      }
      end = cursor.pos;
    }
    const code = cursor.code();
    if (!isBlank(code) && !isBreak(code)) break;
    gap = skipGap(cursor, indent);
    if (cursor.flowLevel === 0 && gap !== undefined && cursor.column < indent) break;
  }
  if (gap !== undefined) cursor.simpleKeyAllowed = true;
  return done + cursor.text.slice(start, end);
}

/** Text up to the next quote, escape, blank or break, on the current line. */
function skipQuotedRun(cursor: Cursor, quote: number): string {
  const start = cursor.pos;
  let pos = start;
  for (;;) {
    const code = cursor.text.charCodeAt(pos);
    if (code === quote || isBlankBreakOrEnd(code)) break;
    if (code === char.backslash && quote === char.doubleQuote) break;
    pos += 1;
  }
  cursor.pos = pos;
  return cursor.text.slice(start, pos);
}

/** Reads runs, doubled quotes and escapes until a blank, a break or the closing quote; says whether a line was continued with `\`. */
function readQuotedWord(cursor: Cursor, quote: number): { text: string; continued: boolean } {
  let text = '';
  for (;;) {
    text += skipQuotedRun(cursor, quote);
    const code = cursor.code();
    if (quote === char.singleQuote && code === quote && cursor.code(1) === quote) {
      text += "'";
      cursor.pos += 2;
    } else if (quote === char.doubleQuote && code === char.backslash) {
      if (isBreak(cursor.code(1))) {
        cursor.pos += 1;
        cursor.readBreak();
        return { text, continued: true };
      }
      text += readEscape(cursor);
    } else {
      return { text, continued: false };
    }
  }
}

/** What the blanks and line breaks between two words of a quoted scalar stand for. */
function readQuotedGap(cursor: Cursor, continued: boolean): string {
  const start = cursor.pos;
  let gap: Gap | undefined;
  let blanksEnd = start;
  for (;;) {
    const code = cursor.code();
    if (isBlank(code)) {
      cursor.pos += 1;
      if (gap === undefined && !continued) blanksEnd = cursor.pos;
    } else if (isBreak(code)) {
      const read = cursor.readBreak();
      if (continued) gap = { first: '', breaks: (gap?.breaks ?? '') + read };
      else if (gap === undefined) gap = { first: read, breaks: '' };
      else gap.breaks += read;
    } else {
      break;
    }
  }
  if (gap === undefined) return continued ? '' : cursor.text.slice(start, blanksEnd);
  return gap.first === '' ? gap.breaks : fold(gap);
}

/** A single or double quoted scalar (YAML 1.1 §9.1.1, §9.1.2); the cursor stands on the opening quote. */
export function scanQuoted(cursor: Cursor): string {
  const quote = cursor.code();
  const line = cursor.line;
  cursor.pos += 1;
  let value = '';
  for (;;) {
    if (cursor.atDocumentIndicator()) throw cursor.error('a document marker stands inside a quoted scalar', line);
    if (isEnd(cursor.code())) throw cursor.error('a quoted scalar is not closed', line);
    const word = readQuotedWord(cursor, quote);
    value += word.text;
    if (cursor.code() === quote) break;
    value += readQuotedGap(cursor, word.continued);
  }
  cursor.pos += 1;
  return value;
}
