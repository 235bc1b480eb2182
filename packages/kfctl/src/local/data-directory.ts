/** Owns the folder of a local cluster: its marker, its lock, what lies where in it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { kfctlError } from '../errors.ts';

export interface DataDirectory {
  readonly path: string;
  readonly kubeconfig: string;
  /** Facts that the cluster process writes about itself. */
  readonly clusterFile: string;
  readonly logFile: string;
  /** The application directory of the platform on this cluster. */
  readonly app: string;
}

/** The name of the deployment, and of its directory. */
export const LOCAL_APP = 'kubeflow';

const MARKER = '.kfctl-data';
const MARKER_TEXT = 'A local cluster of kfctl lives here: kfctl down --purge removes this folder.\n';
const LOCK = 'up.json';

export function dataDirectory(directory: string): DataDirectory {
  return {
    path: directory,
    kubeconfig: path.join(directory, 'kubeconfig'),
    clusterFile: path.join(directory, 'cluster.json'),
    logFile: path.join(directory, 'cluster.log'),
    app: path.join(directory, LOCAL_APP),
  };
}

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

export interface Lock {
  readonly pid: number;
  /** Tells a process from a later one of the same number. */
  readonly startTime: string;
}

/** Takes the folder for this process; throws `UP_RUNNING` naming the process that has it. */
export function lockDataDirectory(data: DataDirectory, pid: number): () => void {
  const file = path.join(data.path, LOCK);
  const lock: Lock = { pid, startTime: startTimeOf(pid) };
  for (let attempt = 0; ; attempt += 1) {
    try {
      writeFileSync(file, JSON.stringify(lock), { flag: 'wx', mode: 0o600 });
      return () => rmSync(file, { force: true });
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

/** The living process that has the folder; undefined when there is none. */
export function readLock(data: DataDirectory): Lock | undefined {
  try {
    const lock = JSON.parse(readFileSync(path.join(data.path, LOCK), 'utf8')) as Lock;
    return isSameProcess(lock) ? lock : undefined;
  } catch {
    return undefined;
  }
}

/** True while that very process lives. */
export function isSameProcess({ pid, startTime }: Lock): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return startTime === startTimeOf(pid);
}

// Field 22 of /proc/PID/stat; the name in parentheses may hold spaces. Systems without /proc compare the number alone.
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
