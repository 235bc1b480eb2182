/** Owns the command `kfctl up`: a local cluster with the platform on it, for as long as it runs in the foreground. */
import path from 'node:path';
import { CLUSTER_MAIN } from '../local/cluster-process.ts';
import { dataDirectory, lockDataDirectory, openDataDirectory } from '../local/data-directory.ts';
import { INSTALLER_MAIN, supervise } from '../local/supervise.ts';
import type { Invocation } from './invocation.ts';

export async function runUp(invocation: Invocation, flags: { readonly dataDir?: string }): Promise<void> {
  const { terminal, settings, directory, signal } = invocation;
  const data = dataDirectory(path.resolve(directory, flags.dataDir ?? settings.dataDirectory));
  openDataDirectory(data);
  const unlock = lockDataDirectory(data, process.pid);
  try {
    const programs = { cluster: CLUSTER_MAIN, installer: INSTALLER_MAIN };
    await supervise({ data, terminal, signal, programs, env: settings.env });
    terminal.note('Stopped. Everything is kept: kfctl up starts it again.');
  } finally {
    unlock();
  }
}
