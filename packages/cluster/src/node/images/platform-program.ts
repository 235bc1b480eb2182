/** Owns the image of the product itself: its commands are programs of this repository. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError, WAITING_FLAGS, WAITING_PROGRAMS } from '@kfctl/core';
import { shellQuote } from '../sandbox/shell-quote.ts';
import { PROGRAM_PATH } from './find-program.ts';
import type { LocalProgram, PreparedProgram, ProgramRequest } from './program.ts';

/** The repository (or the unpacked release) that this process runs from. */
export const productRoot: string = fileURLToPath(new URL('../../../../..', import.meta.url)).replace(/\/$/, '');

const COMMANDS = ['identity', 'authservice', 'gateway', 'load-balancer', 'profiles', 'dashboard', 'kfctl'];

export interface PlatformOptions {
  /** Absolute path of the Node that runs the programs. */
  readonly node: string;
  readonly root: string;
}

export function createPlatformProgram(options: PlatformOptions): LocalProgram {
  return {
    description: `the platform's own programs (${COMMANDS.join(', ')})`,
    missing: () => undefined,
    prepare: (request) => prepare(options, request),
  };
}

async function prepare(
  options: PlatformOptions,
  { command, args, directory }: ProgramRequest,
): Promise<PreparedProgram> {
  const bin = await writeCommands(options, directory);
  const inside = {
    env: { PATH: `${bin}:${PROGRAM_PATH}` },
    // Seen under its own name inside too: the node's directory is hidden from containers.
    mounts: [{ source: bin, target: bin, kind: 'directory', readOnly: true } as const],
  };
  const [name = 'kfctl', ...rest] = command.length > 0 ? command : args.length > 0 ? [] : ['kfctl', '--help'];
  const words = [...rest, ...args];
  if (name === 'node') return { argv: [options.node, ...words], ...inside };
  if (!COMMANDS.includes(name)) return { argv: [name, ...words], ...inside };
  const main = mainOf(options, name);
  if (!existsSync(main)) throw new AppError('START_FAILED', `the program ${name} is not part of this installation`);
  const flags = WAITING_PROGRAMS.includes(name) ? WAITING_FLAGS : [];
  return { argv: [options.node, ...flags, main, ...words], ...inside };
}

function mainOf({ root }: PlatformOptions, name: string): string {
  return join(root, 'packages', name, 'src', 'main.ts');
}

/** The commands that the image has in its PATH, for whoever looks into a running container: `kubectl exec … -- identity check …`. */
async function writeCommands(options: PlatformOptions, directory: string): Promise<string> {
  const bin = join(directory, 'bin');
  await mkdir(bin, { recursive: true });
  const node = shellQuote(options.node);
  const write = (name: string, words: string): Promise<void> =>
    writeFile(join(bin, name), `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 });
  await Promise.all([
    write('node', node),
    ...COMMANDS.map((name) => write(name, `${node} ${shellQuote(mainOf(options, name))}`)),
  ]);
  return bin;
}
