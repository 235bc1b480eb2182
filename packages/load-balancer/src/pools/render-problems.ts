/** Owns the telling of configuration mistakes: path, line, caret. Positions are looked up only when there is a mistake. */
import type { Problem } from './parse-pool-config.ts';

export interface LocatedProblem extends Problem {
  /** 1-based; absent where the text has no such place. */
  readonly line?: number;
  readonly column?: number;
}

/** Finds where the mistakes stand; the `yaml` library is loaded here, because a good configuration never needs it. */
export async function locateProblems(text: string, problems: readonly Problem[]): Promise<readonly LocatedProblem[]> {
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, logLevel: 'silent' });
  return problems.map((problem) => {
    const offset = offsetOf(document, problem.path);
    if (offset === undefined) return problem;
    const { line, col } = lines.linePos(offset);
    return { ...problem, line, column: col };
  });
}

/** For terminals: one mistake a paragraph, its line and a caret under the place. */
export function renderProblems(text: string, problems: readonly LocatedProblem[]): string {
  const lines = text.split('\n');
  const excerpt = ({ line, column }: LocatedProblem): string =>
    line === undefined || column === undefined ? '' : `\n    ${lines[line - 1] ?? ''}\n    ${' '.repeat(column - 1)}^`;
  return problems.map((problem) => `${summariseProblems([problem])}${excerpt(problem)}`).join('\n');
}

/** One line, for logs and events. */
export function summariseProblems(problems: readonly LocatedProblem[]): string {
  return problems
    .map(
      ({ path, message, line }) =>
        `${path.length === 0 ? '' : `${renderPath(path)}: `}${message}${line === undefined ? '' : ` (line ${line})`}`,
    )
    .join('; ');
}

function renderPath(path: readonly (string | number)[]): string {
  return path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('');
}

interface Positioned {
  getIn(path: readonly (string | number)[], keepScalar: true): unknown;
}

/** Where the value stands, or the nearest thing around it that exists. */
function offsetOf(document: Positioned, path: readonly (string | number)[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true);
    const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
    if (Array.isArray(range) && typeof range[0] === 'number') return range[0];
  }
  return undefined;
}
