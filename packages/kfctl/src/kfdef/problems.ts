/** Owns the report of mistakes in a YAML file: each with line, caret and hint, all at once. */
import { kfctlError } from '../errors.ts';

/** Start and end offsets in the text. */
export type Span = readonly [number, number];

export interface Problem {
  readonly span: Span;
  /** Where in the document, as `spec.applications[2].name`. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

const MAX_SHOWN = 20;

/** Collects problems of one file. */
export class Problems {
  readonly #text: string;
  readonly #file: string;
  readonly #found: Problem[] = [];

  constructor(text: string, file: string) {
    this.#text = text;
    this.#file = file;
  }

  add(problem: Problem): void {
    this.#found.push(problem);
  }

  /** Throws `KFDEF_INVALID` with every problem in the order of the text, or does nothing when there is none. */
  finish(): void {
    if (this.#found.length === 0) return;
    const sorted = this.#found.toSorted((left, right) => left.span[0] - right.span[0]);
    const shown = sorted.slice(0, MAX_SHOWN).map((problem) => renderProblem(problem, this.#text, this.#file));
    const more = sorted.length - shown.length;
    const count = sorted.length === 1 ? 'a mistake' : `${sorted.length} mistakes`;
    throw kfctlError(
      'KFDEF_INVALID',
      `${this.#file} has ${count}:\n\n${shown.join('\n\n')}${more > 0 ? `\n\n… and ${more} more` : ''}`,
    );
  }
}

/** `file:line:column: path: message`, the line, a caret below the place, the hint. */
function renderProblem(problem: Problem, text: string, file: string): string {
  const start = Math.min(problem.span[0], text.length);
  const lineStart = text.lastIndexOf('\n', start - 1) + 1;
  const lineEnd = text.indexOf('\n', start) < 0 ? text.length : text.indexOf('\n', start);
  const number = text.slice(0, start).split('\n').length;
  const line = text.slice(lineStart, lineEnd).replace(/\r$/, '');
  const column = start - lineStart;
  const width = Math.max(1, Math.min(problem.span[1], lineStart + line.length) - start);
  const gutter = String(number).padStart(5);
  const indent = line.slice(0, column).replaceAll(/[^\t]/g, ' ');
  return [
    `${file}:${number}:${column + 1}: ${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`,
    `${gutter} | ${line}`,
    `      | ${indent}${'^'.repeat(width)}`,
    ...(problem.hint === undefined ? [] : [`  hint: ${problem.hint}`]),
  ].join('\n');
}

/** The known name that is nearest to a misspelt one, if any is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, character] of [...left].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...right].entries()) {
      const substituted = (row[j] ?? 0) + (character === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[right.length] ?? 0;
}
