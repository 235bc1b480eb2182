/**
 * What becomes of a folded block scalar (`>`): the reference writes it once and reads it again before it renders, and its writer doubles
 * line feeds before lines that start with a blank. This does the same to the text.
 */

import { Cursor, isBlank, isBreak } from './cursor.ts';
import { scanBlock } from './scan-block.ts';

const unwritable = /[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]| [\n\r\x85\u2028\u2029]| $/u;

function chompingOf(text: string): string {
  if (!isBreak(text.charCodeAt(text.length - 1))) return '-';
  return text.length === 1 || isBreak(text.charCodeAt(text.length - 2)) ? '+' : '';
}

function writeFolded(text: string): string {
  const first = [...text].find((part) => !isBreak(part.charCodeAt(0)));
  const doubles = first !== undefined && !isBlank(first.charCodeAt(0));
  let out = '';
  let atStart = true;
  let leadingBlank = true;
  for (const part of text) {
    if (isBreak(part.charCodeAt(0))) {
      if (!atStart && !leadingBlank && part === '\n' && doubles) out += '\n';
      out += part;
      atStart = true;
      continue;
    }
    if (atStart) {
      out += '  ';
      leadingBlank = isBlank(part.charCodeAt(0));
    }
    out += part;
    atStart = false;
  }
  return out;
}

export function refold(text: string): string {
  if (text === '' || unwritable.test(text)) return text;
  const code = text.charCodeAt(0);
  const hint = code === 0x20 || isBreak(code) ? '2' : '';
  const body = writeFolded(text);
  const cursor = new Cursor(`>${hint}${chompingOf(text)}\n${body}${body.endsWith('\n') ? '' : '\n'}`);
  cursor.indent = 0;
  return scanBlock(cursor);
}
