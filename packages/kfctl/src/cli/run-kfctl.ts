/** Owns one run of the command line: arguments in, exit code out. It never ends the process. */
import type { Environment } from '@kfctl/core';
import { readSettings } from '../config/settings.ts';
import { ExitCode } from './exit-code.ts';
import { createProgram, isCommanderError } from './program.ts';
import { reportError } from './report-error.ts';
import type { Input } from './ask-password.ts';
import { createTerminal } from './terminal.ts';
import type { Output } from './terminal.ts';

export interface RunOptions {
  readonly argv: readonly string[];
  readonly env: Environment;
  readonly directory: string;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Where passwords are typed or piped in; without it there are none. */
  readonly stdin?: Input;
  /** Aborts when the person wants to stop. */
  readonly signal: AbortSignal;
}

/** Runs kfctl; 0 on success, 1 on every failure, 130 when interrupted. */
export async function runKfctl(options: RunOptions): Promise<number> {
  const { env, stdout, stderr, signal, directory } = options;
  const colour = env['NO_COLOR'] === undefined || env['NO_COLOR'] === '';
  let terminal = createTerminal({ stdout, stderr, colour });
  const program = createProgram((verbose) => {
    terminal = createTerminal({ stdout, stderr, colour, verbose });
    return { terminal, settings: readSettings(env), directory, signal, input: () => options.stdin };
  });
  program.configureOutput({
    writeOut: (text) => void stdout.write(text),
    writeErr: (text) => void stderr.write(text),
  });
  for (const command of program.commands) {
    command.copyInheritedSettings(program);
    // The copied settings bring the help option back, but its help is its own.
    if (command.name() === 'kustomize') command.helpOption(false);
  }
  try {
    if (options.argv.length === 0) program.help();
    await program.parseAsync([...options.argv], { from: 'user' });
    return 0;
  } catch (error) {
    if (isCommanderError(error)) return error.exitCode;
    if (error instanceof ExitCode) return error.code;
    if (signal.aborted) {
      terminal.progress(undefined);
      terminal.note('interrupted');
      return 130;
    }
    reportError(terminal, error);
    return 1;
  }
}
