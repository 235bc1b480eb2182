/** Owns the command `kfctl vendor`: remote resources are fetched once and pinned, so that the directory builds offline. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { APP_FILE, applicationDirectory, readApp, vendorDirectory } from '../app/app-directory.ts';
import { kfctlError } from '../errors.ts';
import { requireGenerated } from '../plan/build-app.ts';
import type { Invocation } from './invocation.ts';

/** Vendors every application of an application directory, or one kustomize directory. */
export async function runVendor(invocation: Invocation, target: string | undefined): Promise<void> {
  const directory = path.resolve(invocation.directory, target ?? '.');
  const builds = await findBuilds(directory);
  const folder = vendorDirectory(directory);
  const { KustomizeError, createHttpsFetcher, lockFileName, vendorRemotes } = await import('@kfctl/kustomize');
  let count = 0;
  for (const { name, directory: build } of builds) {
    invocation.terminal.progress(`fetching the remote resources of ${name}`);
    try {
      const lock = await vendorRemotes({ directory: build, vendorDirectory: folder, fetcher: createHttpsFetcher() });
      count = Object.keys(lock).length;
    } catch (cause) {
      const hint = cause instanceof KustomizeError ? cause.hint : undefined;
      throw kfctlError('VENDOR_FAILED', `cannot vendor ${name}`, { cause, ...(hint === undefined ? {} : { hint }) });
    }
  }
  invocation.terminal.progress(undefined);
  invocation.terminal.note(
    count === 0
      ? 'There are no remote resources: it builds offline as it is.'
      : `Vendored ${count} remote ${count === 1 ? 'resource' : 'resources'}; ${path.join(folder, lockFileName)} pins what they are.`,
  );
}

interface Build {
  readonly name: string;
  readonly directory: string;
}

async function findBuilds(directory: string): Promise<readonly Build[]> {
  if (!existsSync(path.join(directory, APP_FILE))) return [{ name: directory, directory }];
  const app = await readApp(directory);
  return requireGenerated(app, 'all').map(({ name }) => ({
    name: `application ${name}`,
    directory: applicationDirectory(app, name),
  }));
}
