/** Owns the recognition of kubeconfig files that belong to a local cluster, and the words on one that does not run. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Settings } from '../config/settings.ts';
import { kfctlError } from '../errors.ts';
import { MARKER } from './claim-data-directory.ts';
import { dataDirectory, readLock } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';

/** The data folder that a kubeconfig file belongs to; undefined for those of other clusters. */
export function localClusterOf(kubeconfig: string): DataDirectory | undefined {
  const data = dataDirectory(path.dirname(path.resolve(kubeconfig)));
  const isLocal = path.resolve(kubeconfig) === data.kubeconfig && existsSync(path.join(data.path, MARKER));
  return isLocal ? data : undefined;
}

/** Throws `NOT_RUNNING` when the kubeconfig is that of a local cluster which does not run: nobody will answer. */
export function requireRunning(kubeconfig: string, settings: Settings): void {
  const data = localClusterOf(kubeconfig);
  if (data === undefined || readLock(data) !== undefined) return;
  throw kfctlError('NOT_RUNNING', `the local cluster of ${data.path} does not run`, {
    hint: `Start it in another terminal: ${startCommand(data, settings)}`,
  });
}

export function startCommand(data: DataDirectory, settings: Settings): string {
  return data.path === settings.dataDirectory ? 'kfctl up' : `kfctl up --data-dir ${data.path}`;
}
