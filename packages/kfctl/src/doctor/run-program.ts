/** Owns running another program of the product to its end: what it knows is judged there, and nowhere twice. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import type { Environment } from '@kfctl/core';

const PACKAGES = path.resolve(import.meta.dirname, '../../..');

export interface ProgramResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunProgramOptions {
  readonly args: readonly string[];
  /** For its standard input. */
  readonly input?: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** Runs `packages/<name>/src/main.ts`. Rejects only when it cannot be started. */
export async function runProgram(name: string, options: RunProgramOptions): Promise<ProgramResult> {
  const { args, input = '', env, signal } = options;
  const argv = [path.join(PACKAGES, name, 'src/main.ts'), ...args];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...env } });
  const stop = (): boolean => child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (part: string) => (stdout += part));
  child.stderr.setEncoding('utf8').on('data', (part: string) => (stderr += part));
  // It may have ended before it has read everything.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 1));
  });
  signal.removeEventListener('abort', stop);
  return { code, stdout, stderr };
}
