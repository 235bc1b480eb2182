/** Owns making, taking and removing the folder of a local cluster; what is not kfctl's is never touched. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kfctlError } from '../errors.ts';
import { LOCK_FILE, readLock, startTimeOf } from './data-directory.ts';
import type { DataDirectory, Lock } from './data-directory.ts';

export const MARKER = '.kfctl-data';
const MARKER_TEXT = 'A local cluster of kfctl lives here: kfctl down --purge removes this folder.\n';

/** Makes the folder, readable by its owner only. Throws `DATA_DIRECTORY_INVALID` when it cannot be, or holds something else. */
export function openDataDirectory(data: DataDirectory): void {
  try {
    mkdirSync(data.path, { recursive: true, mode: 0o700 });
    if (!existsSync(path.join(data.path, MARKER))) {
      if (readdirSync(data.path).length > 0) {
        throw kfctlError('DATA_DIRECTORY_INVALID', `${data.path} is not empty and no data folder of kfctl`, {
          hint: 'Choose an empty or new folder with --data-dir.',
        });
      }
      writeFileSync(path.join(data.path, MARKER), MARKER_TEXT, { mode: 0o600 });
    }
  } catch (cause) {
    if (cause instanceof Error && !('syscall' in cause)) throw cause;
    throw kfctlError('DATA_DIRECTORY_INVALID', `cannot write ${data.path}: ${(cause as Error).message}`, {
      cause,
      hint: 'Choose another folder with --data-dir or KFCTL_HOME.',
    });
  }
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
