/** Owns commands that run beside a container's own program: exec, exec probes, lifecycle hooks. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ExecOutcome, ExecRequest, ExecStreams } from '../../api/node-gateway.ts';
import type { Launch } from '../sandbox/sandbox.ts';
import { shellQuote } from '../sandbox/shell-quote.ts';
import { chainOf, followSizes } from './terminal-size.ts';

const MAX_OUTPUT = 10 * 1024;

/** Runs a command to its end; the first 10 KiB of its output. A command that outlives its time counts as failed. */
export function runCommand(launch: Launch, timeoutMs: number): Promise<{ exitCode: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(launch.file, launch.args, {
      cwd: launch.cwd,
      env: { ...launch.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      if (output.length < MAX_OUTPUT) output += chunk.toString('utf8').slice(0, MAX_OUTPUT - output.length);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const timer = setTimeout(() => {
      output = `command timed out after ${timeoutMs}ms`;
      void endTree(child);
    }, timeoutMs);
    child.on('error', (error) => resolve({ exitCode: 126, output: error.message }));
    child.on('exit', (code) => {
      clearTimeout(timer);
      resolve({ exitCode: code ?? 137, output });
    });
  });
}

/** The command to spawn so that it has a terminal: `script` makes one. */
export function terminalCommand(request: Pick<ExecRequest, 'command' | 'tty'>): readonly string[] {
  if (!request.tty) return request.command;
  return [
    'script',
    '--quiet',
    '--flush',
    '--return',
    '--echo',
    'always',
    '--command',
    request.command.map(shellQuote).join(' '),
    '/dev/null',
  ];
}

/** Connects a command's streams to the caller's until it ends or the signal aborts. */
export async function attachCommand(launch: Launch, streams: ExecStreams, signal: AbortSignal): Promise<ExecOutcome> {
  const child = spawn(launch.file, launch.args, {
    cwd: launch.cwd,
    env: { ...launch.env },
    stdio: 'pipe',
    detached: true,
  });
  const abort = (): void => void endTree(child);
  signal.addEventListener('abort', abort, { once: true });
  child.stdin.on('error', () => undefined);
  if (streams.stdin === undefined) child.stdin.end();
  else streams.stdin.pipe(child.stdin);
  if (streams.stdout !== undefined) child.stdout.pipe(streams.stdout, { end: false });
  if (streams.stderr !== undefined) child.stderr.pipe(streams.stderr, { end: false });
  if (streams.stdout === undefined) child.stdout.resume();
  if (streams.stderr === undefined) child.stderr.resume();
  if (child.pid !== undefined) void followSizes(child.pid, streams.resize, once(child, 'exit')).catch(() => undefined);
  try {
    return await new Promise((resolve) => {
      child.on('error', (error) => resolve({ kind: 'failed', message: error.message }));
      child.on('close', (code) => resolve({ kind: 'exited', exitCode: code ?? 137 }));
    });
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** The command itself is a grandchild or deeper; killing only its starter would leave it. */
async function endTree(child: ChildProcess): Promise<void> {
  const pids = child.pid === undefined ? [] : await chainOf(child.pid);
  for (const pid of pids.toReversed()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
}
