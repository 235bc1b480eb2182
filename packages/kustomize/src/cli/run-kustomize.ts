/** Owns one run of the command `kustomize-js` (and `kfctl kustomize`): arguments in, exit code out. It never ends the process. */

import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { build } from '../build/build.ts';
import { KustomizeError } from '../errors.ts';
import { createHttpsFetcher } from '../remote/https-fetcher.ts';
import { parseRemote } from '../remote/parse-remote.ts';
import type { RemoteStore } from '../remote/remote-store.ts';
import { lockFileName, openVendorDirectory, vendorRemotes } from '../remote/vendor.ts';
import { type BuildCommand, parseArguments } from './arguments.ts';
import { renderHelp } from './help.ts';
import { version } from './version.ts';
import { printNodes, writeNodes } from './write-result.ts';

export interface RunOptions {
  readonly argv: readonly string[];
  /** What relative paths are relative to. */
  readonly directory: string;
  /** How the person called it, for help and hints. */
  readonly program: string;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** 0 on success, 1 on every failure. Building is synchronous; only fetching takes a promise. */
export function runKustomize(options: RunOptions): number | Promise<number> {
  const command = parseArguments(options.argv);
  switch (command.kind) {
    case 'help':
      options.stdout(renderHelp(options.program));
      return 0;
    case 'version':
      options.stdout(`${version}\n`);
      return 0;
    case 'mistake':
      options.stderr(`error: ${command.message}\nhint: ${command.hint}\n`);
      return 1;
    case 'vendor':
      return vendor(options, command);
    case 'build':
      return guard(options, () => runBuild(options, command));
  }
}

function guard(options: RunOptions, step: () => void): number {
  try {
    step();
    return 0;
  } catch (error) {
    return report(options, error);
  }
}

function report({ stderr }: RunOptions, error: unknown): number {
  if (!(error instanceof KustomizeError)) throw error;
  stderr(`error: ${error.message}\n${error.hint === undefined ? '' : `hint: ${error.hint}\n`}`);
  return 1;
}

function runBuild(options: RunOptions, command: BuildCommand): void {
  requireLocal(command.directory);
  const directory = resolve(options.directory, command.directory);
  const remotes = vendoredRemotes(directory, command.vendor && resolve(options.directory, command.vendor));
  const { nodes } = build({
    directory,
    loadRestrictor: command.loadRestrictor,
    warn: (message) => options.stderr(`warning: ${message}\n`),
    ...(remotes === undefined ? {} : { remotes }),
  });
  if (command.output === undefined) printNodes(nodes, options.stdout);
  // Not resolve(): a slash at the end says that a directory is meant.
  else writeNodes(nodes, isAbsolute(command.output) ? command.output : join(options.directory, command.output));
}

/** A remote directory is built from a local one that lists it, so that there is a lock file to pin it. */
function requireLocal(directory: string): void {
  if (existsSync(directory) || parseRemote(directory) === undefined) return;
  throw new KustomizeError('REMOTE_NOT_ALLOWED', `'${directory}' is a remote directory`, {
    hint: 'list it under resources in a kustomization of your own, and vendor that one',
  });
}

/** Only the named folder or the directory's own: a lock file further up could be anyone's. */
function vendoredRemotes(directory: string, named: string | undefined): RemoteStore | undefined {
  const folder = named ?? join(directory, 'vendor');
  if (named === undefined && !existsSync(join(folder, lockFileName))) return undefined;
  return openVendorDirectory(folder);
}

async function vendor(
  options: RunOptions,
  command: { readonly directory: string; readonly vendor: string | undefined },
): Promise<number> {
  const directory = resolve(options.directory, command.directory);
  const vendorDirectory = resolve(options.directory, command.vendor ?? join(command.directory, 'vendor'));
  try {
    const lock = await vendorRemotes({ directory, vendorDirectory, fetcher: createHttpsFetcher() });
    const count = Object.keys(lock).length;
    options.stderr(
      count === 0
        ? `${command.directory} has no remote resources.\n`
        : `${join(vendorDirectory, lockFileName)} pins ${count} remote ${count === 1 ? 'resource' : 'resources'}.\n`,
    );
    return 0;
  } catch (error) {
    return report(options, error);
  }
}
