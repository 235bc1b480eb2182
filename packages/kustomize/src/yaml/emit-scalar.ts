/** Strings -> YAML scalars: which style, which escapes, where lines are folded at 80 columns. */

import { escapeCharacter, needsEscape } from './escape-character.ts';
import { tags } from './node.ts';
import { isOldFloat, oldBooleans, resolveTag } from './resolve-scalar.ts';

export interface ScalarPlace {
  /** Columns that continuation lines are indented by. */
  readonly indent: number;
  /** Column that the scalar starts in. */
  readonly column: number;
  /** Keys stay on one line. */
  readonly key: boolean;
}

const bestWidth = 80;
const safe = /^[A-Za-z_/][A-Za-z0-9_./-]*$/u;
const simpleWords = new Set(['true', 'True', 'TRUE', 'false', 'False', 'FALSE', 'null', 'Null', 'NULL']);

/** YAML text of a string. */
export function emitString(text: string, place: ScalarPlace): string {
  if (safe.test(text) && !simpleWords.has(text) && !oldBooleans.has(text)) return text;
  const shape = analyze(text);
  if (text.includes('\n')) {
    if (shape.block && !place.key) return literal(text, place);
    return doubleQuoted(text, place);
  }
  if (!isPlainString(text)) return doubleQuoted(text, place);
  if (shape.plain) return plain(text, place);
  return shape.single ? singleQuoted(text, place) : doubleQuoted(text, place);
}

function isPlainString(text: string): boolean {
  return resolveTag(text) === tags.string && !oldBooleans.has(text) && !isOldFloat(text);
}

interface Shape {
  readonly plain: boolean;
  readonly single: boolean;
  readonly block: boolean;
}

const special = /[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const indicatorFirst = /^(?:[#,[\]{}&*!|>'"%@`]|[?:](?:[ \t\n]|$)|-(?:[ \t\n]|$)|---|\.\.\.)/u;
const indicatorInside = /:(?:[ \t]|$)|[ \t\n\r\x85\u2028\u2029]#/u;
const lineBreak = /[\n\r\x85\u2028\u2029]/u;
const edgeBlank = /^[ \n\r\x85\u2028\u2029]|[ \n\r\x85\u2028\u2029]$/u;
const breakThenSpace = /[\n\r\x85\u2028\u2029] /u;
const spaceThenBreak = / [\n\r\x85\u2028\u2029]/u;

function analyze(text: string): Shape {
  const unfit = special.test(text) || spaceThenBreak.test(text);
  const single = !unfit && !breakThenSpace.test(text);
  const block = !unfit && !text.endsWith(' ');
  const noIndicator = !indicatorFirst.test(text) && !indicatorInside.test(text);
  return { plain: single && noIndicator && !lineBreak.test(text) && !edgeBlank.test(text), single, block };
}

/** A writer that counts columns by code point, for folding. */
class Line {
  text = '';
  column: number;
  private readonly place: ScalarPlace;

  constructor(start: string, place: ScalarPlace) {
    this.place = place;
    this.text = start;
    this.column = place.column + start.length;
  }

  add(part: string): void {
    this.text += part;
    this.column += 1;
  }

  mayFold(): boolean {
    return !this.place.key && this.column > bestWidth;
  }

  fold(): void {
    this.text += `\n${' '.repeat(this.place.indent)}`;
    this.column = this.place.indent;
  }

  addBreak(part: string): void {
    this.text += part;
    this.column = 0;
  }

  indent(): void {
    this.text += ' '.repeat(Math.max(0, this.place.indent - this.column));
    this.column = Math.max(this.column, this.place.indent);
  }
}

function fits(text: string, place: ScalarPlace): boolean {
  return place.key || place.column + text.length <= bestWidth || !text.includes(' ');
}

function plain(text: string, place: ScalarPlace): string {
  if (fits(text, place)) return text;
  const line = new Line('', place);
  const parts = [...text];
  let afterSpace = false;
  for (const [index, part] of parts.entries()) {
    if (part === ' ' && !afterSpace && line.mayFold() && parts[index + 1] !== ' ') line.fold();
    else line.add(part);
    afterSpace = part === ' ';
  }
  return line.text;
}

function singleQuoted(text: string, place: ScalarPlace): string {
  if (fits(text, place) && !lineBreak.test(text)) return `'${text.replaceAll("'", "''")}'`;
  const line = new Line("'", place);
  const parts = [...text];
  let afterSpace = false;
  let afterBreak = false;
  for (const [index, part] of parts.entries()) {
    if (part === ' ') {
      const inner = index > 0 && index < parts.length - 1 && parts[index + 1] !== ' ';
      if (!afterSpace && inner && line.mayFold()) line.fold();
      else line.add(part);
      afterSpace = true;
      continue;
    }
    if (lineBreak.test(part)) {
      line.addBreak(part);
      afterBreak = true;
      continue;
    }
    if (afterBreak) line.indent();
    line.add(part === "'" ? "''" : part);
    if (part === "'") line.column += 1;
    afterSpace = false;
    afterBreak = false;
  }
  return `${line.text}'`;
}

function doubleQuoted(text: string, place: ScalarPlace): string {
  // A byte order mark at the start makes the reference escape everything.
  if (text.startsWith('\ufeff')) return `"${[...text].map((part) => escapeCharacter(part)).join('')}"`;
  const line = new Line('"', place);
  const parts = [...text];
  let afterSpace = false;
  for (const [index, part] of parts.entries()) {
    const folds = part === ' ' && !afterSpace && index > 0 && index < parts.length - 1 && line.mayFold();
    if (folds) {
      line.fold();
      if (parts[index + 1] === ' ') line.add('\\');
    } else {
      const written = needsEscape.test(part) ? escapeCharacter(part) : part;
      line.add(written);
      if (written !== part) line.column += written.length - 1;
    }
    afterSpace = part === ' ';
  }
  return `${line.text}"`;
}

function chomping(text: string): string {
  if (!lineBreak.test(text.at(-1) ?? '')) return '-';
  return text.length === 1 || lineBreak.test(text.at(-2) ?? '') ? '+' : '';
}

function literal(text: string, place: ScalarPlace): string {
  const hint = /^[ \n\r\x85\u2028\u2029]/u.test(text) ? '2' : '';
  const indent = ' '.repeat(place.indent);
  let body = '';
  let atStart = true;
  for (const piece of text.split(/([\n\r\x85\u2028\u2029])/u)) {
    if (piece === '') continue;
    if (lineBreak.test(piece)) {
      body += piece;
      atStart = true;
    } else {
      body += (atStart ? indent : '') + piece;
      atStart = false;
    }
  }
  // The caller ends the line, so the last line feed of the text is left to it; another line break stands instead of it.
  if (/[\r\x85\u2028\u2029]$/u.test(body)) body += '\0';
  return `|${hint}${chomping(text)}\n${body.endsWith('\n') ? body.slice(0, -1) : body}`;
}
