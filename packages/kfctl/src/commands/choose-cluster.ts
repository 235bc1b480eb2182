/** Owns which cluster is meant by commands that also know the local one: the named one, an application's, a running local one, kubectl's. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { APP_FILE } from '../app/app-directory.ts';
import { dataDirectory, readLock } from '../local/data-directory.ts';
import type { DataDirectory } from '../local/data-directory.ts';
import { localClusterOf, startCommand } from '../local/local-kubeconfig.ts';
import type { ClusterOptions, Invocation } from './invocation.ts';

export type ChosenCluster =
  | { readonly kind: 'cluster'; readonly options: ClusterOptions; readonly local?: DataDirectory }
  /** The local one, and it does not run; `start` is the command that starts it. */
  | { readonly kind: 'none'; readonly folder: string; readonly start: string };

export interface ClusterChoice extends ClusterOptions {
  readonly dataDir?: string;
}

export function chooseCluster({ settings, directory }: Invocation, flags: ClusterChoice): ChosenCluster {
  const listed = settings.env['KUBECONFIG'] ?? '';
  const asked = flags.kubeconfig !== undefined || flags.context !== undefined;
  if (flags.dataDir === undefined && (asked || existsSync(path.join(directory, APP_FILE))))
    return { kind: 'cluster', options: flags };
  const data = dataDirectory(path.resolve(directory, flags.dataDir ?? settings.dataDirectory));
  if (readLock(data) !== undefined && existsSync(data.kubeconfig))
    return { kind: 'cluster', options: { kubeconfig: data.kubeconfig }, local: data };
  if (flags.dataDir === undefined && listed !== '' && localClusterOf(listed)?.path !== data.path)
    return { kind: 'cluster', options: flags };
  return { kind: 'none', folder: data.path, start: startCommand(data, settings) };
}
