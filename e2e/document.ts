/** Owns the reading of our documents as a newcomer does: their code blocks in order, files to write, commands to type. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The last paragraph before the block. */
  readonly before: string;
}

/** The fenced blocks of a document below `docs/`. */
export function readBlocks(document: string): readonly Block[] {
  const text = readFileSync(path.join(import.meta.dirname, '..', 'docs', document), 'utf8');
  // Prose and blocks take turns.
  const parts = text.split(/^```(\w*)\n/m);
  return parts.flatMap((part, index) => {
    const language = parts[index - 1] ?? '';
    if (index % 4 !== 2) return [];
    return [{ language, text: part, before: (parts[index - 2] ?? '').trim().split('\n').at(-1) ?? '' }];
  });
}

/** The one block that a pattern fits. */
export function findBlock(blocks: readonly Block[], pattern: RegExp): string {
  const found = blocks.filter(({ text }) => pattern.test(text));
  assert.equal(found.length, 1, `${found.length} blocks fit ${pattern}`);
  return found[0]?.text ?? '';
}
