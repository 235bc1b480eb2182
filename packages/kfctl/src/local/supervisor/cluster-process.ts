/** Owns the cluster's process as `kfctl up` sees it: started with a data folder, ready when it says so, ended with a bound. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import type { Environment } from '@kfctl/core';
import type { DataDirectory } from '../data-directory.ts';

// Not `import`: that reads every export of node:fs, whose getters load streams and promises: 2 MB of a process that stays.
const { openSync, closeSync, readFileSync, renameSync, statSync } = process.getBuiltinModule('node:fs');

export interface ClusterProcess {
  readonly pid: number | undefined;
  /** Resolves when the API server serves; rejects when the process ends before. */
  readonly ready: Promise<void>;
  /** Resolves with a word on how it ended. */
  readonly ended: Promise<string>;
  /** What its log says about why it ended. */
  reason(): string;
  /** Asks it to end, and makes it end when it does not within `graceMs`. */
  stop(graceMs: number): Promise<void>;
}

/** The process is another one by design: nothing of it is imported, so that its path is all that is known here. */
export const CLUSTER_MAIN: string = path.resolve(import.meta.dirname, '../../../../cluster/src/main.ts');
/** The API server's garbage is young: a small young generation saves 15 MB and costs nothing that a laptop would notice. */
const LEAN_HEAP = ['--max-semi-space-size=2'];
const MAX_LOG_BYTES = 10 * 1024 * 1024;
const MAX_REASON_LINES = 8;

/** Starts the cluster. Its output goes to the log file; the IPC channel tells readiness, and its end tells the cluster that we are gone. */
export function startCluster(data: DataDirectory, main: string, env: Environment): ClusterProcess {
  rotateLog(data.logFile);
  const logStart = sizeOf(data.logFile);
  const log = openSync(data.logFile, 'a', 0o600);
  const child = spawn(process.execPath, [...LEAN_HEAP, main, '--data-dir', data.path], {
    stdio: ['ignore', log, log, 'ipc'],
    env: { ...withoutCredentials(env), MALLOC_ARENA_MAX: '1' },
    // Away from the terminal's process group: Ctrl-C is ours to pass on, so that the cluster ends in order.
    detached: true,
  });
  closeSync(log);
  const ended = endOf(child);
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      if ((message as { kind?: unknown } | null)?.kind === 'ready') resolve();
    });
    void ended.then((how) => reject(new Error(`the cluster process ended (${how})`)));
  });
  ready.catch(() => undefined);
  return {
    pid: child.pid,
    ready,
    ended,
    reason: () => reasonIn(data, logStart),
    stop: (graceMs) => stopChild(child, ended, graceMs),
  };
}

/** Resolves when a child has ended, saying how. */
export function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code ?? '?'}` : signal));
  });
}

/** SIGTERM, then SIGKILL after `graceMs`. */
export async function stopChild(child: ChildProcess, ended: Promise<string>, graceMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await ended;
  clearTimeout(timer);
}

/** What the log's lines since `from` (bytes) say of the end: the errors where there are any, otherwise the last lines. */
function reasonIn(data: DataDirectory, from: number): string {
  try {
    const lines = readFileSync(data.logFile).subarray(from).toString('utf8').trimEnd().split('\n');
    const errors = lines.map(errorOf).filter((text) => text !== undefined);
    return (errors.length > 0 ? errors : lines).slice(-MAX_REASON_LINES).join('\n');
  } catch {
    return '';
  }
}

/** The error of a JSON log line with its hint; undefined for other lines. */
function errorOf(line: string): string | undefined {
  if (!line.startsWith('{"')) return undefined;
  try {
    const { level, msg, error, hint } = JSON.parse(line) as Record<string, unknown>;
    if (level !== 'error') return undefined;
    const text = [msg, error].filter((part) => typeof part === 'string').join(': ');
    return typeof hint === 'string' ? `${text} (${hint})` : text;
  } catch {
    return undefined;
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** What the pods run must not inherit the person's password. */
function withoutCredentials(env: Environment): NodeJS.ProcessEnv {
  const { KUBEFLOW_PASSWORD: _password, ...rest } = env;
  return rest;
}

function rotateLog(file: string): void {
  try {
    if (statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  } catch {
    // There is no log yet.
  }
}
