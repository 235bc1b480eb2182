/** Owns programs that tests start beside themselves: their ports, when they listen, their end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { CleansUp } from './cleanup.ts';

export interface Program {
  readonly pid: number;
  /** What it wrote to stderr. */
  readonly output: () => string;
  kill(): Promise<void>;
}

export function startProgram(
  cleanup: CleansUp,
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Program {
  const pathVariable = `${process.env['PATH']}:/usr/sbin`;
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, PATH: pathVariable },
  });
  let output = '';
  child.on('error', (error) => void (output += error.message));
  child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  const ended = once(child, 'exit').catch(() => undefined);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  cleanup.after(kill);
  return { pid: child.pid ?? 0, output: () => output, kill };
}

export async function temporaryDirectory(cleanup: CleansUp): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kfctl-front-door-'));
  cleanup.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  return directory;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function untilListening(port: number, program: Pick<Program, 'output'>): Promise<void> {
  await until(program, () => canConnect(port));
}

export async function until(program: Pick<Program, 'output'>, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > 1_000) throw new Error(`a program did not get ready: ${program.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
