/**
 * V8's compiled code of one script, kept in the person's own cache directory: with it a small build starts a third faster. What lies there
 * is run as it is, so it must belong to nobody else; whatever is not certain means no cache. It never fails a build.
 */

import { constants, closeSync, fstatSync, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Caches of other versions that are kept, so that two Node versions in turns do not remove each other's. */
const keptEntries = 6;

export interface CacheHome {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The directory for caches of this program; undefined where none is known. */
export function cacheDirectory({ platform, env }: CacheHome): string | undefined {
  const under = (base: string | undefined, ...rest: string[]): string | undefined =>
    base !== undefined && isAbsolute(base) ? join(base, ...rest, 'kustomize-js') : undefined;
  if (env['NODE_DISABLE_COMPILE_CACHE'] === '1') return undefined;
  if (platform === 'win32') return under(env['LOCALAPPDATA']);
  const named = under(env['XDG_CACHE_HOME']);
  return named ?? (platform === 'darwin' ? under(env['HOME'], 'Library', 'Caches') : under(env['HOME'], '.cache'));
}

/** True for what this user owns and nobody else may write. */
function isOwn(stats: { readonly uid: number; readonly mode: number }): boolean {
  const user = process.getuid?.();
  return user === undefined || (stats.uid === user && (stats.mode & 0o022) === 0);
}

function isOwnDirectory(directory: string): boolean {
  const stats = lstatSync(directory);
  return stats.isDirectory() && isOwn(stats);
}

/** The cached code; undefined when there is none that can be trusted. */
export function readCode(directory: string, name: string): Buffer | undefined {
  try {
    if (!isOwnDirectory(directory)) return undefined;
    const file = openSync(join(directory, name), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      const stats = fstatSync(file);
      return stats.isFile() && isOwn(stats) ? readFileSync(file) : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Keeps code for the next start; the file appears whole or not at all. */
export function writeCode(directory: string, name: string, code: Uint8Array): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (!isOwnDirectory(directory)) return;
    const unfinished = join(directory, `${name}.${process.pid}`);
    writeFileSync(unfinished, code, { flag: 'wx', mode: 0o600 });
    renameSync(unfinished, join(directory, name));
    removeOld(directory);
  } catch {
    // A full or read-only disk costs time, not the build.
  }
}

function removeOld(directory: string): void {
  const entries = readdirSync(directory).map((name) => join(directory, name));
  const newestFirst = entries
    .map((path) => ({ path, time: statSync(path).mtimeMs }))
    .sort((left, right) => right.time - left.time);
  for (const { path } of newestFirst.slice(keptEntries)) rmSync(path, { force: true });
}
