/** Owns images that stand for programs installed on the machine, run as they are. */
import { findProgram } from './find-program.ts';
import type { LocalProgram } from './program.ts';

export interface HostProgramOptions {
  readonly description: string;
  /** What must be installed; the first one found is run where the image's own command is wanted. */
  readonly programs: readonly string[];
  /** Arguments of the image's own command. */
  readonly args?: readonly string[];
  /** How to install it. */
  readonly install: string;
}

export function createHostProgram({ description, programs, args = [], install }: HostProgramOptions): LocalProgram {
  const find = (): string | undefined => programs.map(findProgram).find((path) => path !== undefined);
  return {
    description,
    missing: () =>
      find() === undefined ? `${programs.join(' or ')} is not installed on this machine: ${install}` : undefined,
    async prepare(request) {
      if (request.command.length > 0) return { argv: [...request.command, ...request.args] };
      const own = request.args.length > 0 ? request.args : args;
      return { argv: [find() ?? programs[0] ?? 'sh', ...own] };
    },
  };
}

/** Images of plain distributions: the machine's own shell and tools. Arguments alone are a command, as their images have no entrypoint. */
export function createShellProgram(): LocalProgram {
  return {
    description: "the machine's own shell and tools",
    missing: () => undefined,
    async prepare({ command, args }) {
      const argv = [...command, ...args];
      return { argv: argv.length > 0 ? argv : ['sh'] };
    },
  };
}

/** An image that people meet and that nothing here stands for; the sentence says what to do instead. */
export function createKnownAbsence(sentence: string): LocalProgram {
  return {
    description: 'nothing',
    isAbsent: true,
    missing: () => sentence,
    prepare: () => Promise.reject(new TypeError(sentence)),
  };
}
