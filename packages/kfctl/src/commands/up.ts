/** Owns the command `kfctl up`: a local cluster with the platform on it, for as long as it runs in the foreground. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { WAITING_FLAGS } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { ExitCode } from '../cli/exit-code.ts';
import { lockDataDirectory, openDataDirectory, recordVersion } from '../local/claim-data-directory.ts';
import { dataDirectory, unlockDataDirectory } from '../local/data-directory.ts';
import type { DataDirectory } from '../local/data-directory.ts';
import { VERSION } from '../version.ts';
import type { Invocation } from './invocation.ts';

const SUPERVISOR_MAIN = path.resolve(import.meta.dirname, '../local/supervisor/main.ts');
const MODULES = path.resolve(import.meta.dirname, '../../../../node_modules');

export async function runUp(invocation: Invocation, flags: { readonly dataDir?: string }): Promise<void> {
  const { terminal, settings, directory } = invocation;
  const data = dataDirectory(path.resolve(directory, flags.dataDir ?? settings.dataDirectory));
  const usedBy = openDataDirectory(data);
  if (usedBy !== undefined && usedBy !== '' && usedBy !== VERSION) {
    terminal.note(`${data.path} was last used by kfctl ${usedBy}; kfctl ${VERSION} brings it up to itself.`);
  }
  lockDataDirectory(data, process.pid);
  recordVersion(data);
  const argv = [...WAITING_FLAGS, SUPERVISOR_MAIN, data.path, ...(terminal.verbose ? ['--verbose'] : [])];
  const cache = { NODE_COMPILE_CACHE: compileCache(settings.env, data), NODE_COMPILE_CACHE_PORTABLE: '1' };
  const env = { ...settings.env, ...cache };
  if (typeof process.execve === 'function' && process.platform !== 'win32') becomeProgram(argv, env);
  await runProgram(invocation, data, { argv, env });
}

/** This process keeps its number and the lock, and drops the command line from its memory. It does not return. */
function becomeProgram(argv: readonly string[], env: NodeJS.ProcessEnv): void {
  const defined = Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined);
  process.removeAllListeners('warning');
  process.execve?.(process.execPath, [process.execPath, ...argv], Object.fromEntries(defined));
}

interface Program {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

async function runProgram({ signal }: Invocation, data: DataDirectory, { argv, env }: Program): Promise<void> {
  const child = spawn(process.execPath, argv, { stdio: 'inherit', env });
  signal.addEventListener('abort', () => child.kill('SIGTERM'), { once: true });
  const code = await new Promise<number>((resolve) => child.once('exit', (exit) => resolve(exit ?? 1)));
  unlockDataDirectory(data, process.pid);
  if (code !== 0) throw new ExitCode(code);
}

/** Where all processes keep their compiled code: beside the modules where that can be written, so that a new data folder starts warm. */
function compileCache(env: Environment, data: DataDirectory): string {
  const given = env['NODE_COMPILE_CACHE'];
  if (given !== undefined && given !== '') return given;
  try {
    accessSync(MODULES, constants.W_OK);
    return path.join(MODULES, '.cache', 'node-compile');
  } catch {
    return path.join(data.path, 'compile-cache');
  }
}
