/** Owns the division of a file into text and actions; comments and trimmed space are gone. */
import { templateError } from './source.ts';
import type { Position, Source } from './source.ts';
import { readAction } from './tokens.ts';
import type { ActionTokens, Token } from './tokens.ts';

export type Piece =
  | { readonly kind: 'text'; readonly at: Position; readonly text: string }
  | { readonly kind: 'action'; readonly at: Position; readonly tokens: readonly Token[] };

const TRIMMED_AT_START = /^[ \t\r\n]+/;
const TRIMMED_AT_END = /[ \t\r\n]+$/;
const COMMENT = /\/\*[^]*?\*\/(?:[ \t\r\n]-)?\}\}/y;

export function readPieces(source: Source): readonly Piece[] {
  const pieces: Piece[] = [];
  let trims = false;
  for (let offset = 0; offset < source.text.length;) {
    const open = source.text.indexOf('{{', offset);
    const end = open < 0 ? source.text.length : open;
    const trimsBefore = open >= 0 && /^\{\{-[ \t\r\n]/.test(source.text.slice(open, open + 4));
    const text = trim(source.text.slice(offset, end), { start: trims, end: trimsBefore });
    if (text !== '') pieces.push({ kind: 'text', at: { source, offset }, text });
    if (open < 0) break;
    const inside = open + (trimsBefore ? 4 : 2);
    const { tokens, ...ending } = readComment(source, inside) ?? readAction(source, inside);
    if (tokens !== undefined) pieces.push({ kind: 'action', at: { source, offset: open }, tokens });
    trims = ending.trimsAfter;
    offset = ending.end;
  }
  return pieces;
}

function trim(text: string, { start, end }: { readonly start: boolean; readonly end: boolean }): string {
  const tail = start ? text.replace(TRIMMED_AT_START, '') : text;
  return end ? tail.replace(TRIMMED_AT_END, '') : tail;
}

type Ending = Omit<ActionTokens, 'tokens'> & { readonly tokens: undefined };

/** A comment is the whole action, with or without trim markers. */
function readComment(source: Source, offset: number): Ending | undefined {
  if (!source.text.startsWith('/*', offset)) return undefined;
  COMMENT.lastIndex = offset;
  const comment = COMMENT.exec(source.text)?.[0];
  if (comment === undefined) throw templateError({ source, offset }, 'the comment is not closed with "*/}}"');
  return { tokens: undefined, end: offset + comment.length, trimsAfter: comment.endsWith('-}}') };
}
