/** Splits a file at its `---` lines before parsing, as the reference does; what stands after `---` on the line may only be a comment. */

import { KustomizeError } from '../errors.ts';

export interface DocumentText {
  readonly text: string;
  /** Line of the file that the text starts in. */
  readonly line: number;
}

export function splitDocuments(source: string, file?: string): DocumentText[] {
  const text = source.includes('\r\n') ? source.replaceAll('\r\n', '\n') : source;
  if (text === '') return [];
  if (!text.includes('\n---')) return [{ text, line: 1 }];
  const documents: DocumentText[] = [];
  const separator = /\n---[^\n]*\n/gu;
  let start = 0;
  let line = 1;
  for (const match of text.matchAll(separator)) {
    const rest = match[0].slice(4).trim();
    const here = text.slice(start, match.index);
    const end = line + countLines(here) + 1;
    if (rest !== '' && !rest.startsWith('#')) {
      throw new KustomizeError('YAML_SYNTAX', `invalid document separator: ${match[0].trim()}`, {
        file,
        line: end,
        hint: 'put the document on the line after ---',
      });
    }
    documents.push({ text: `${here}\n`, line });
    start = match.index + match[0].length;
    line = end + 1;
  }
  documents.push({ text: text.slice(start), line });
  return documents;
}

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
