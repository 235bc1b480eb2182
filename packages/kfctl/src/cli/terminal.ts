/** Owns what a person sees: results on stdout, progress and notes on stderr, colour and a live line on a terminal only. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  readonly verbose: boolean;
  /** True where `progress` is seen. */
  readonly live: boolean;
  /** A line of the result, on stdout. */
  result(line: string): void;
  /** A lasting line on stderr. */
  note(line: string): void;
  /** A lasting line on stderr with `-V`. */
  detail(line: string): void;
  /** A lasting line on stderr that stands out. */
  warn(line: string): void;
  /** What is being done now: the live line on a terminal, nothing elsewhere. Undefined ends it. */
  progress(line: string | undefined): void;
  style(format: Style, text: string): string;
}

export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export interface TerminalOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly verbose?: boolean;
  /** False (NO_COLOR) turns colour off on terminals too. */
  readonly colour?: boolean;
}

/** Creates a terminal over two streams. */
export function createTerminal({ stdout, stderr, verbose = false, colour = true }: TerminalOptions): Terminal {
  const live = stderr.isTTY === true;
  let shown = '';
  const clear = (): void => {
    if (shown !== '') stderr.write('\r\u001B[K');
  };
  const last = (line: string): void => {
    clear();
    stderr.write(`${line}\n`);
    if (shown !== '') stderr.write(shown);
  };
  const style = (format: Style, text: string): string =>
    // Not `import`: that reads every export of node:util, whose getters load worker threads, diffs and more.
    live && colour ? process.getBuiltinModule('node:util').styleText(format, text, { validateStream: false }) : text;
  return {
    verbose,
    live,
    style,
    result: (line) => {
      clear();
      stdout.write(`${line}\n`);
      if (shown !== '') stderr.write(shown);
    },
    note: last,
    detail: (line) => {
      if (verbose) last(style('dim', line));
    },
    warn: (line) => last(`${style('yellow', 'warning:')} ${line}`),
    progress: (line) => {
      if (!live) return;
      const next = line === undefined ? '' : fit(line, (stderr.columns ?? 80) - 1);
      if (next === shown) return;
      clear();
      shown = next;
      stderr.write(shown);
    },
  };
}

function fit(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, Math.max(0, width - 1))}…`;
}
