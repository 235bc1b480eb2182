/**
 * Owns the life of `kfctl up`: keeps the cluster's process running and has the platform installed on it. It stays small,
 * because it stays: everything heavy happens in the installer's process, which ends when its work is done, and nothing is
 * imported here that is not needed for the whole time.
 *
 *   start cluster ──ready──► tell installer ──done──► keep watch
 *        ▲    └─died──► again, with pauses, at most 5 times a minute
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Environment } from '@kfctl/core';
import type { Terminal } from '../../cli/terminal.ts';
import { ExitCode } from '../../cli/exit-code.ts';
import { endOf, startCluster, stopChild } from './cluster-process.ts';
import type { ClusterProcess } from './cluster-process.ts';
import type { DataDirectory } from '../data-directory.ts';

export interface SuperviseInput {
  readonly data: DataDirectory;
  readonly env: Environment;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The scripts of the two processes. */
  readonly programs: { readonly cluster: string; readonly installer: string };
  /** How long the cluster may take to end by itself. */
  readonly graceMs?: number;
}

// Ctrl-C has to be over within three seconds.
const CLUSTER_GRACE_MS = 2500;
const INSTALLER_GRACE_MS = 500;
const MAX_RESTARTS_A_MINUTE = 5;
const RESTART_PAUSE_MS = 200;
export const INSTALLER_MAIN: string = path.resolve(import.meta.dirname, '../install/main.ts');

/** Runs until the signal aborts; throws when the cluster cannot be kept running, ExitCode when the installation failed. */
export async function supervise(input: SuperviseInput): Promise<void> {
  const { signal } = input;
  let cluster = startCluster(input.data, input.programs.cluster, input.env);
  const installer = startInstaller(input);
  const installed = endOf(installer);
  // The end of the cluster that is asked for here is no death.
  const ending = new AbortController();
  try {
    const interrupted = aborted(signal);
    const kept = { ...input, signal: AbortSignal.any([signal, ending.signal]) };
    const watch = keepRunning(kept, cluster, (next) => {
      cluster = next;
    });
    void cluster.ready
      .then(() => installer.connected && installer.send({ kind: 'cluster-ready' }))
      .catch(() => undefined);
    const outcome = await Promise.race([interrupted, watch, installed.then((how) => ({ how }))]);
    if (outcome !== undefined && outcome.how !== 'exit code 0' && !signal.aborted) throw new ExitCode(1);
    if (outcome !== undefined) await Promise.race([interrupted, watch]);
  } finally {
    ending.abort();
    await Promise.all([
      stopChild(installer, installed, INSTALLER_GRACE_MS),
      cluster.stop(input.graceMs ?? CLUSTER_GRACE_MS),
    ]);
  }
}

/** Starts the cluster again whenever it dies; gives up when it dies too often. */
async function keepRunning(
  input: SuperviseInput,
  first: ClusterProcess,
  onRestart: (cluster: ClusterProcess) => void,
): Promise<undefined> {
  const deaths: number[] = [];
  let cluster = first;
  while (!input.signal.aborted) {
    const how = await cluster.ended;
    if (input.signal.aborted) return undefined;
    deaths.push(Date.now());
    const recent = deaths.filter((time) => time > Date.now() - 60_000);
    if (recent.length > MAX_RESTARTS_A_MINUTE || !(await wasReady(cluster))) {
      const { kfctlError } = await import('../../errors.ts');
      const reason = cluster.reason();
      throw kfctlError('CLUSTER_DIED', `the local cluster ended (${how})${reason === '' ? '' : `:\n${reason}`}`, {
        hint: `Its log is ${input.data.logFile}.`,
      });
    }
    input.terminal.warn(`the local cluster ended (${how}); starting it again`);
    await pause(RESTART_PAUSE_MS * recent.length, undefined, { signal: input.signal }).catch(() => undefined);
    if (input.signal.aborted) return undefined;
    cluster = startCluster(input.data, input.programs.cluster, input.env);
    onRestart(cluster);
  }
  return undefined;
}

function wasReady(cluster: ClusterProcess): Promise<boolean> {
  return cluster.ready.then(
    () => true,
    () => false,
  );
}

function startInstaller({ data, env, terminal, programs }: SuperviseInput): ChildProcess {
  return spawn(process.execPath, [programs.installer, data.path, ...(terminal.verbose ? ['--verbose'] : [])], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...env },
  });
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
