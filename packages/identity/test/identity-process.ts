/** Owns a provider in a process of its own for tests: started from a file, killed without warning, started again. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

const MAIN = path.join(import.meta.dirname, '../src/main.ts');

export interface IdentityProcess {
  /** `http://127.0.0.1:PORT`; rejects when the process ends before it serves. */
  readonly origin: Promise<string>;
  readonly pid: number | undefined;
  /** Whether `kill` has been called. */
  readonly killed: boolean;
  output(): string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

export function startIdentityProcess(file: string, env: Readonly<Record<string, string>> = {}): IdentityProcess {
  const child = spawn(process.execPath, [MAIN, 'serve', file], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let output = '';
  const state = { killed: false };
  const origin = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      const port = /"msg":"serving".*"port":(\d+)/.exec(output)?.[1];
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`);
    });
    child.once('exit', () => reject(new Error(`the provider ended: ${output.slice(-2000)}`)));
  });
  origin.catch(() => undefined);
  return {
    origin,
    pid: child.pid,
    get killed() {
      return state.killed;
    },
    output: () => output,
    kill: async () => {
      state.killed = true;
      await killChild(child);
    },
  };
}

async function killChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
