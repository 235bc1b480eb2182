/** Owns the image of the product itself: its commands are programs of this repository. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@kfctl/core';
import type { LocalProgram } from './program.ts';

/** The repository (or the unpacked release) that this process runs from. */
export const productRoot: string = fileURLToPath(new URL('../../../../..', import.meta.url)).replace(/\/$/, '');

const COMMANDS = ['identity', 'authservice', 'gateway', 'load-balancer', 'profiles', 'dashboard', 'kfctl'];

export interface PlatformOptions {
  /** Absolute path of the Node that runs the programs. */
  readonly node: string;
  readonly root: string;
}

export function createPlatformProgram({ node, root }: PlatformOptions): LocalProgram {
  return {
    description: `the platform's own programs (${COMMANDS.join(', ')})`,
    missing: () => undefined,
    async prepare({ command, args }) {
      const [name = 'kfctl', ...rest] = command.length > 0 ? command : args.length > 0 ? [] : ['kfctl', '--help'];
      const words = [...rest, ...args];
      if (name === 'node') return { argv: [node, ...words] };
      if (!COMMANDS.includes(name)) return { argv: [name, ...words] };
      const main = join(root, 'packages', name, 'src', 'main.ts');
      if (!existsSync(main)) throw new AppError('START_FAILED', `the program ${name} is not part of this installation`);
      return { argv: [node, main, ...words] };
    },
  };
}
