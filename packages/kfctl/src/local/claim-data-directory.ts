/** Owns making, taking and removing the folder of a local cluster; what is not kfctl's is never touched. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kfctlError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { LOCK_FILE, readLock, startTimeOf } from './data-directory.ts';
import type { DataDirectory, Lock } from './data-directory.ts';

export const MARKER = '.kfctl-data';
const MARKER_TEXT = 'A local cluster of kfctl lives here: kfctl down --purge removes this folder.';

/**
 * Grows when older versions could no longer use the folder: another schema of the database, other stored versions of built-in kinds.
 * The step from the number before goes with it. Folders from before it was written down are of format 1.
 */
const FORMAT = 1;

interface Marker {
  readonly format: number;
  /** The kfctl that used the folder last; empty where it did not say. */
  readonly version: string;
}

/**
 * Makes the folder, readable by its owner only; gives the version that used it last, undefined for a new one. Throws
 * `DATA_DIRECTORY_INVALID` when it cannot be made, holds something else, or is of a version that knows more than this one.
 */
export function openDataDirectory(data: DataDirectory): string | undefined {
  try {
    mkdirSync(data.path, { recursive: true, mode: 0o700 });
    const marker = readMarker(data);
    if (marker === undefined) {
      requireEmpty(data);
      recordVersion(data);
    } else requireKnown(data, marker);
    return marker?.version;
  } catch (cause) {
    if (cause instanceof Error && !('syscall' in cause)) throw cause;
    throw kfctlError('DATA_DIRECTORY_INVALID', `cannot write ${data.path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Choose another folder with --data-dir or KFCTL_HOME.',
    });
  }
}

/** For whoever has the folder: from now on it is of this version. */
export function recordVersion(data: DataDirectory): void {
  const text = `${MARKER_TEXT}\nformat ${FORMAT}, used by kfctl ${VERSION}\n`;
  writeFileSync(path.join(data.path, MARKER), text, { mode: 0o600 });
}

function readMarker({ path: folder }: DataDirectory): Marker | undefined {
  const file = path.join(folder, MARKER);
  if (!existsSync(file)) return undefined;
  const [, format = '1', version = ''] = /^format (\d+), used by kfctl (\S+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
  return { format: Number(format), version };
}

function requireEmpty(data: DataDirectory): void {
  if (readdirSync(data.path).length === 0) return;
  throw kfctlError('DATA_DIRECTORY_INVALID', `${data.path} is not empty and no data folder of kfctl`, {
    hint: 'Choose an empty or new folder with --data-dir.',
  });
}

function requireKnown(data: DataDirectory, { format, version }: Marker): void {
  if (format <= FORMAT) return;
  const what = `${data.path} was last used by kfctl ${version}, whose format ${format} this kfctl ${VERSION} does not know`;
  throw kfctlError('DATA_DIRECTORY_INVALID', what, {
    hint: `Use kfctl ${version} for it, choose another folder with --data-dir, or begin anew: kfctl down --purge --data-dir ${data.path} (what is in it is lost).`,
  });
}

/** Removes the folder; refuses one that is not kfctl's. True when there was one. */
export function purgeDataDirectory(data: DataDirectory): boolean {
  if (!existsSync(data.path)) return false;
  if (!existsSync(path.join(data.path, MARKER))) {
    throw kfctlError('DATA_DIRECTORY_INVALID', `${data.path} is no data folder of kfctl: nothing was removed`);
  }
  rmSync(data.path, { recursive: true, force: true, maxRetries: 5 });
  return true;
}

/** Takes the folder for this process; throws `UP_RUNNING` naming the process that has it. */
export function lockDataDirectory(data: DataDirectory, pid: number): void {
  const file = path.join(data.path, LOCK_FILE);
  const lock: Lock = { pid, startTime: startTimeOf(pid) };
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(file, JSON.stringify(lock), { flag: 'wx', mode: 0o600 });
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 3) throw cause;
    }
    const holder = readLock(data);
    if (holder !== undefined) {
      throw kfctlError('UP_RUNNING', `kfctl up is already running on ${data.path} (process ${holder.pid})`, {
        hint: `Use it, stop it (kfctl down --data-dir ${data.path}), or choose another folder with --data-dir.`,
      });
    }
    rmSync(file, { force: true });
  }
}
