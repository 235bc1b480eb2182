/** Owns how an error is told to a person: what, why, how to mend it. The one place that translates errors of the CLI. */
import { describeError, isAppError } from '@kfctl/core';
import type { Terminal } from './terminal.ts';

/** Prints an error; with `-V` its stack too when it is none of ours. */
export function reportError(terminal: Terminal, error: unknown): void {
  terminal.progress(undefined);
  terminal.note(`${terminal.style('red', 'error:')} ${describeError(error)}`);
  const hint = hintOf(error);
  if (hint !== undefined) terminal.note(`hint: ${hint}`);
  if (!isAppError(error) && error instanceof Error) terminal.detail(error.stack ?? '');
}

/** The hint nearest to the cause: that is where something can be done. */
function hintOf(error: unknown): string | undefined {
  let hint: string | undefined;
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    if (isAppError(current) && current.hint !== undefined) hint = current.hint;
    current = current.cause;
  }
  return hint;
}
