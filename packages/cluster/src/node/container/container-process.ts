/** Owns one run of a container: its process, its log, its end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { delay } from '@kfctl/core';
import type { LogWriter } from '../logs/log-writer.ts';
import type { Launch } from '../sandbox/sandbox.ts';
import { createOutputFan } from './output-fan.ts';
import type { OutputFan, OutputListener } from './output-fan.ts';
import { closeWriteEnds, openOutputPipes } from './output-pipes.ts';
import type { OutputPipe } from './output-pipes.ts';
import { catchesSignal, commandLine, firstChild } from './process-table.ts';

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
  /** The container's own first process, as the host numbers it, once its sandbox stands; undefined after it ended. */
  innerPid(): Promise<number | undefined>;
  /** Present when the container wants input. */
  readonly stdin: Writable | undefined;
  readonly output: OutputFan;
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
  /** The container's program reads input: whoever attaches types it. */
  readonly wantsInput: boolean;
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
  wantsInput,
}: StartOptions): Promise<ContainerProcess> {
  const pipes = await openOutputPipes(directory);
  const child = spawn(launch.file, launch.args, {
    cwd: launch.cwd,
    env: { ...launch.env },
    // Its own session: Ctrl-C in the terminal of the cluster must reach the cluster, which then stops its pods in order.
    detached: true,
    stdio: [wantsInput ? 'pipe' : 'ignore', pipes[0].writeFd, pipes[1].writeFd],
  });
  closeWriteEnds(pipes);
  const output = createOutputFan(wantsInput);
  child.stdin?.on('error', () => undefined);
  const exited = follow(child, pipes, (stream, chunk) => {
    log.write(stream, chunk);
    output.write(stream, chunk);
  }).finally(() => void log.close());
  const pid = await spawned(child);
  return {
    pid,
    startedAt: new Date(),
    exited,
    stdin: child.stdin ?? undefined,
    output,
    innerPid: () =>
      ownsProcesses ? settledChild(pid, launch, exited) : Promise.resolve(isOver(child) ? undefined : pid),
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

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

const SETTLE_STEP_MS = 5;

/** Whoever joins a container while its sandbox is being built would see the machine itself. */
async function settledChild(pid: number, launch: Launch, exited: Promise<unknown>): Promise<number | undefined> {
  const over = new AbortController();
  void exited.then(() => over.abort());
  const script = launch.args.at(-1);
  while (!over.signal.aborted) {
    const child = await firstChild(pid);
    const words = child === undefined ? undefined : await commandLine(child);
    // Everything that builds the sandbox is called with the script as its last word.
    if (words !== undefined && words.at(-1) !== script) return child;
    await delay(SETTLE_STEP_MS, over.signal);
  }
  return undefined;
}

/** Whoever inherited the pipes must not keep the container alive: what is in them is read, no more. */
const DRAIN_MS = 500;

function follow(
  child: ChildProcess,
  pipes: readonly [OutputPipe, OutputPipe],
  heard: OutputListener,
): Promise<ContainerExit> {
  const drained = pipes.map(({ reader }, index) => {
    reader.on('data', (chunk: Buffer) => heard(index === 0 ? 'stdout' : 'stderr', chunk));
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
      const number = signal === null ? undefined : (SIGNALS[signal] ?? 1);
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
