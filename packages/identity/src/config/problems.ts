/** Owns mistakes in a configuration file: collecting them all, and showing each with its line, a caret and the fix. */

export interface Problem {
  /** Where in the text to point at. */
  readonly offset: number;
  /** `connectors[0].config.host`; empty for the file as a whole. */
  readonly path: string;
  /** Continues the sentence "<path> …". Never a secret's value. */
  readonly message: string;
  /** What to do about it, in the imperative. */
  readonly hint: string;
}

export interface Problems {
  add(problem: Problem): void;
  /** Noted, but no reason to refuse the file. */
  warn(problem: Problem): void;
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

export function createProblems(): Problems {
  const errors: Problem[] = [];
  const warnings: Problem[] = [];
  return {
    errors,
    warnings,
    add: (problem) => void errors.push(problem),
    warn: (problem) => void warnings.push(problem),
  };
}

/** One problem as `line 3: issuer is required`, the line, a caret under the place, and the hint. */
export function renderProblem(text: string, problem: Problem): string {
  const { line, column, source } = locate(text, problem.offset);
  const label = String(line).padStart(5);
  return [
    `line ${line}: ${sentence(problem)}`,
    `${label} | ${source}`,
    `${' '.repeat(label.length)} | ${' '.repeat(column)}^`,
    `        ${problem.hint}`,
  ].join('\n');
}

/** All problems in the order of the file. */
export function renderProblems(text: string, problems: readonly Problem[]): string {
  return problems
    .toSorted((left, right) => left.offset - right.offset)
    .map((problem) => renderProblem(text, problem))
    .join('\n\n');
}

/** One line for a log record: `line 3: issuer is required. Set …`. */
export function summariseProblem(text: string, problem: Problem): string {
  return `line ${locate(text, problem.offset).line}: ${describeProblem(problem)}`;
}

/** As `summariseProblem`, for what is no text with lines. */
export function describeProblem(problem: Problem): string {
  return `${sentence(problem)}. ${problem.hint}`;
}

function sentence({ path, message }: Problem): string {
  return path === '' ? `the file ${message}` : `${path} ${message}`;
}

interface Location {
  readonly line: number;
  readonly column: number;
  readonly source: string;
}

const MAX_SHOWN = 120;
/** A key that looks like one of a secret, anywhere in a line: the report goes to logs and terminals. */
const SECRET_KEY = /(?:^|[\s{[,?])["']?[\w.-]*(?:secret|password|bindpw|hash|token|encryptionkey)["']?\s*:(?=\s|$)/i;

function locate(text: string, offset: number): Location {
  const before = text.slice(0, offset).split('\n');
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const index = before.length - 1;
  return {
    line: before.length,
    column: Math.min(before.at(-1)?.length ?? 0, MAX_SHOWN),
    source: masked(lines, index).slice(0, MAX_SHOWN),
  };
}

/**
 * The line without what may be a secret: from the value of such a key on nothing is shown, for where a value ends, only a whole
 * parser knows; and nothing of a line that goes on with the value of such a key above it.
 */
function masked(lines: readonly string[], index: number): string {
  const line = lines[index] ?? '';
  const above = lines.slice(0, index).findLast((other) => other.trim() !== '' && indentOf(other) < indentOf(line));
  if (above !== undefined && SECRET_KEY.test(above)) return `${line.slice(0, indentOf(line))}[secret]`;
  const found = SECRET_KEY.exec(line);
  if (found === null) return line;
  const end = found.index + found[0].length;
  return line.slice(end).trim() === '' ? line : `${line.slice(0, end)} [secret]`;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
