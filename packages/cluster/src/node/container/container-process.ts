/** Owns one run of a container: its process, its log, its end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { delay } from '@kfctl/core';
import type { LogWriter } from '../logs/log-writer.ts';
import type { Launch } from '../sandbox/sandbox.ts';
import { closeWriteEnds, openOutputPipes } from './output-pipes.ts';
import type { OutputPipe } from './output-pipes.ts';
import { catchesSignal, firstChild } from './process-table.ts';

export interface ContainerExit {
  /** 128 + signal number for a process that a signal ended. */
  readonly exitCode: number;
  readonly signal?: number;
}

export interface ContainerProcess {
  /** The process that this node started; it ends with the container. */
  readonly pid: number;
  readonly startedAt: Date;
  readonly exited: Promise<ContainerExit>;
  /** The container's first process, as the host numbers it; undefined before it runs and after it ended. */
  innerPid(): Promise<number | undefined>;
  /** SIGTERM, then after the grace SIGKILL; resolves when the process is gone. */
  terminate(graceMs: number): Promise<void>;
  kill(): void;
}

export interface StartOptions {
  readonly launch: Launch;
  readonly log: LogWriter;
  /** Private to the container. */
  readonly directory: string;
  readonly ownsProcesses: boolean;
}

const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};
const SIGTERM = 15;
/** How long a process may take to install its handler before it is taken for one that has none. */
const HANDLER_MS = 2_000;

/** Rejects when the program cannot be started at all. */
export async function startContainerProcess({
  launch,
  log,
  directory,
  ownsProcesses,
}: StartOptions): Promise<ContainerProcess> {
  const pipes = await openOutputPipes(directory);
  const child = spawn(launch.file, launch.args, {
    cwd: launch.cwd,
    env: { ...launch.env },
    // Its own session: Ctrl-C in the terminal of the cluster must reach the cluster, which then stops its pods in order.
    detached: true,
    stdio: ['ignore', pipes[0].writeFd, pipes[1].writeFd],
  });
  closeWriteEnds(pipes);
  const exited = follow(child, pipes, log);
  const pid = await spawned(child);
  return {
    pid,
    startedAt: new Date(),
    exited,
    innerPid: async () =>
      child.exitCode !== null || child.signalCode !== null ? undefined : ownsProcesses ? firstChild(pid) : pid,
    terminate: (graceMs) => terminate({ child, pid, exited, ownsProcesses }, graceMs),
    kill: () => killAll(child, pid),
  };
}

function spawned(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
}

/** Whoever inherited the pipes must not keep the container alive: what is in them is read, no more. */
const DRAIN_MS = 500;

/** unshare wants to die of the same signal as its child, cannot do so for SIGKILL, says this instead and exits with 1. */
const KILLED_NOTICE = 'unshare: sigprocmask unblock failed: Invalid argument\n';

function follow(child: ChildProcess, pipes: readonly [OutputPipe, OutputPipe], log: LogWriter): Promise<ContainerExit> {
  let killed = false;
  const drained = pipes.map(({ reader }, index) => {
    reader.on('data', (chunk: Buffer) => {
      const notice = index === 1 && chunk.toString('latin1').endsWith(KILLED_NOTICE);
      killed ||= notice;
      const output = notice ? chunk.subarray(0, chunk.length - KILLED_NOTICE.length) : chunk;
      if (output.length > 0) log.write(index === 0 ? 'stdout' : 'stderr', output);
    });
    return new Promise<void>((resolve) => {
      reader.on('error', () => undefined);
      reader.on('close', () => resolve());
    });
  });
  return new Promise((resolve) => {
    const finish = async (code: number | null, signal: NodeJS.Signals | null): Promise<void> => {
      const timer = setTimeout(() => pipes.forEach(({ reader }) => reader.destroy()), DRAIN_MS);
      await Promise.all(drained);
      clearTimeout(timer);
      void log.close();
      const ended = killed && code === 1 ? 'SIGKILL' : signal;
      const number = ended === null ? undefined : (SIGNALS[ended] ?? 1);
      resolve(number === undefined ? { exitCode: code ?? 1 } : { exitCode: 128 + number, signal: number });
    };
    child.once('error', () => void finish(127, null));
    child.once('exit', (code, signal) => void finish(code, signal));
  });
}

interface Victim {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<ContainerExit>;
  readonly ownsProcesses: boolean;
}

async function terminate({ child, pid, exited, ownsProcesses }: Victim, graceMs: number): Promise<void> {
  const over = new AbortController();
  void exited.then(() => over.abort());
  if (graceMs > 0) {
    const endsAt = performance.now() + graceMs;
    const heard = ownsProcesses
      ? await askFirstProcess(pid, Math.min(graceMs, HANDLER_MS), over.signal)
      : killGroup(pid, 'SIGTERM');
    if (heard) await delay(Math.max(0, endsAt - performance.now()), over.signal);
  }
  if (!over.signal.aborted) killAll(child, pid);
  await exited;
}

/**
 * The first process of a process namespace gets only the signals that it handles, so a SIGTERM that comes before its handler is
 * lost: wait for the handler. False when it never handles SIGTERM: then there is nothing to wait for.
 */
async function askFirstProcess(pid: number, patienceMs: number, signal: AbortSignal): Promise<boolean> {
  const endsAt = performance.now() + patienceMs;
  while (!signal.aborted) {
    const inner = await firstChild(pid);
    if (inner !== undefined && (await catchesSignal(inner, SIGTERM))) return sendSignal(inner, 'SIGTERM');
    if (performance.now() > endsAt) return false;
    await delay(50, signal);
  }
  return true;
}

function killAll(child: ChildProcess, pid: number): void {
  killGroup(pid, 'SIGKILL');
  child.kill('SIGKILL');
}

function killGroup(pid: number, signal: NodeJS.Signals): boolean {
  return sendSignal(-pid, signal);
}

function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    // Already gone.
    return false;
  }
}
